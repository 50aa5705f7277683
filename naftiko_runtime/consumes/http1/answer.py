"""Puts an upstream's answer together, within bounds, out of what the HTTP parser finds."""

from __future__ import annotations

import re
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from naftiko_runtime.consumes.compression import CompressionError, Decompressor, decompressor
from naftiko_runtime.consumes.http1.endings import UnusableAnswer
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import FailureKind

MAX_HEADERS: Final = 256
"""How many header fields an answer may have, and how many more after its body."""
MAX_HEAD_BYTES: Final = 100 * 1024
"""How much may come without any of it being part of a body: heads, chunk sizes, trailers."""

_BODILESS: Final = frozenset({204, 304})
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_DESCRIBED: Final = frozenset({"content-encoding", "content-length"})
"""Headers that say something about the compressed form of a body."""
_KEEP_ALIVE: Final = re.compile(r"(?:^|[,;\s])timeout\s*=\s*([0-9]{1,9})", re.ASCII | re.IGNORECASE)
_VERSIONS: Final = frozenset({"1.0", "1.1"})
_START: Final = b"HTTP/1."
_REMEMBERED: Final = 4096

_known_names: dict[bytes, str] = {}


class AnswerReader:
    """Reads the answers on one connection, one after the other; `begin` comes before each.

    `complete`: the whole answer has come. `begun`: its head has. `keep_alive`: it says that the
    connection may be used again, for `idle_seconds` at most if that is not None. `excess`: more
    came than the answer.
    """

    __slots__ = (
        "_fault",
        "_fruitless",
        "_headers",
        "_inflate",
        "_interim",
        "_is_chunked",
        "_is_head",
        "_is_spent",
        "_is_streamed",
        "_limit",
        "_parser",
        "_pieces",
        "_raw_headers",
        "_received",
        "_size",
        "_status",
        "_trailers",
        "_until_close",
        "begun",
        "complete",
        "excess",
        "idle_seconds",
        "keep_alive",
    )

    def __init__(self) -> None:
        self._is_spent = True

    def begin(self, limit: float, *, is_head: bool, is_streamed: bool = False) -> None:
        """`limit` bounds the body, decompressed and not, in bytes; `is_head`: the request's method
        is HEAD, so that its answer has no body whatever it says; `is_streamed`: the body is taken
        as it comes, compressed or not."""
        if self._is_spent:
            self._parser: HttpResponseParser | None = _new_parser(self)
            self._is_spent = False
        self._limit = limit
        self._is_head = is_head
        self._is_streamed = is_streamed
        self.begun = self.complete = self.excess = self.keep_alive = False
        self._interim = self._until_close = self._is_chunked = False
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._received = self._size = self._fruitless = self._trailers = 0
        self._inflate: Decompressor | None = None
        self._fault: UnusableAnswer | None = None
        self.idle_seconds: int | None = None

    def feed(self, data: bytes) -> None:
        """Raises UnusableAnswer."""
        if not self._fruitless and not self.begun and not data.startswith(_START[: len(data)]):
            raise self._improper()
        received = self._received
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self.complete:
                raise self._fault or self._improper() from None
            self.excess = True
        if self.complete:
            return
        if self._received != received:
            self._fruitless = 0
            return
        self._fruitless += len(data)
        if self._fruitless > MAX_HEAD_BYTES:
            raise self._improper(f"has headers of more than {MAX_HEAD_BYTES // 1024} KiB")

    def feed_end(self) -> None:
        """The upstream says no more; that completes an answer without a length."""
        self.complete = self.complete or (self.begun and self._until_close)

    def response(self) -> UpstreamResponse:
        """The complete answer, its body decompressed. Where it was compressed, the headers that
        described its compressed form are left out. Can be asked for once: an idle connection is not
        to keep the last body that came over it. Raises UnusableAnswer."""
        headers, pieces = self._headers, self.take()
        if self._inflate is not None:
            try:
                self._inflate.finish()
            except CompressionError as error:
                raise _not_inflated(error) from error
            headers = [pair for pair in headers if pair[0] not in _DESCRIBED]
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return UpstreamResponse(self._status, headers, body)

    def head(self) -> tuple[int, list[tuple[str, str]]]:
        """Status and headers, once `begun`."""
        return self._status, self._headers

    def take(self) -> list[bytes]:
        """The pieces of the body that have come since the last time."""
        pieces = self._pieces
        if pieces:
            self._pieces = []
        return pieces

    def close(self) -> None:
        """Lets go of the parser, which holds on to this reader."""
        self._parser = None
        self._is_spent = True

    # What the parser calls

    def on_message_begin(self) -> None:
        if self.complete:
            self.excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.begun:
            self._trailers += 1
            if self._trailers > MAX_HEADERS:
                self._stop(self._improper(f"has more than {MAX_HEADERS} trailers"))
            return
        self._raw_headers.append((name, value))
        if len(self._raw_headers) > MAX_HEADERS:
            self._stop(self._improper(f"has more than {MAX_HEADERS} headers"))

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        status = parser.get_status_code()
        if self.complete:
            return
        if status < 200:
            self._interim = True
            if status == 101:
                self._stop(self._improper("switches to a protocol not asked for"))
            if status < 100:
                self._stop(self._improper())
            return
        if parser.get_http_version() not in _VERSIONS:
            self._stop(self._improper())
        self._status = status
        self._read_headers()
        self.begun = True
        if self._is_head:
            # The parser would wait for the body that the headers describe. What it takes for one
            # shows itself, but for the sizes of chunks.
            self.complete = self._is_spent = True
            self.keep_alive = not self._is_chunked and parser.should_keep_alive()

    def on_body(self, chunk: bytes) -> None:
        if self.complete:
            self.excess = True
            return
        self._received += len(chunk)
        if self._received > self._limit:
            self._stop(_too_large(self._limit))
        if self._inflate is None:
            self._pieces.append(chunk)
            return
        try:
            for piece in self._inflate.feed(chunk):
                self._size += len(piece)
                if self._size > self._limit:
                    self._stop(_too_large(self._limit))
                self._pieces.append(piece)
        except CompressionError as error:
            self._stop(_not_inflated(error))

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            self._raw_headers.clear()
        elif not self.complete:
            self.complete = True
            assert self._parser is not None
            self.keep_alive = self._parser.should_keep_alive()

    # What the headers say

    def _read_headers(self) -> None:
        headers = self._headers
        framed = False
        codings: list[str] = []
        encodings: list[str] = []
        for raw_name, raw_value in self._raw_headers:
            name = _known_names.get(raw_name) or _learn_name(raw_name)
            value = raw_value.decode("latin-1").strip(" \t")
            headers.append((name, value))
            if name in _FRAMING:
                framed = True
                if name == "transfer-encoding":
                    codings.append(value)
            elif name == "content-encoding":
                encodings.append(value)
            elif name == "keep-alive":
                said = _KEEP_ALIVE.search(value)
                self.idle_seconds = int(said[1]) if said else None
        if codings:
            self._is_chunked = True
            if ", ".join(codings).lower() != "chunked":
                self._stop(self._improper())
        self._until_close = not framed and self._status not in _BODILESS
        if encodings and not self._is_streamed:
            try:
                self._inflate = decompressor(", ".join(encodings))
            except CompressionError as error:
                self._stop(_not_inflated(error))

    def _improper(self, what: str = "is not proper HTTP") -> UnusableAnswer:
        return UnusableAnswer(FailureKind.UPSTREAM_BROKEN, what, begun=self.begun)

    def _stop(self, fault: UnusableAnswer) -> None:
        """Ends the parser's work; it does not pass exceptions on, so `feed` finds the fault."""
        self._fault = fault
        raise fault


def _new_parser(reader: AnswerReader) -> HttpResponseParser:
    parser = HttpResponseParser(reader)
    # What RFC 9112 lets a recipient accept (sections 2.2 and 7.1.1), as some servers send it.
    parser.set_dangerous_leniencies(
        lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser


def _learn_name(raw: bytes) -> str:
    name = raw.decode("latin-1").lower()
    if len(_known_names) >= _REMEMBERED:
        _known_names.clear()
    _known_names[raw] = name
    return name


def _not_inflated(error: CompressionError) -> UnusableAnswer:
    return UnusableAnswer(FailureKind.UPSTREAM_INVALID, f"is {error}")


def _too_large(limit: float) -> UnusableAnswer:
    return UnusableAnswer(
        FailureKind.UPSTREAM_TOO_LARGE,
        f"is larger than {limit / 2**20:g} MiB - ask for less, with a filter or a page at a time",
    )
