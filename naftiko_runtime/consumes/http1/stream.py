"""An answer that is passed on while it comes, to a request whose body may still be coming too."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from math import inf
from typing import Final

from naftiko_runtime.consumes.http1.answer import AnswerReader
from naftiko_runtime.consumes.http1.connection import Connection
from naftiko_runtime.consumes.http1.endings import NoAnswer

_MOST_HELD: Final = 256 * 1024
"""Bytes that wait here before the upstream has to."""
_LEAST_HELD: Final = 64 * 1024


class AnswerStream:
    """The answer to one request, whose connection ends with `close` unless all of it has come.

    `head` is a future of its status and headers; it and `chunks` raise NoAnswer.
    """

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop
        self.head: asyncio.Future[tuple[int, list[tuple[str, str]]]] = loop.create_future()
        self.head.add_done_callback(_note)
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._is_held_back = False
        self._is_complete = False
        self._error: NoAnswer | None = None
        self._news: asyncio.Future[None] | None = None

    def begin(self, head: bytes, deadline: float, *, is_head: bool, has_more: bool) -> None:
        """Sends the head of a request, whose body, if it `has_more`, follows with `send`."""
        self._connection.begin(
            self, head, None, deadline, inf, is_head=is_head, is_streamed=True, has_more=has_more
        )

    async def send(self, chunks: AsyncIterator[bytes], length: int | None, patience: float) -> None:
        """Sends the body of the request, in HTTP's chunks where it has no known `length`. The
        answer's head may take `patience` seconds from the last piece on; while a piece is waited
        for, the time stands still. Raises what `chunks` raises."""
        try:
            await self._send(chunks, length, patience)
        except BaseException:
            self.close()
            raise

    async def _send(
        self, chunks: AsyncIterator[bytes], length: int | None, patience: float
    ) -> None:
        left = length
        self._watch(inf)
        async for chunk in chunks:
            if not chunk:
                continue
            if left is not None:
                left -= len(chunk)
                if left < 0:
                    break
            else:
                chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
            self._watch(self._loop.time() + patience)
            await self._connection.send_more(self, chunk)
            self._watch(inf)
        if left:
            self.close()  # what came is not what was announced
            return
        self._watch(self._loop.time() + patience)
        if left is None:
            await self._connection.send_more(self, b"0\r\n\r\n")
        self._connection.end_request(self)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it is on the wire."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._held -= len(piece)
                if self._is_held_back and self._held <= _LEAST_HELD:
                    self._is_held_back = False
                    self._connection.go_on()
                yield piece
            if self._is_complete:
                return
            if self._error is not None:
                raise self._error
            self._news = self._loop.create_future()
            await self._news

    def close(self) -> None:
        """Ends the connection, unless the answer is complete."""
        self._connection.give_up(self)

    def _watch(self, until: float) -> None:
        if not self.head.done() and not self._error:
            self._connection.watch(until)

    # What the connection calls

    def fed(self, reader: AnswerReader) -> None:
        if reader.begun and not self.head.done():
            self._connection.watch(inf)
            self.head.set_result(reader.head())
        for piece in reader.take():
            self._pieces.append(piece)
            self._held += len(piece)
        self._is_complete = reader.complete
        if self._is_complete:
            if self._is_held_back:
                self._is_held_back = False
                self._connection.go_on()
        elif self._held > _MOST_HELD and not self._is_held_back:
            self._is_held_back = True
            self._connection.hold_back()
        self._tell()

    def fail(self, error: NoAnswer) -> None:
        self._error = error
        if not self.head.done():
            self.head.set_exception(error)
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def _note(head: asyncio.Future[tuple[int, list[tuple[str, str]]]]) -> None:
    """Whoever ends a call for another reason need not look at why there is no answer."""
    if not head.cancelled():
        head.exception()
