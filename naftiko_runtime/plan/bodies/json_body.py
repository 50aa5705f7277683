"""JSON bodies: from `data`, from `in: body` parameters, or the caller's body as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from naftiko_runtime.document.model import Literal, RequestBody, Template
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.bodies.writer import BodyWriter
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope

_JSON = "application/json"


def compile_json(body: RequestBody, compiler: Compiler) -> BodyWriter:
    """`data` as an object or list keeps the types of what fills it; as text it is JSON text, whose
    placeholders are escaped for where they stand."""
    data = body.data
    assert data is not None
    if isinstance(data, Template):
        return BodyWriter(_JSON, _compile_text(data, compiler))
    if isinstance(data, Literal):
        content = data.value.encode() if isinstance(data.value, str) else encode_json(data.value)
        return BodyWriter(_JSON, lambda scope: content)
    get = compiler.value(data, Need())

    def write(scope: Scope) -> bytes:
        value = get(scope)
        assert not isinstance(value, Missing)
        return encode_json(value)

    return BodyWriter(_JSON, write)


def _compile_text(template: Template, compiler: Compiler) -> Callable[[Scope], bytes]:
    """JSON text with placeholders. Inside a string literal a value is escaped text; elsewhere it
    is JSON of its own type (`"crewIds": {{crewIds}}`), null when it is missing."""
    pieces: list[bytes | Callable[[Scope], bytes]] = []
    quoted = False
    for part in template.parts:
        if isinstance(part, str):
            pieces.append(part.encode())
            quoted = _ends_quoted(part, quoted)
        else:
            get = compiler.reference(part, Need())
            pieces.append(_quoted_text(get) if quoted else _bare_json(get))

    def write(scope: Scope) -> bytes:
        return b"".join([p if isinstance(p, bytes) else p(scope) for p in pieces])

    return write


def _ends_quoted(text: str, quoted: bool) -> bool:
    """Whether the JSON text, begun inside a string literal or not, ends inside one."""
    escaped = False
    for character in text:
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
    return quoted


def _quoted_text(get: Getter) -> Callable[[Scope], bytes]:
    def write(scope: Scope) -> bytes:
        value = get(scope)
        return encode_json("" if isinstance(value, Missing) else as_text(value))[1:-1]

    return write


def _bare_json(get: Getter) -> Callable[[Scope], bytes]:
    def write(scope: Scope) -> bytes:
        value = get(scope)
        return encode_json(None if isinstance(value, Missing) else value)

    return write


def merged_body(writer: BodyWriter, get: Getter, extra: Sequence[tuple[str, Getter]]) -> BodyWriter:
    """A JSON object body with further members, those that the caller gives."""

    def write(scope: Scope) -> bytes | None:
        value = get(scope)
        members: dict[str, JsonValue] = dict(value) if isinstance(value, dict) else {}
        for name, read in extra:
            given = read(scope)
            if not isinstance(given, Missing):
                members[name] = given
        return encode_json(members)

    return BodyWriter(writer.content_type, write)


def whole_body(get: Getter, *, raw: bool) -> BodyWriter:
    """A body that is one value of the caller: his own bytes where he sent a body (`raw`), so that
    numbers and order stay as he wrote them, else the value encoded."""

    def write(scope: Scope) -> bytes | None:
        if raw and scope.raw_body is not None:
            return scope.raw_body
        value = get(scope)
        return None if isinstance(value, Missing) else encode_json(value)

    return BodyWriter(_JSON, write)


def fields_body(fields: Sequence[tuple[str, Getter]]) -> BodyWriter:
    """An object of several `in: body` parameters, those that are given; no body without any."""
    writers = tuple(fields)

    def write(scope: Scope) -> bytes | None:
        members: dict[str, JsonValue] = {}
        for name, get in writers:
            value = get(scope)
            if not isinstance(value, Missing):
                members[name] = value
        return encode_json(members) if members else None

    return BodyWriter(_JSON, write)


def forwarded_body(fields: Sequence[tuple[str, Getter]]) -> BodyWriter:
    """The caller's JSON body as it is. A tool whose declared inputs nothing else reads gives them
    as the body's members (`fields`); what the body itself says wins."""
    writers = tuple(fields)

    def write(scope: Scope) -> bytes | None:
        if not writers:
            return scope.raw_body
        members: dict[str, JsonValue] = {}
        for name, get in writers:
            value = get(scope)
            if not isinstance(value, Missing):
                members[name] = value
        if scope.raw_body is None:
            return encode_json(members) if members else None
        if not members:
            return scope.raw_body
        return _joined(members, scope.raw_body)

    return BodyWriter(_JSON, write)


def _joined(members: dict[str, JsonValue], raw_body: bytes) -> bytes:
    from naftiko_runtime.json_codec import decode_json

    body = decode_json(raw_body)
    return encode_json({**members, **body}) if isinstance(body, dict) else raw_body
