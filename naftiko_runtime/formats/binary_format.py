"""Answers that are bytes: pictures, archives, sound."""

from __future__ import annotations

import base64


def read_binary(body: bytes, charset: str | None) -> str:
    """The bytes in base64 (RFC 4648, section 4), the one way that JSON has for them."""
    return base64.b64encode(body).decode("ascii")
