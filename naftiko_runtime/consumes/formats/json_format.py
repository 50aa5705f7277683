"""JSON answers."""

from __future__ import annotations

from naftiko_runtime.json_codec import decode_json
from naftiko_runtime.json_values import JsonValue


def decode(body: bytes, charset: str | None) -> JsonValue:
    """JSON is UTF-8 whatever the charset says (RFC 8259, section 8.1). Raises ValueError."""
    return decode_json(body)
