"""JSON answers (RFC 8259)."""

from __future__ import annotations

from naftiko_runtime.formats.text import other_charset
from naftiko_runtime.json_codec import decode_json
from naftiko_runtime.json_values import JsonValue


def read_json(body: bytes, charset: str | None) -> JsonValue:
    """The exact value of a document. It is UTF-8 by its RFC, unless another charset is declared
    that is really in use. Raises ValueError."""
    name = other_charset(charset)
    if name is None:
        return decode_json(body)
    try:
        text = body.decode(name)
    except UnicodeDecodeError as error:
        raise ValueError(f"it does not hold the charset {name} that it declares") from error
    return decode_json(text)
