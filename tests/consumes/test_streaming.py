"""Streamed exchanges: what has a deadline in them, and what has not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.messages import RequestStream
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.streaming import HttpStreams
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.failures import CallFailed, FailureKind
from tests.consumes.raw_upstream import Connection, raw_upstream
from tests.consumes.requests import request

pytestmark = pytest.mark.anyio

TIMEOUT = 0.4
LONGER = 3 * TIMEOUT


@asynccontextmanager
async def opened(trust: TrustStore) -> AsyncIterator[HttpStreams]:
    settings = UpstreamSettings(trust=trust, timeout=TIMEOUT)
    upstreams = HttpUpstreams(settings)
    streams = HttpStreams(settings, upstreams.send)
    try:
        yield streams
    finally:
        await streams.aclose()
        await upstreams.aclose()


async def pieces(*waits: float) -> AsyncIterator[bytes]:
    for seconds in waits:
        await asyncio.sleep(seconds)
        yield b"x"


async def test_the_head_of_an_answer_has_to_come_in_time(trust: TrustStore) -> None:
    async with raw_upstream(Connection.until_left) as upstream, opened(trust) as streams:
        with pytest.raises(CallFailed) as failed:
            async with streams.stream(request(upstream.url), None):
                raise AssertionError("there is no answer")
        async with asyncio.timeout(20):
            await upstream.left.wait()
    assert failed.value.failure.kind is FailureKind.UPSTREAM_TIMEOUT


async def test_an_answer_may_take_any_time(trust: TrustStore) -> None:
    async def slow(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        await asyncio.sleep(LONGER)
        await connection.say(b"b")

    async with (
        raw_upstream(slow) as upstream,
        opened(trust) as streams,
        streams.stream(request(upstream.url), None) as response,
    ):
        assert b"".join([chunk async for chunk in response.chunks]) == b"ab"


async def test_a_slow_caller_does_not_use_up_the_upstreams_time(trust: TrustStore) -> None:
    async def answer(connection: Connection) -> None:
        await connection.reader.readuntil(b"0\r\n\r\n")
        await connection.answer(b"ok")

    body = RequestStream(None, pieces(LONGER, 0, LONGER))
    async with (
        raw_upstream(answer) as upstream,
        opened(trust) as streams,
        streams.stream(request(upstream.url, "POST"), body) as response,
    ):
        assert b"".join([chunk async for chunk in response.chunks]) == b"ok"


async def test_an_idle_connection_that_was_closed_is_no_failure_of_a_safe_request(
    trust: TrustStore,
) -> None:
    closed = asyncio.Event()

    async def once(connection: Connection) -> None:
        await connection.request()
        await connection.answer(b"%d" % connection.number)
        if connection.number == 1:
            await closed.wait()

    async with raw_upstream(once) as upstream, opened(trust) as streams:
        bodies = []
        for _ in range(2):
            async with streams.stream(request(upstream.url), None) as response:
                bodies.append(b"".join([chunk async for chunk in response.chunks]))
            closed.set()
            await asyncio.sleep(0.05)
    assert bodies == [b"1", b"2"]


async def test_a_request_with_a_body_is_never_sent_twice(trust: TrustStore) -> None:
    async def hang_up(connection: Connection) -> None:
        if connection.number == 1:
            await connection.request()
            await connection.answer(b"ok")
            await connection.reader.read(1)
            return  # in the middle of the second request
        await connection.request()
        await connection.answer(b"again")

    async with raw_upstream(hang_up) as upstream, opened(trust) as streams:
        async with streams.stream(request(upstream.url), None) as response:
            assert b"".join([chunk async for chunk in response.chunks]) == b"ok"
        body = RequestStream(1, pieces(0))
        with pytest.raises(CallFailed) as failed:
            async with streams.stream(request(upstream.url, "POST"), body):
                raise AssertionError("there is no answer")
    assert failed.value.failure.executed
    assert upstream.connections == 1


async def test_an_answer_that_is_not_read_to_its_end_ends_its_connection(
    trust: TrustStore,
) -> None:
    async def endless(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await connection.until_left()

    async with raw_upstream(endless) as upstream, opened(trust) as streams:
        async with streams.stream(request(upstream.url), None) as response:
            assert await anext(response.chunks) == b"x"
        async with asyncio.timeout(20):
            await upstream.left.wait()
