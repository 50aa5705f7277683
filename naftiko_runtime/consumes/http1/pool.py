"""The connections to one upstream: opened when needed, used one call at a time, bounded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from naftiko_runtime.consumes.http1.connection import Connection
from naftiko_runtime.consumes.http1.endings import AllBusy, NoConnection

Connect: TypeAlias = Callable[[float], Awaitable[Connection]]
"""Opens a connection before a deadline, in the loop's time. Raises NoConnection,
ConnectingTooSlow."""


class Pool:
    """At most `size` connections to one origin, all opened in the same way; used from one event
    loop. A call that finds them all busy waits its turn."""

    __slots__ = ("_busy", "_connect", "_idle", "_is_closed", "_places", "_size", "_waiting")

    def __init__(self, connect: Connect, size: int) -> None:
        self._connect = connect
        self._size = size
        self._places = 0  # taken: by connections, and by those that are being opened
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._waiting: OrderedDict[asyncio.Future[Connection | None], None] = OrderedDict()
        self._is_closed = False

    def take(self) -> Connection | None:
        """An idle connection, the one that was used last if it is still good."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            self._busy.add(connection)
            if connection.is_fresh():
                return connection
            connection.close()
        return None

    async def obtain(self, deadline: float) -> Connection:
        """A connection, when there is one: an idle one, a new one, or one that another call has
        done with. Raises AllBusy at the deadline, NoConnection, ConnectingTooSlow."""
        while True:
            connection = self.take()
            if connection is None and self._places >= self._size:
                connection = await self._wait(deadline)
                if connection is None:
                    return await self._open(deadline)
                if not connection.is_fresh():
                    connection.close()
                    continue
            if connection is not None:
                return connection
            self._places += 1
            return await self._open(deadline)

    async def _open(self, deadline: float) -> Connection:
        """Opens a connection in a place that is taken for it."""
        try:
            connection = await self._connect(deadline)
            if self._is_closed:
                connection.abort()
                raise NoConnection
            connection.adopt(self)
        except BaseException:
            self._give_place()
            raise
        self._busy.add(connection)
        return connection

    async def _wait(self, deadline: float) -> Connection | None:
        """A connection, or None when there is a place to open one."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiting[waiter] = None
        alarm = loop.call_at(deadline, self._give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiting.pop(waiter, None)
            elif waiter.exception() is None:
                self._pass_on(waiter.result())
            raise
        finally:
            alarm.cancel()

    def _give_up(self, waiter: asyncio.Future[Connection | None]) -> None:
        if waiter in self._waiting:
            del self._waiting[waiter]
            if not waiter.done():
                waiter.set_exception(AllBusy())

    def _pass_on(self, given: Connection | None) -> None:
        """What was given to a call that does not want it any more goes to the next."""
        if given is None:
            self._give_place()
        elif not given.is_closed:
            self.released(given)

    def _give_place(self) -> None:
        """A place has become free."""
        waiter = self._next_waiter()
        if waiter is None:
            self._places -= 1
        else:
            waiter.set_result(None)

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiting:
            waiter, _ = self._waiting.popitem(last=False)
            if not waiter.done():
                return waiter
        return None

    # What connections say

    def released(self, connection: Connection) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        else:
            self._busy.discard(connection)
            self._idle.append(connection)

    def gone(self, connection: Connection) -> None:
        if connection in self._busy:
            self._busy.discard(connection)
        elif connection in self._idle:
            self._idle.remove(connection)
        self._give_place()

    # What the owner says

    def drop_idle(self) -> None:
        """Closes the connections that are not in use."""
        for connection in list(self._idle):
            connection.close()

    def close(self) -> None:
        """Ends all connections; calls in flight and waiting calls fail."""
        self._is_closed = True
        while (waiter := self._next_waiter()) is not None:
            waiter.set_exception(NoConnection())
        for connection in [*self._idle, *self._busy]:
            connection.abort()
