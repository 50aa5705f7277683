"""One connection to an upstream: carries a request, reads its answer, stays for the next."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from math import inf
from typing import Final, Protocol, cast

from naftiko_runtime.consumes.http1.answer import AnswerReader
from naftiko_runtime.consumes.http1.endings import (
    AnsweringTooSlow,
    BrokenOff,
    NoAnswer,
    NoConnection,
    UnusableAnswer,
)

IDLE_SECONDS: Final = 4.0
"""How long an unused connection stays open: less than the 5 s after which common servers hang up,
so that a request is seldom sent into a connection that is just being closed."""

_SAFE_PART: Final = 0.8
"""How much of the time that an upstream says it waits is used."""
_ONE_WRITE: Final = 64 * 1024
"""Bodies up to so many bytes are copied behind the head and written with it."""
_PIECE: Final = 256 * 1024
_CLOCK_SECONDS: Final = 0.001
"""The finest step that every event loop's timers can tell."""


class Owner(Protocol):
    """Who is told what becomes of a connection that was adopted."""

    def released(self, connection: Connection) -> None:
        """It has had its answer and may be used for another request."""
        ...

    def gone(self, connection: Connection) -> None:
        """It cannot be used any more. Said once."""
        ...


class Taker(Protocol):
    """Who takes an answer: whole, or as it comes."""

    def fed(self, reader: AnswerReader) -> None:
        """More of the answer has come, perhaps all of it. Raises UnusableAnswer."""
        ...

    def fail(self, error: NoAnswer) -> None:
        """There is no more to come, and it was not all."""
        ...


class Connection(asyncio.Protocol):
    """Made by `connect`, which hands it to a pool; the pool and the one call that uses it are all
    that know it. Ends by `close` or `abort`, or when the upstream ends it.

    `is_used`: at least one answer has come over it.
    """

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_drained",
        "_has_more",
        "_is_paused",
        "_owner",
        "_readable",
        "_reader",
        "_taker",
        "_transport",
        "_unsent",
        "_until",
        "is_closed",
        "is_used",
        "loop",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._reader = AnswerReader()
        self._owner: Owner | None = None
        self._transport: asyncio.Transport | None = None
        self._readable: Callable[[], bool] = _always
        self._taker: Taker | None = None
        self._unsent: memoryview | None = None
        self._has_more = False
        self._is_paused = False
        self._drained: asyncio.Future[None] | None = None
        self._until = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self.is_closed = False
        self.is_used = False

    def adopt(self, owner: Owner) -> None:
        """Raises NoConnection when it has ended already."""
        if self.is_closed:
            raise NoConnection
        self._owner = owner

    def is_fresh(self) -> bool:
        """Whether an idle connection may carry a request: it is open, not about to expire, and
        nothing has come on it since its last answer, neither bytes (they would be read as the next
        answer) nor an end. The socket itself is looked at, as the loop may not have got to it."""
        transport = self._transport
        return not (
            self.is_closed
            or transport is None
            or transport.is_closing()
            or self._until <= self.loop.time()
            or self._readable()
        )

    # What calls do

    def begin(
        self,
        taker: Taker,
        head: bytes,
        content: bytes | None,
        deadline: float,
        limit: float,
        *,
        is_head: bool,
        is_streamed: bool = False,
        has_more: bool = False,
    ) -> None:
        """Sends a request, whose answer `taker` gets; `deadline` is in the loop's time, `limit` is
        the largest body. `is_streamed`: the body is taken as it comes. `has_more`: more of the
        request's body follows with `send_more`. Raises NoConnection where there is none any
        more."""
        transport = self._transport
        if self.is_closed or transport is None or transport.is_closing():
            self.abort()
            raise NoConnection
        self._taker = taker
        self._has_more = has_more
        self._reader.begin(limit, is_head=is_head, is_streamed=is_streamed)
        self.watch(deadline)
        if not content:
            transport.write(head)
        elif len(content) <= _ONE_WRITE:
            transport.write(head + content)
        else:
            transport.write(head)
            self._unsent = memoryview(content)
            self._push()

    async def send_more(self, taker: Taker, data: bytes) -> None:
        """Sends a piece of the body, when the upstream is ready for it; nothing once `taker` has
        its answer or has failed."""
        if self._taker is taker and self._transport is not None:
            self._transport.write(data)
            if self._is_paused:
                self._drained = self.loop.create_future()
                await self._drained

    def end_request(self, taker: Taker) -> None:
        """The body that `has_more` announced is complete."""
        if self._taker is taker:
            self._has_more = False

    def give_up(self, taker: Taker) -> None:
        """Ends the connection, unless the answer has come whole meanwhile."""
        if self._taker is taker:
            self.abort()

    def hold_back(self) -> None:
        """Reads no more until `go_on`, so that the upstream has to wait."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def watch(self, until: float) -> None:
        """Ends the connection at a time (the loop's), unless another is set before; never if it is
        infinite. The alarm that is set already is left alone if it rings earlier: it looks at the
        time again."""
        self._until = until
        if self._alarm is not None:
            if self._alarm_at <= until:
                return
            self._alarm.cancel()
            self._alarm = None
        if until < inf:
            self._alarm = self.loop.call_at(until, self._ring)
            self._alarm_at = until

    def close(self) -> None:
        """Ends an idle connection properly."""
        if not self.is_closed:
            transport = self._transport
            self._leave()
            if transport is not None:
                transport.close()

    def abort(self) -> None:
        """Ends it at once; a call that waits for its answer fails."""
        self._fail(BrokenOff(begun=self._reader.begun) if self._taker is not None else None)

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._readable = _watch_readable(sock.fileno())

    def data_received(self, data: bytes) -> None:
        taker = self._taker
        if taker is None:
            self.abort()  # nobody asked
            return
        reader = self._reader
        try:
            reader.feed(data)
            taker.fed(reader)
        except UnusableAnswer as error:
            self._fail(error)
            return
        if reader.complete:
            self._finish()

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        self._transport = None
        self._readable = _always
        self._reader.close()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._push()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # How an exchange goes on

    def _push(self) -> None:
        """Writes what is left of the body, as far as the socket takes it."""
        while self._unsent and not self._is_paused and self._transport is not None:
            piece, self._unsent = self._unsent[:_PIECE], self._unsent[_PIECE:]
            self._transport.write(piece)

    def _finish(self) -> None:
        """The answer is complete. The connection stays unless the upstream does not want it to,
        sent more than it should, or has not been sent the whole request."""
        reader, transport = self._reader, self._transport
        self._taker = None
        self.is_used = True
        if self.is_closed or transport is None:
            return
        stays = reader.keep_alive and not reader.excess
        has_more = self._has_more or self._unsent
        if not stays or has_more or transport.get_write_buffer_size():
            self.abort()
            return
        self._unsent = None
        idle = IDLE_SECONDS
        if reader.idle_seconds is not None:
            idle = min(idle, reader.idle_seconds * _SAFE_PART)
        self.watch(self.loop.time() + idle)
        if self._owner is not None:
            self._owner.released(self)

    def _fail(self, error: NoAnswer | None) -> None:
        """Ends the connection at once; whoever waits for an answer is told the error."""
        transport, taker = self._transport, self._taker
        self._leave()
        if transport is not None:
            transport.abort()
        if taker is not None and error is not None:
            taker.fail(error)

    def _ended(self, error: Exception | None) -> None:
        """The upstream has ended the connection, in order if there is no error."""
        taker, reader = self._taker, self._reader
        if taker is None:
            self._leave()
            return
        if error is None:
            reader.feed_end()
            if reader.complete:
                try:
                    taker.fed(reader)
                except UnusableAnswer as unusable:
                    self._fail(unusable)
                else:
                    self._finish()
                return
        broken = BrokenOff(begun=reader.begun)
        broken.__cause__ = error
        self._fail(broken)

    def _leave(self) -> None:
        """Counts as gone from here on."""
        if self.is_closed:
            return
        self.is_closed = True
        self._taker = self._unsent = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.gone(self)

    def _ring(self) -> None:
        self._alarm = None
        if self._until > self.loop.time() + _CLOCK_SECONDS:
            self.watch(self._until)
        elif self._taker is None:
            self.close()
        else:
            self._fail(AnsweringTooSlow())


def _always() -> bool:
    return True


def _watch_readable(number: int) -> Callable[[], bool]:
    """Tells at any moment whether a socket has anything to read, its end included."""
    if not hasattr(select, "poll"):
        return lambda: bool(select.select([number], [], [], 0)[0])
    poll = select.poll()
    poll.register(number, select.POLLIN)

    return lambda: bool(poll.poll(0))
