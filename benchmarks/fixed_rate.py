"""Sends requests at a fixed rate and times each from the moment when it was due.

wrk sends the next request when an answer has come, so a pause of the server delays few requests
and hardly shows; here, whatever should have been sent in the pause counts as late, as it is for
callers who do not wait for each other.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from benchmarks.wrk import Request

_TICK = 0.0005
_LAST_SECONDS = 5.0


@dataclass(slots=True)
class Timed:
    """The calls of a run: milliseconds from when each was due to its whole answer, and how many
    were refused, cut off or not answered at all."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0

    def percentile(self, share: float) -> float:
        if not self.milliseconds:
            raise RuntimeError("no call was answered")
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def run_at(
    port: int,
    request: Request,
    rate: float,
    seconds: float,
    *,
    connections: int = 64,
    meanwhile: Callable[[], Awaitable[None]] | None = None,
) -> Timed:
    """Sends `rate` requests a second to a port of this machine; `meanwhile` runs beside that."""
    load = _Load(request.encoded(port))
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port)
    beside = asyncio.ensure_future(meanwhile()) if meanwhile else None
    begun = time.perf_counter()
    total = int(rate * seconds)
    while load.sent < total:
        due = min(total, int((time.perf_counter() - begun) * rate) + 1)
        while load.sent < due:
            load.send(begun + load.sent / rate)
        await asyncio.sleep(_TICK)
    end = time.perf_counter() + _LAST_SECONDS
    while load.is_waiting and time.perf_counter() < end:  # noqa: ASYNC110 - nothing to gain here
        await asyncio.sleep(0.01)
    if beside is not None:
        await beside
    load.close()
    load.timed.failed = total - len(load.timed.milliseconds)
    return load.timed


class _Load:
    """The connections of a run, those that are idle and the requests that wait for one."""

    def __init__(self, encoded: bytes) -> None:
        self.encoded = encoded
        self.timed = Timed()
        self.sent = 0
        self.idle: list[_Connection] = []
        self.all: list[_Connection] = []
        self._late: deque[float] = deque()

    @property
    def is_waiting(self) -> bool:
        return bool(self._late) or any(each.due is not None for each in self.all)

    def send(self, due: float) -> None:
        self.sent += 1
        if self.idle:
            self.idle.pop().send(due)
        else:
            self._late.append(due)

    def done(self, connection: _Connection) -> None:
        if self._late:
            connection.send(self._late.popleft())
        else:
            self.idle.append(connection)

    def close(self) -> None:
        for connection in self.all:
            connection.transport.abort()


class _Connection(asyncio.Protocol):
    """Reads answers that have a Content-Length; an answer that is not 200, or of another kind,
    ends it, and its request counts as failed."""

    transport: asyncio.Transport

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = b""
        self.due: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by class
        self._load.all.append(self)
        self._load.idle.append(self)

    def send(self, due: float) -> None:
        self.due = due
        self.transport.write(self._load.encoded)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or self.due is None:
            return
        length = _content_length(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            self.transport.abort()
        elif len(body) >= length:
            self._load.timed.milliseconds.append((time.perf_counter() - self.due) * 1000)
            self._buffer, self.due = b"", None
            self._load.done(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.due = None
        if self in self._load.idle:
            self._load.idle.remove(self)


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None
