"""Reads an upstream's answer, within bounds."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

import httpx2

from naftiko_runtime.consumes.compression import CompressionError, Decompressor, decompressor
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import FailureKind

MAX_HEADERS: Final = 256
"""How many header fields an answer may have; their total size is bounded by the HTTP library, to
about 100 KiB."""


class UnusableAnswer(Exception):
    """An answer came but cannot be used; the message is a clause with `the answer` as subject,
    and a remedy where there is one."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


async def read_answer(response: httpx2.Response, limit: int) -> UpstreamResponse:
    """The whole answer, its body decompressed to at most `limit` bytes. Where it was compressed,
    the headers that described its compressed form are left out. Raises UnusableAnswer."""
    if response.status_code < 200:
        raise UnusableAnswer(FailureKind.UPSTREAM_BROKEN, "switches to a protocol not asked for")
    raw_headers = response.headers.raw
    if len(raw_headers) > MAX_HEADERS:
        raise UnusableAnswer(FailureKind.UPSTREAM_BROKEN, f"has more than {MAX_HEADERS} headers")
    headers = [
        (key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in raw_headers
    ]
    try:
        inflate = decompressor(_joined(headers, "content-encoding"))
        body = await _read_body(response, inflate, limit)
    except CompressionError as error:
        raise UnusableAnswer(FailureKind.UPSTREAM_INVALID, f"is {error}") from error
    if inflate is not None:
        described = ("content-encoding", "content-length")
        headers = [(key, value) for key, value in headers if key not in described]
    return UpstreamResponse(response.status_code, headers, body)


def _joined(headers: list[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in headers if key == name]
    return ", ".join(values) or None


async def _read_body(response: httpx2.Response, inflate: Decompressor | None, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = received = 0
    stream = cast(httpx2.AsyncByteStream, response.stream)
    async with aclosing(cast(AsyncGenerator[bytes], aiter(stream))) as chunks:
        async for chunk in chunks:
            received += len(chunk)
            if received > limit:
                raise _too_large(limit)
            if inflate is None:
                pieces.append(chunk)
                continue
            for piece in inflate.feed(chunk):
                size += len(piece)
                if size > limit:
                    raise _too_large(limit)
                pieces.append(piece)
    if inflate is not None:
        inflate.finish()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(limit: int) -> UnusableAnswer:
    return UnusableAnswer(
        FailureKind.UPSTREAM_TOO_LARGE,
        f"is larger than {limit / 2**20:g} MiB - ask for less, with a filter or a page at a time",
    )
