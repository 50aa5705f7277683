"""Compiles the URL of an upstream request: origin, path and query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote, unquote

from naftiko_runtime.document.model import (
    BindReference,
    InputReference,
    ParameterPlace,
    Reference,
    Template,
)
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.getters import Compiler, Getter, as_text, encodable
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope
from naftiko_runtime.plan.query import compile_query
from naftiko_runtime.plan.variables import Variables, unset_variable

_ORIGIN = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", re.I)
_UNSAFE_IN_PATH = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@%/]")


class BaseUriError(ValueError):
    """A `baseUri` that no request can be sent to; the message says why."""


@dataclass(frozen=True, slots=True)
class Base:
    """Where an upstream's requests go: its origin, and the rest of `baseUri` as a template.

    `origin` is None, and `missing` says what a call answers, when it is not known: the file leaves
    it empty (as some published ones do), or a variable that it needs has no value.
    """

    origin: str | None
    path: Template
    missing: CallFailed | None = None


def resolve_base(
    namespace: str, template: Template, variables: Variables, override: str | None
) -> Base:
    """Fills the variables of a `baseUri` in and splits it. Raises BaseUriError.

    Only variables can fill its origin: callers' values are left to the path. A variable may hold
    the whole base, path included. `override` (from --base-uri) replaces it all.
    """
    if override is not None:
        template = Template((override,), override)
    parts: list[str | Reference] = []
    for part in template.parts:
        if isinstance(part, BindReference):
            text = variables.find(part)
            if text is None:
                return Base(None, Template(("",), template.source), unset_variable(part))
            part = text.strip()
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    head = parts[0] if parts and isinstance(parts[0], str) else ""
    if parts == [""]:
        return Base(None, template, _no_base(namespace))
    origin = _origin_of(head, template.source)
    path = head[len(origin.text) :]
    if "?" in path or "#" in path:
        raise BaseUriError("it holds a query or a fragment, which belong to the operations")
    return Base(origin.origin, Template((path, *parts[1:]), template.source))


def _no_base(namespace: str) -> CallFailed:
    return fail(
        FailureKind.UNSET_VARIABLE,
        f'the file does not say where "{namespace}" is: its baseUri is empty; give one when '
        f"starting, with --base-uri {namespace}=https://...",
        field="baseUri",
    )


@dataclass(frozen=True, slots=True)
class _Origin:
    text: str
    origin: str


def _origin_of(head: str, source: str) -> _Origin:
    if "@" in head.split("://", 1)[-1].split("/", 1)[0]:
        raise BaseUriError('it holds credentials, which belong under "authentication"')
    match = _ORIGIN.match(head)
    if match is None or head[match.end() :][:1] not in ("", "/", "?", "#"):
        shown = head if "{{" not in source else "its value"
        raise BaseUriError(f"{shown!r} is not of the form https://host[:port][/path]")
    if match[3] and not 0 < int(match[3]) < 65536:
        raise BaseUriError(f"{match[3]} is no port")
    return _Origin(match.group(), match.group().lower())


UrlWriter = Callable[[Scope], str]


def compile_url(
    base: Base,
    path: Template,
    parameters: Sequence[tuple[str, Getter]],
    compiler: Compiler,
    needs: Mapping[str, Need],
) -> UrlWriter:
    """Writes the absolute URL of a request.

    `parameters` are those of the query; `needs` is what the path's variables want, by their names
    in the path. Base and path join with exactly one slash. A `?` in the path starts the query.
    """
    if base.missing is not None:
        failure = base.missing.failure

        def cannot(scope: Scope) -> str:
            raise CallFailed(failure)

        return cannot
    route, fixed = _split_query(path)
    pieces = _compile_path(_joined(base, route), compiler, needs)
    write_query = compile_query(fixed, parameters, compiler)
    origin = base.origin

    def write(scope: Scope) -> str:
        text = "".join([p if isinstance(p, str) else p(scope) for p in pieces])
        return f"{origin}{text}{write_query(scope)}"

    return write


def _split_query(path: Template) -> tuple[list[str | Reference], list[str | Reference]]:
    """The parts of the path before the first `?`, and those after it."""
    for index, part in enumerate(path.parts):
        if isinstance(part, str) and "?" in part:
            before, _, after = part.partition("?")
            return [*path.parts[:index], before], [after, *path.parts[index + 1 :]]
    return list(path.parts), []


def _joined(base: Base, path: Sequence[str | Reference]) -> list[str | Reference]:
    parts = [*base.path.parts]
    if isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip("/")
    return [part for part in (*parts, *path) if part != ""] or ["/"]


def _compile_path(
    parts: Sequence[str | Reference], compiler: Compiler, needs: Mapping[str, Need]
) -> list[str | Callable[[Scope], str]]:
    pieces: list[str | Callable[[Scope], str]] = []
    for index, segment in enumerate(_segments(parts)):
        if index:
            pieces.append("/")
        texts = [part for part in segment if isinstance(part, str)]
        if len(texts) == len(segment):
            pieces.append("".join(_literal(text) for text in texts))
        else:
            pieces.append(_compile_segment(segment, compiler, needs))
    return pieces


def _segments(parts: Sequence[str | Reference]) -> list[list[str | Reference]]:
    """The parts cut at each slash of the file's own text."""
    segments: list[list[str | Reference]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            segments[-1].append(part)
            continue
        first, *others = part.split("/")
        segments[-1].append(first)
        segments.extend([other] for other in others)
    return segments


def _literal(text: str) -> str:
    return _UNSAFE_IN_PATH.sub(lambda m: quote(m.group(), safe=""), text)


def _compile_segment(
    parts: Sequence[str | Reference], compiler: Compiler, needs: Mapping[str, Need]
) -> Callable[[Scope], str]:
    """Writes one path segment: no value in it can change the path.

    A segment of `.` or `..` is refused: servers and proxies take even its percent-encoded form as
    a step to another path (RFC 3986, section 6.2.2.3), and some look no further than a `;`.
    """
    pieces: list[str | tuple[str, Getter]] = []
    names: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(_literal(part))
            continue
        name = part.text or "?"
        need = Need(required=True, place=ParameterPlace.PATH)
        if isinstance(part, InputReference):
            name = ".".join((part.name, *part.rest))
            need = needs.get(name, need)
        names.append(name)
        pieces.append((name, compiler.reference(part, need)))

    def write(scope: Scope) -> str:
        text = "".join([p if isinstance(p, str) else _written(*p, scope) for p in pieces])
        if unquote(text).partition(";")[0] in (".", ".."):
            expected = 'another value than "." or ".."'
            raise fail(
                FailureKind.INVALID_INPUT, f'"{names[0]}": expected {expected}', field=names[0]
            )
        return text

    return write


def _written(name: str, get: Getter, scope: Scope) -> str:
    value = get(scope)
    text = "" if isinstance(value, Missing) else path_text(name, value)
    if not text:
        raise fail(FailureKind.INVALID_INPUT, f'"{name}": expected a value', field=name)
    return quote(text, safe="")


def path_text(name: str, value: JsonValue) -> str:
    if isinstance(value, dict):
        raise fail(FailureKind.INVALID_INPUT, f'"{name}": an object fits no path', field=name)
    if isinstance(value, list):
        return ",".join([encodable(name, as_text(item)) for item in value])
    return encodable(name, as_text(value))
