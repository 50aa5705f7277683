"""Compiles the URL of an upstream request: origin, path and query."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from naftiko_runtime.document.model import (
    BindReference,
    InputReference,
    ParameterPlace,
    Reference,
    Template,
)
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope
from naftiko_runtime.plan.variables import Variables, unset_variable

_ORIGIN = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", re.I)
_UNSAFE_IN_PATH = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@%/]")
_UNSAFE_IN_QUERY = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@%/?]")


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
    query: Sequence[tuple[str, str, Getter]],
    compiler: Compiler,
    needs: dict[str, Need],
) -> UrlWriter:
    """Writes the absolute URL of a request.

    `query` holds (name, input's name for messages, getter); `needs` what parameters say of the
    path's variables, by folded name. Base and path join with exactly one slash. A `?` in the path
    starts constant query parameters.
    """
    if base.missing is not None:
        failure = base.missing.failure

        def cannot(scope: Scope) -> str:
            raise CallFailed(failure)

        return cannot
    route, fixed = _split_query(path)
    pieces = _compile_path(_joined(base, route), compiler, needs)
    write_query = _compile_query(fixed, query)
    origin = base.origin

    def write(scope: Scope) -> str:
        text = "".join([p if isinstance(p, str) else p(scope) for p in pieces])
        return f"{origin}{text}{write_query(scope)}"

    return write


def _split_query(path: Template) -> tuple[Template, str]:
    """The path without its query, and the query, which may only be constant."""
    for index, part in enumerate(path.parts):
        if isinstance(part, str) and "?" in part:
            before, _, after = part.partition("?")
            tail = path.parts[index + 1 :]
            text = after + "".join(p if isinstance(p, str) else "" for p in tail)
            return Template((*path.parts[:index], before), path.source), text
    return path, ""


def _joined(base: Base, path: Template) -> list[str | Reference]:
    parts = [*base.path.parts]
    if isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip("/")
    return [part for part in (*parts, *path.parts) if part != ""] or ["/"]


def _compile_path(
    parts: list[str | Reference], compiler: Compiler, needs: dict[str, Need]
) -> list[str | Callable[[Scope], str]]:
    pieces: list[str | Callable[[Scope], str]] = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(_UNSAFE_IN_PATH.sub(lambda m: quote(m.group(), safe=""), part))
            continue
        name = part.text or "?"
        need = Need(required=True, place=ParameterPlace.PATH)
        if isinstance(part, InputReference):
            name = ".".join((part.name, *part.rest))
            need = needs.get(name, need)
        pieces.append(_segment(name, compiler.reference(part, need)))
    return pieces


def _segment(name: str, get: Getter) -> Callable[[Scope], str]:
    """Writes a value as (part of) one path segment: nothing in it can change the path.

    A value of `.` or `..` alone is refused: servers and proxies take even its percent-encoded
    form as a step to another path (RFC 3986, section 6.2.2.3).
    """

    def write(scope: Scope) -> str:
        value = get(scope)
        text = "" if isinstance(value, Missing) else path_text(name, value)
        if text in ("", ".", ".."):
            expected = "a value" if text == "" else 'another value than "." or ".."'
            raise fail(FailureKind.INVALID_INPUT, f'"{name}": expected {expected}', field=name)
        return quote(text, safe="")

    return write


def path_text(name: str, value: JsonValue) -> str:
    if isinstance(value, dict):
        raise fail(FailureKind.INVALID_INPUT, f'"{name}": an object fits no path', field=name)
    if isinstance(value, list):
        return ",".join(as_text(item) for item in value)
    return _encodable(name, as_text(value))


def _encodable(name: str, text: str) -> str:
    """The text, refused when it holds a lone surrogate, which has no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise fail(
            FailureKind.INVALID_INPUT, f'"{name}": the text is not valid Unicode', field=name
        ) from None
    return text


def _compile_query(fixed: str, query: Sequence[tuple[str, str, Getter]]) -> Callable[[Scope], str]:
    constant = _UNSAFE_IN_QUERY.sub(lambda m: quote(m.group(), safe=""), fixed)
    writers = [(quote(name, safe="$[]@"), shown, get) for name, shown, get in query]

    def write(scope: Scope) -> str:
        pairs = [constant] if constant else []
        for name, shown, get in writers:
            value = get(scope)
            if isinstance(value, Missing) or value is None:
                continue
            for item in value if isinstance(value, list) else (value,):
                pairs.append(f"{name}={quote(_encodable(shown, as_text(item)), safe='')}")
        return "?" + "&".join(pairs) if pairs else ""

    return write


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
