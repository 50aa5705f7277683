"""Form bodies: `application/x-www-form-urlencoded`."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote_plus

from naftiko_runtime.document.model import (
    Literal,
    RequestBody,
    Template,
    TemplatedArray,
    TemplatedObject,
)
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.bodies.writer import BodyWriter
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope

_FORM = "application/x-www-form-urlencoded"


def compile_form(body: RequestBody, compiler: Compiler) -> BodyWriter:
    """`data` as a mapping of fields (lists repeat the field, missing ones are left out), or as text
    with placeholders, which are encoded."""
    data = body.data
    if isinstance(data, Template):
        return BodyWriter(_FORM, _compile_text(data, compiler))
    fields: list[tuple[str, Getter]] = []
    if isinstance(data, TemplatedObject):
        fields = [(name, compiler.value(value, Need())) for name, value in data.members]
    elif isinstance(data, Literal) and isinstance(data.value, dict):
        fields = [(name, _constant(value)) for name, value in data.value.items()]
    elif isinstance(data, Literal) and isinstance(data.value, str):
        content = data.value.encode()
        return BodyWriter(_FORM, lambda scope: content)
    elif isinstance(data, TemplatedArray):
        raise ValueError("a form's data is a mapping of fields or a text")

    def write(scope: Scope) -> bytes:
        pairs: list[str] = []
        for name, get in fields:
            value = get(scope)
            if isinstance(value, Missing) or value is None:
                continue
            for item in value if isinstance(value, list) else (value,):
                pairs.append(f"{quote_plus(name)}={quote_plus(as_text(item))}")
        return "&".join(pairs).encode()

    return BodyWriter(_FORM, write)


def _constant(value: JsonValue) -> Getter:
    return lambda scope: value


def _compile_text(template: Template, compiler: Compiler) -> Callable[[Scope], bytes]:
    pieces = [
        part if isinstance(part, str) else compiler.reference(part, Need())
        for part in template.parts
    ]

    def write(scope: Scope) -> bytes:
        texts: list[str] = []
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(piece)
                continue
            value = piece(scope)
            texts.append("" if isinstance(value, Missing) else quote_plus(as_text(value)))
        return "".join(texts).encode()

    return write
