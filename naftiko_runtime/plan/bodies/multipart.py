"""Multipart forms (RFC 7578): text fields and files."""

from __future__ import annotations

import re
import secrets

from naftiko_runtime.document.model import Literal, RequestBody, TemplatedArray
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.bodies.writer import BodyWriter
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.operation import Scope

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:;[ -~]*)?")
_ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}


def compile_multipart(body: RequestBody, compiler: Compiler) -> BodyWriter:
    """`data` is a list of parts `{name, value, filename, contentType}`. A part whose value nothing
    fills is left out; a list gives one part for each of its items.

    The boundary is drawn at load from 128 random bits. A value that holds it all the same is
    refused: callers can learn it from an upstream that echoes what it is sent.
    """
    data = body.data
    parts: list[Getter]
    if isinstance(data, TemplatedArray):
        parts = [compiler.value(item, Need()) for item in data.items]
    elif isinstance(data, Literal) and isinstance(data.value, list):
        parts = [_constant(item) for item in data.value]
    else:
        raise ValueError("a multipart form's data is a list of parts")
    boundary = f"naftiko-{secrets.token_hex(16)}"

    def write(scope: Scope) -> bytes:
        written: list[bytes] = []
        for part in parts:
            fields = part(scope)
            if not isinstance(fields, Missing) and isinstance(fields, dict):
                written.extend(_write_part(fields, boundary))
        if b"".join(written).count(boundary.encode()) > len(written):
            message = "a value holds the text that separates the parts of the form"
            raise fail(FailureKind.INVALID_INPUT, message)
        written.append(f"--{boundary}--\r\n".encode())
        return b"".join(written)

    return BodyWriter(f"multipart/form-data; boundary={boundary}", write)


def _constant(value: JsonValue) -> Getter:
    return lambda scope: value


def _write_part(fields: dict[str, JsonValue], boundary: str) -> list[bytes]:
    value = fields.get("value")
    if value is None:
        return []
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(fields["name"])}"'
    if fields.get("filename") is not None:
        head += f'; filename="{_quoted(fields["filename"])}"'
    content_type = fields.get("contentType")
    if content_type is None and fields.get("filename") is not None:
        content_type = "application/octet-stream"
    if content_type is not None:
        head += f"\r\nContent-Type: {_media_type(content_type)}"
    items = value if isinstance(value, list) else [value]
    return [f"{head}\r\n\r\n{as_text(item)}\r\n".encode() for item in items]


def _quoted(value: JsonValue) -> str:
    """A name as browsers write it: quotes and line breaks percent-encoded."""
    return re.sub(r'["\r\n]', lambda m: _ESCAPES[m.group()], as_text(value))


def _media_type(value: JsonValue) -> str:
    text = as_text(value)
    if not _MEDIA_TYPE.fullmatch(text):
        raise fail(
            FailureKind.INVALID_INPUT, '"contentType": expected a media type', field="contentType"
        )
    return text
