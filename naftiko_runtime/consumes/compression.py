"""Decompresses answers piece by piece, so that a small answer cannot become a large one unseen."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

ACCEPTED: Final = "gzip, deflate"
"""What to say in Accept-Encoding."""

_PIECE: Final = 64 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


class CompressionError(ValueError):
    """A compressed body is damaged or cut short, or compressed in a way that is not understood."""


class Decompressor(Protocol):
    """Used by one answer."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decompresses to, in pieces of at most 64 KiB, each made when asked for.
        Raises CompressionError."""
        ...

    def finish(self) -> None:
        """Raises CompressionError when the end of the compressed data has not been fed."""
        ...


def decompressor(encoding: str | None) -> Decompressor | None:
    """For the value of a Content-Encoding header (RFC 9110, section 8.4); None where the body is
    not compressed. Raises CompressionError for others, chains of several among them."""
    match (encoding or "identity").strip().lower():
        case "identity" | "":
            return None
        case "gzip" | "x-gzip":
            return _Gzip()
        case "deflate":
            return _Deflate()
    raise CompressionError("compressed in a way that was not asked for")


class _Gzip:
    """RFC 1952: one or more members, one after the other; zero bytes may pad the end."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = zlib.decompressobj(_GZIP)
            self._begun = True
            yield from _inflate(self._member, data)
            data = self._member.unused_data

    def finish(self) -> None:
        if self._begun and not self._member.eof:
            raise CompressionError("cut short")


class _Deflate:
    """RFC 9110, section 8.4.1.2: the zlib format, or bare deflate data, which some send."""

    def __init__(self) -> None:
        self._head = b""
        self._data: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._data is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            wrapped = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._data = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        if not self._data.eof:
            yield from _inflate(self._data, data)

    def finish(self) -> None:
        if self._head and not (self._data is not None and self._data.eof):
            raise CompressionError("cut short")


def _inflate(stream: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    try:
        while piece := stream.decompress(data, _PIECE):
            yield piece
            data = stream.unconsumed_tail
    except zlib.error as error:
        raise CompressionError("damaged") from error
