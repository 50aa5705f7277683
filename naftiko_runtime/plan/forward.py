"""Compiles `forward` (ForwardConfig): what is passed on of a request, and what is added to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote, unquote_plus

from naftiko_runtime.document.model import (
    ConsumedOperation,
    Consumes,
    Forward,
    InputReference,
    ParameterPlace,
    Template,
)
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.header_names import NAME, RESERVED
from naftiko_runtime.plan.inputs import InputCollector, Need
from naftiko_runtime.plan.operation import ForwardPlan, InputPlan, Passage, Scope, UpstreamRequest
from naftiko_runtime.plan.request import compile_build
from naftiko_runtime.plan.request_parts import Parts
from naftiko_runtime.plan.url import Base
from naftiko_runtime.plan.variables import Variables
from naftiko_runtime.problems import Consequence, Problem, Severity

_REMAINDER = re.compile(r"/(?:\{\{\s*path\s*\}\}|\{\s*path\s*\})/?$")
_REST = "path"
_ADDED = frozenset({ParameterPlace.QUERY, ParameterPlace.HEADER, ParameterPlace.COOKIE})
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language"})
"""Headers that say what the body is, which make no sense apart from it."""

_DECODINGS = 5
"""How many times over a path may be percent-encoded to hide something."""


def compile_forward(
    forward: Forward, consumes: Consumes, base: Base, variables: Variables
) -> tuple[ForwardPlan, list[Problem]]:
    """The plan of one forwarding resource, and warnings. Of the upstream, the `baseUri`, the
    parameters of the adapter that have a `value`, and the credentials count. The resource's own
    inputs are checked, and may fill in what the upstream's address and credentials want.

    Raises ValueError for what cannot be compiled.
    """
    for name in forward.trusted_headers:
        if not NAME.fullmatch(name):
            raise ValueError(f'"{name}" is no name of a header')
    trusted = {name.lower() for name in forward.trusted_headers}
    route = _REMAINDER.sub("", forward.route).rstrip("/") or "/"
    rest = _declared_rest(forward)
    collector = InputCollector(forward.parameters, route if rest is None else forward.route)
    operation = ConsumedOperation(
        place=consumes.place,
        path=consumes.path,
        namespace=consumes.namespace,
        name="forward",
        method="GET",
        url_path=Template(("",), ""),
        parameters=tuple(
            each
            for each in consumes.parameters
            if each.value is not None and each.location in _ADDED
        ),
    )
    parts = Parts(Compiler(collector, variables), consumes, operation)
    build = compile_build(operation, parts, parts.url(base), parts.headers(), None)
    for parameter in forward.parameters:
        collector.name_for(InputReference(parameter.name), Need())
    plan = ForwardPlan(
        route=route,
        upstream=consumes.namespace,
        trusted=frozenset(trusted - RESERVED),
        inputs=_checked(collector.plans(), forward),
        rest=rest,
        build=_compile_passage(build, frozenset(trusted - RESERVED) | _OF_BODY),
        place=forward.place,
        label=forward.label,
        description=forward.description,
    )
    return plan, [_never_passed(forward, name) for name in sorted(trusted & RESERVED)]


def _declared_rest(forward: Forward) -> str | None:
    """The name of the input that is the rest of the path, where the file declares it."""
    if _REMAINDER.search(forward.route) is None:
        return None
    in_path = (p.name for p in forward.parameters if p.location is ParameterPlace.PATH)
    return next((name for name in in_path if name == _REST), None)


def _checked(inputs: tuple[InputPlan, ...], forward: Forward) -> tuple[InputPlan, ...]:
    """The inputs, all of which can be had without reading the body. Raises ValueError."""
    declared = {parameter.name for parameter in forward.parameters}
    for plan in inputs:
        if plan.name not in declared and plan.route_variable is None:
            raise ValueError(
                f'its upstream needs "{plan.name}", which no variable of its path gives'
            )
        if ParameterPlace.BODY in plan.places or plan.body_path is not None:
            raise ValueError(
                f'its input "{plan.name}" is in the body, which is passed on without being read'
                " - declare operations for what is to be read"
            )
    return inputs


def _never_passed(forward: Forward, name: str) -> Problem:
    return Problem(
        "forward-header",
        forward.place,
        (*forward.path, "trustedHeaders"),
        f'"{name}" is about one connection, so it is never passed on',
        "leave it out",
        Severity.WARNING,
        Consequence.NOTHING,
    )


def _compile_passage(
    build: Callable[[Scope], UpstreamRequest], passed: frozenset[str]
) -> Callable[[Scope, Passage], UpstreamRequest]:
    def request_of(scope: Scope, passage: Passage) -> UpstreamRequest:
        own = build(scope)
        base, _, fixed = own.url.partition("?")
        _check_rest(passage.rest)
        taken = {name.lower() for name, _ in own.headers}
        if own.login is not None:
            taken.add("authorization")
        headers = [
            (name, value) for name, value in passage.headers if name in passed and name not in taken
        ]
        url = (base.rstrip("/") if passage.rest else base) + passage.rest
        query = _joined_query(passage.query, fixed)
        return replace(
            own,
            method=passage.method,
            url=f"{url}?{query}" if query else url,
            headers=[*headers, *own.headers],
        )

    return request_of


def _joined_query(given: str, fixed: str) -> str:
    """The caller's query as it came, but for what the file gives itself: that is the file's, in
    whatever case a caller writes its name."""
    if not fixed:
        return given
    own = {_name(pair) for pair in fixed.split("&")}
    kept = [pair for pair in given.split("&") if pair and _name(pair) not in own]
    return "&".join([*kept, fixed])


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0]).lower()


def _check_rest(rest: str) -> None:
    """Raises CallFailed for a rest of a path that could lead out of the upstream's base path: with
    a segment of dots, however often encoded, and after whatever some server takes for a slash."""
    if not rest.isascii():
        raise fail(FailureKind.INVALID_INPUT, "the path holds characters that are not encoded")
    text = rest
    for _ in range(_DECODINGS):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    segments = (segment.partition(";")[0] for segment in re.split(r"[/\\]", text))
    if any(segment in (".", "..") for segment in segments) or re.search(r"[\x00-\x1f]", text):
        raise fail(
            FailureKind.INVALID_INPUT,
            'the path holds a segment "." or "..", or a control character, which is not passed on',
        )
