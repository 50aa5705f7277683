"""Percent-encoding, read strictly: what is not valid UTF-8 in valid escapes is refused.

Lenient decoders turn `%ff` into a replacement character, and a value that a caller never sent
would travel on to the upstream.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

_SEGMENT_CHARACTERS: Final = "!$&'()*+,;=:@~"
"""What a path segment may hold as it is (RFC 3986, pchar) though `quote` would encode it."""
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def decode_percent(text: str) -> str:
    """The text that percent-encoded text stands for (RFC 3986, UTF-8). Raises ValueError."""
    if _BROKEN_ESCAPE.search(text):
        raise ValueError('a "%" is not followed by two hexadecimal digits')
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the percent-encoded bytes are not UTF-8") from None


def decode_utf8(raw: bytes) -> str:
    """Bytes of a request line as text. Raises ValueError."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("the bytes are not UTF-8") from None


def encode_segment(text: str) -> str:
    """Literal text as it stands in a path."""
    return quote(text, safe=_SEGMENT_CHARACTERS)
