"""A listener on a real socket: what it refuses to read, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from naftiko_runtime.exposes.mcp.application import McpApplication
from naftiko_runtime.serving import guarded_protocol
from naftiko_runtime.serving.listener import Listener
from naftiko_runtime.serving.sockets import open_socket

pytestmark = pytest.mark.anyio

SECONDS = 60


async def echo_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and answers with its length."""
    length = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        more = message["more_body"]
    await answer(send, str(length).encode())


async def answer(send: Send, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def listening(application: ASGIApp = echo_length) -> AsyncIterator[Listener]:
    listener = Listener(open_socket("127.0.0.1", 0, 8080))
    listener.application.mcp = cast(McpApplication, application)
    await listener.accept()
    try:
        yield listener
    finally:
        await listener.stop(0, asyncio.Event())


def connections_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, guarded_protocol.GuardedProtocol) for each in gc.get_objects())


class Caller:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the next answer, whose body is read too."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await self.reader.readexactly(int(line.partition(b":")[2]))
        return int(head.split()[1])

    async def is_closed(self) -> bool:
        """Waits for the other side to hang up."""
        try:
            return await asyncio.wait_for(self.reader.read(), SECONDS) == b""
        except ConnectionResetError:
            return True

    async def end(self, how: str) -> None:
        """Hangs up, or has the system say that the connection is no more ("reset")."""
        if how == "reset":
            at_once = struct.pack("ii", 1, 0)
            opened: socket.socket = self.writer.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            self.writer.transport.abort()
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def wait_until_closed(self) -> None:
        """Whatever comes before the end; a reset may overtake the last answer."""
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(self.reader.read(), SECONDS)


@asynccontextmanager
async def calling(listener: Listener) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


async def status_of(request: bytes) -> int:
    async with listening() as listener, calling(listener) as caller:
        await caller.send(request)
        return await caller.status()


async def test_requests_on_one_connection_are_answered_in_turn() -> None:
    async with listening() as listener, calling(listener) as caller:
        for body in (b"", b"abc"):
            await caller.send(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            assert await caller.status() == 200


async def test_many_requests_on_one_connection_do_not_count_together() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000 + b"\r\n\r\n"
    async with listening() as listener, calling(listener) as caller:
        for _ in range(5):
            await caller.send(head)
            assert await caller.status() == 200


async def test_t9_a_head_beyond_the_limit_is_refused() -> None:
    one_header = b"A: " + b"a" * guarded_protocol.HEAD_BYTES + b"\r\n"
    many = b"".join(b"A%d: a\r\n" % n for n in range(guarded_protocol.HEAD_COUNT + 1))
    for head in (one_header, many):
        assert await status_of(b"GET / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n") == 431


async def test_t9_a_header_that_never_ends_is_not_collected() -> None:
    async with listening() as listener, calling(listener) as caller:
        await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):  # noqa: PT012
            for _ in range(1000):
                await caller.send(b"a" * 65536)
            await caller.status()


async def test_t9_a_path_beyond_the_limit_is_refused() -> None:
    path = b"/" + b"a" * guarded_protocol.HEAD_BYTES
    assert await status_of(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n") == 431


async def test_t9_a_head_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_protocol, "HEAD_SECONDS", 0.05)
    async with listening() as listener:
        async with calling(listener) as silent:
            assert await silent.is_closed()
        async with calling(listener) as slow:
            await slow.send(b"GET / HTTP/1.1\r\nHost:")
            assert await slow.status() == 408
            assert await slow.is_closed()


async def test_t9_the_deadline_of_a_head_also_counts_on_a_used_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening() as listener, calling(listener) as caller:
        await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await caller.status() == 200
        monkeypatch.setattr(guarded_protocol, "HEAD_SECONDS", 0.05)
        await caller.send(b"GET / HTTP/1.1\r\n")
        assert await caller.status() == 408


async def test_t9_a_body_that_stops_coming_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_protocol, "BODY_SECONDS", 0.05)
    async with listening() as listener, calling(listener) as caller:
        await caller.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        assert await caller.status() == 408
        assert await caller.is_closed()


async def test_t9_a_body_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_protocol, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(guarded_protocol, "BODY_BYTES_PER_SECOND", 10_000)

    async def trickle(caller: Caller) -> None:
        while not caller.writer.is_closing():
            caller.writer.write(b"a")
            await asyncio.sleep(0.005)

    async with listening() as listener, calling(listener) as caller:
        await caller.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        trickling = asyncio.create_task(trickle(caller))
        await caller.wait_until_closed()
        trickling.cancel()


async def test_t9_a_call_may_take_longer_than_its_body_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guarded_protocol, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(guarded_protocol, "HEAD_SECONDS", 0.2)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.5)
        await echo_length(scope, receive, send)

    async with listening(slow) as listener, calling(listener) as caller:
        await caller.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
        assert await caller.status() == 200


async def test_t9_a_thousand_idle_connections_do_not_starve_others() -> None:
    async with listening() as listener:
        idle = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(1000)]
        async with calling(listener) as caller:
            await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await caller.status() == 200
        for _, writer in idle:
            writer.close()


@pytest.mark.parametrize("how", ["closed", "reset"])
async def test_t9_a_connection_that_has_ended_is_not_kept_in_memory(how: str) -> None:
    async with listening() as listener:
        for _ in range(20):
            async with calling(listener) as caller:
                await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert await caller.status() == 200
                await caller.end(how)
        async with asyncio.timeout(SECONDS):
            while connections_in_memory():
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
    ],
)
async def test_t8_a_request_that_two_parsers_could_read_differently_is_refused(
    request_head: bytes,
) -> None:
    assert await status_of(request_head) == 400


async def test_a_request_to_upgrade_is_answered_as_an_ordinary_one() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert await status_of(head) == 200


async def test_answers_carry_a_date_and_no_name_of_a_server() -> None:
    async with listening() as listener, calling(listener) as caller:
        await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head = (await caller.reader.readuntil(b"\r\n\r\n")).lower()
        assert b"\r\ndate: " in head
        assert b"\r\nserver:" not in head


async def test_a_call_in_flight_is_finished_before_the_listener_has_stopped() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await may_end.wait()
        await answer(send, b"done")

    async with listening(held) as listener, calling(listener) as caller:
        port = listener.port
        await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await begun.wait()
        stopping = asyncio.create_task(listener.stop(SECONDS, asyncio.Event()))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert not stopping.done()
        may_end.set()
        assert await caller.status() == 200
        await stopping


@pytest.mark.parametrize("grace", [0.05, SECONDS])
async def test_a_call_that_outlasts_the_grace_period_is_told_that_it_may_have_been_executed(
    grace: float,
) -> None:
    begun, hurry = asyncio.Event(), asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with listening(endless) as listener, calling(listener) as caller:
        await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await begun.wait()
        if grace == SECONDS:
            hurry.set()
        await listener.stop(grace, hurry)
        answered = await caller.reader.read()
        assert answered.startswith(b"HTTP/1.1 503 ")
        assert b"may have been executed" in answered
