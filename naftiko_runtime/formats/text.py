"""Bytes to text, for the formats that are text."""

from __future__ import annotations


def decode_text(body: bytes, charset: str | None) -> str:
    """Text in the charset of its Content-Type, UTF-8 (a byte order mark aside) without one.
    Raises ValueError."""
    try:
        return body.decode(charset or "utf-8-sig").removeprefix("\ufeff")
    except LookupError:
        raise ValueError(f'its character set "{charset}" is not known') from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not {charset or 'UTF-8'} text") from None
