"""Reads a request's body within limits, and refuses what is no plain JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.types import Receive

from naftiko_runtime.failures import FailureKind, fail

BODY_LIMIT: Final = 4 * 2**20
"""Bytes; the limit that the MCP library sets as well."""


def is_encoded(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a body is compressed or otherwise encoded (RFC 9110, section 8.4)."""
    return any(
        name == b"content-encoding" and value.strip().lower() != b"identity"
        for name, value in headers
    )


async def read_body(
    headers: Sequence[tuple[bytes, bytes]],
    receive: Receive,
    limit: int = BODY_LIMIT,
    *,
    may_be_encoded: bool = False,
) -> bytes | None:
    """The body, empty where the caller sent none; None when the caller hung up meanwhile.

    Raises CallFailed: too large (at the announced length, or as soon as more has come),
    compressed (a small bomb could not be told from a large body) unless it `may_be_encoded`, or
    of another media type than JSON. A body without a media type is taken for JSON.
    """
    if not may_be_encoded and is_encoded(headers):
        raise fail(
            FailureKind.UNSUPPORTED_MEDIA_TYPE,
            "compressed request bodies are not accepted - send the body as it is,"
            " without Content-Encoding",
        )
    media_type = b""
    for name, value in headers:
        if name == b"content-type":
            media_type = value
        elif name == b"content-length" and value.isdigit() and int(value[:20]) > limit:
            raise _too_large(limit)
    body = await _receive_all(receive, limit)
    if body and media_type and not is_json(media_type):
        shown = media_type[:100].decode("ascii", "replace")
        raise fail(
            FailureKind.UNSUPPORTED_MEDIA_TYPE,
            f'request bodies of type "{shown}" are not accepted'
            ' - send JSON as "application/json" or a type that ends in "+json"',
        )
    return body


async def _receive_all(receive: Receive, limit: int) -> bytes | None:
    message = await receive()
    body: bytes = message.get("body", b"")
    parts: list[bytes] = [body]
    size = len(body)
    while message["type"] == "http.request":
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return body if len(parts) == 1 else b"".join(parts)
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    return None


def is_json(media_type: bytes | str) -> bool:
    """Whether a Content-Type means JSON, parameters aside (RFC 8259, RFC 6839)."""
    text = media_type if isinstance(media_type, str) else media_type.decode("latin-1")
    essence = text.partition(";")[0].strip().lower()
    return essence == "application/json" or (
        essence.startswith("application/") and essence.endswith("+json")
    )


def _too_large(limit: int) -> Exception:
    return fail(
        FailureKind.BODY_TOO_LARGE,
        f"the request body is larger than {limit} bytes, the most allowed",
    )
