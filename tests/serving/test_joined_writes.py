"""The head of an answer leaves with the beginning of its body, unless that has to be waited for."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from starlette.types import Receive, Scope, Send

from naftiko_runtime.serving.joined_writes import JoinedWrites
from tests.serving.test_listener import SECONDS, answer, calling, listening

pytestmark = pytest.mark.anyio


class Recorder:
    """A transport that notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")


def joined(recorder: Recorder) -> JoinedWrites:
    return JoinedWrites(cast(asyncio.Transport, recorder), asyncio.get_running_loop())


async def test_a_head_and_a_body_are_one_write() -> None:
    recorder = Recorder()
    output = joined(recorder)
    output.write(b"head")
    output.write(b"body")
    output.write(b"more")
    await asyncio.sleep(0)
    assert recorder.done == [b"headbody", b"more"]


async def test_a_head_without_a_body_at_once_leaves_alone() -> None:
    recorder = Recorder()
    output = joined(recorder)
    output.write(b"head")
    await asyncio.sleep(0)
    assert recorder.done == [b"head"]
    output.write(b"body")
    assert recorder.done == [b"head", b"body"]


async def test_a_connection_is_not_closed_before_the_head_has_left() -> None:
    recorder = Recorder()
    output = joined(recorder)
    output.write(b"head")
    output.close()
    await asyncio.sleep(0)
    assert recorder.done == [b"head", "close"]


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 3_000_000])
async def test_an_answer_of_any_size_arrives_whole(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, body[:size])

    async with listening(application) as listener, calling(listener) as caller:
        for _ in range(2):
            await caller.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await asyncio.wait_for(caller.reader.readuntil(b"\r\n\r\n"), SECONDS)
            arrived = await asyncio.wait_for(caller.reader.readexactly(size), SECONDS)
            assert arrived == body[:size]


async def test_the_head_of_an_answer_that_streams_does_not_wait_for_its_body() -> None:
    read = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await read.wait()
        await send({"type": "http.response.body", "body": b"late"})

    async with listening(application) as listener, calling(listener) as caller:
        await caller.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await asyncio.wait_for(caller.reader.readuntil(b"\r\n\r\n"), SECONDS)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        read.set()
        await asyncio.wait_for(caller.reader.readuntil(b"late"), SECONDS)


async def test_requests_sent_ahead_are_answered_in_turn() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.02 if scope["path"] == "/1" else 0)
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async with listening(application) as listener, calling(listener) as caller:
        await caller.send(
            b"".join(b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % n for n in (1, 2, 3))
        )
        arrived = await asyncio.wait_for(caller.reader.readuntil(b"/3\r\n0\r\n\r\n"), SECONDS)
    places = [arrived.index(b"/%d" % number) for number in (1, 2, 3)]
    assert places == sorted(places)
    assert arrived.count(b"HTTP/1.1 200 OK") == 3
