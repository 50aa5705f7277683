"""Bodies go through as they come, both ways, and whoever is slow is waited for."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.messages import RequestStream
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.streaming import HttpStreams
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from tests.consumes.certificates import make_identity
from tests.consumes.raw_upstream import (
    WAIT_SECONDS,
    Connection,
    Script,
    answer_all,
    raw_upstream,
)
from tests.consumes.requests import SECRET, request, secret_request

pytestmark = pytest.mark.anyio

MEBIBYTE = 2**20
INSECURE = frozenset({"gateway"})
Opener = Callable[..., AbstractAsyncContextManager[HttpStreams]]


@pytest.fixture
def client(trust: TrustStore) -> Opener:
    @asynccontextmanager
    async def opened(**chosen: object) -> AsyncIterator[HttpStreams]:
        settings = UpstreamSettings(**{"trust": trust, "insecure": INSECURE, **chosen})  # type: ignore[arg-type]
        upstreams = HttpUpstreams(settings)
        streams = HttpStreams(settings, upstreams.send)
        try:
            yield streams
        finally:
            await streams.aclose()
            await upstreams.aclose()

    return opened


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


async def whole(streams: HttpStreams, url: str, method: str = "GET") -> bytes:
    async with streams.stream(request(url, method), None) as answer:
        return b"".join([chunk async for chunk in answer.chunks])


async def failing(
    streams: HttpStreams, origin: str, method: str = "GET", body: RequestStream | None = None
) -> Failure:
    sent = secret_request(origin, method)
    with pytest.raises(CallFailed) as caught:
        async with streams.stream(sent, body) as answer:
            [chunk async for chunk in answer.chunks]
    failure = caught.value.failure
    assert SECRET not in failure.detail
    return failure


@pytest.mark.parametrize("secured", [False, True])
async def test_each_piece_goes_through_before_the_next_is_there(
    client: Opener, tmp_path: Path, secured: bool
) -> None:
    arrived: list[bytes] = []
    seen = asyncio.Event()
    read = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        arrived.append(await connection.reader.readexactly(3))
        seen.set()
        arrived.append(await connection.reader.readexactly(3))
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        await read.wait()
        await connection.say(b"two")

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        await seen.wait()
        yield b"def"

    tls = make_identity().server_context(tmp_path) if secured else None
    async with raw_upstream(script, tls) as upstream, client() as streams:
        posted = request(upstream.url, "POST")
        async with streams.stream(posted, RequestStream(6, body())) as answer:
            assert await anext(answer.chunks) == b"one"
            read.set()
            assert [chunk async for chunk in answer.chunks] == [b"two"]
    assert arrived == [b"abc", b"def"]


@pytest.mark.parametrize(
    ("length", "framing", "body"),
    [
        (7, b"Content-Length: 7", b"a" * 5 + b"bc"),
        (None, b"Transfer-Encoding: chunked", b"5\r\naaaaa\r\n2\r\nbc\r\n0\r\n\r\n"),
    ],
)
async def test_a_body_is_framed_by_its_length_or_in_chunks(
    client: Opener, length: int | None, framing: bytes, body: bytes
) -> None:
    seen: list[bytes] = []

    async def script(connection: Connection) -> None:
        seen.append(await connection.reader.readuntil(b"\r\n\r\n"))
        seen.append(await connection.reader.readexactly(len(body)))
        await connection.answer()

    headers = [("Content-Length", "999"), ("X-Raw", "\xe9")]
    async with raw_upstream(script) as upstream, client() as streams:
        sent = request(f"{upstream.url}/p?q=%2f", "PUT", headers)
        stream = RequestStream(length, pieces(b"aaaaa", b"", b"bc"))
        async with streams.stream(sent, stream) as answer:
            assert answer.status == 200
    head, arrived = seen
    assert head.startswith(b"PUT /p?q=%2f HTTP/1.1\r\nHost: localhost:")
    assert b"\r\nX-Raw: \xe9\r\n" in head
    assert b"\r\nAccept: */*\r\nAccept-Encoding: identity\r\n" in head
    assert b"\r\n" + framing + b"\r\n\r\n" in head
    assert b"Content-Length: 999" not in head
    assert arrived == body


@pytest.mark.parametrize("encoding", [b"gzip", b"br"])
async def test_an_answer_comes_as_it_is_on_the_wire(client: Opener, encoding: bytes) -> None:
    packed = gzip.compress(b"x" * 1000)

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer(packed, b"Content-Encoding: " + encoding, b"X-A: 1", b"X-A: 2")

    async with (
        raw_upstream(script) as upstream,
        client(max_response_bytes=10) as streams,
        streams.stream(request(upstream.url), None) as answer,
    ):
        body = b"".join([chunk async for chunk in answer.chunks])
    assert body == packed
    assert list(answer.headers) == [
        ("content-length", str(len(packed))),
        ("content-encoding", encoding.decode()),
        ("x-a", "1"),
        ("x-a", "2"),
    ]


@pytest.mark.parametrize("secured", [False, True])
async def test_an_upstream_waits_for_a_caller_that_reads_slowly(
    client: Opener, tmp_path: Path, secured: bool
) -> None:
    size = 48 * MEBIBYTE
    said = 0

    async def script(connection: Connection) -> None:
        nonlocal said
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while said < size:
            await connection.say(bytes(MEBIBYTE))
            said += MEBIBYTE

    tls = make_identity().server_context(tmp_path) if secured else None
    async with (
        raw_upstream(script, tls) as upstream,
        client() as streams,
        streams.stream(request(upstream.url), None) as answer,
    ):
        before = -1
        while before != said:
            before = said
            await asyncio.sleep(0.1)
        assert said < size // 2
        assert sum([len(chunk) async for chunk in answer.chunks]) == size


async def test_a_caller_waits_for_an_upstream_that_reads_slowly(client: Opener) -> None:
    count = 48
    given = 0
    go_on = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        await connection.reader.readexactly(count * MEBIBYTE)
        await connection.answer(b"done")

    async def body() -> AsyncIterator[bytes]:
        nonlocal given
        for _ in range(count):
            given += 1
            yield bytes(MEBIBYTE)

    async def watch() -> None:
        before = -1
        while before != given:
            before = given
            await asyncio.sleep(0.1)
        assert given < count // 2
        go_on.set()

    async with raw_upstream(script) as upstream, client() as streams:
        watching = asyncio.create_task(watch())
        sent = request(upstream.url, "POST")
        async with streams.stream(sent, RequestStream(count * MEBIBYTE, body())) as answer:
            assert [chunk async for chunk in answer.chunks] == [b"done"]
        await watching


async def test_an_answer_may_come_before_the_request_has_ended(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.answer(b"early", status=b"413 Too Large")
        await connection.until_left()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0.001)

    async with raw_upstream(script) as upstream, client() as streams:
        sent = request(upstream.url, "POST")
        async with streams.stream(sent, RequestStream(None, endless())) as answer:
            assert answer.status == 413
            assert [chunk async for chunk in answer.chunks] == [b"early"]
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)


class HungUp(Exception):
    pass


async def test_a_caller_who_hangs_up_ends_the_request_short_of_its_end(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.until_left()

    async def body() -> AsyncIterator[bytes]:
        yield b"abc"
        raise HungUp

    async with raw_upstream(script) as upstream, client() as streams:
        for length in (6, None):
            upstream.left.clear()
            stream = streams.stream(request(upstream.url, "POST"), RequestStream(length, body()))
            with pytest.raises(HungUp):
                await stream.__aenter__()
            await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)


async def test_a_caller_who_hangs_up_after_the_answer_has_begun_ends_it(client: Opener) -> None:
    begun = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await connection.until_left()

    async def body() -> AsyncIterator[bytes]:
        await begun.wait()
        raise HungUp
        yield b""

    async with raw_upstream(script) as upstream, client() as streams:
        sent = request(upstream.url, "POST")
        async with streams.stream(sent, RequestStream(None, body())) as answer:
            begun.set()
            with pytest.raises(CallFailed):
                [chunk async for chunk in answer.chunks]
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)


@pytest.mark.parametrize("given", [[b"abc"], [b"abc", b"defg"]])
async def test_a_body_of_another_length_than_announced_is_not_taken_for_the_whole(
    client: Opener, given: Sequence[bytes]
) -> None:
    arrived = b""

    async def script(connection: Connection) -> None:
        nonlocal arrived
        await connection.reader.readuntil(b"\r\n\r\n")
        arrived = await connection.reader.read()

    async with raw_upstream(script) as upstream, client() as streams:
        body = RequestStream(6, pieces(*given))
        failure = await failing(streams, upstream.url, "POST", body)
        assert failure.kind is FailureKind.UPSTREAM_BROKEN
        while not arrived:
            await asyncio.sleep(0.01)
    assert len(arrived) < 6


async def test_the_time_stands_still_while_the_caller_is_waited_for(client: Opener) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.3)
            yield b"ab"

    async with raw_upstream(answer_all) as upstream, client(timeout=0.2) as streams:
        sent = request(upstream.url, "POST")
        async with streams.stream(sent, RequestStream(6, body())) as answer:
            assert answer.status == 200
    assert upstream.requests[0].body == b"ababab"


async def test_an_answer_may_take_its_time_once_it_has_begun(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            await asyncio.sleep(0.2)
            await connection.say(b"2\r\nab\r\n")
        await connection.say(b"0\r\n\r\n")

    async with raw_upstream(script) as upstream, client(timeout=0.15) as streams:
        assert await whole(streams, upstream.url) == b"ababab"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_R2_a_head_that_does_not_come_ends_at_the_deadline(
    client: Opener, method: str
) -> None:
    async def silence(connection: Connection) -> None:
        await connection.until_left()

    async with raw_upstream(silence) as upstream, client(timeout=0.2) as streams:
        body = RequestStream(3, pieces(b"abc")) if method == "POST" else None
        failure = await failing(streams, upstream.url, method, body)
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)
    assert failure.kind is FailureKind.UPSTREAM_TIMEOUT
    assert failure.executed


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 200\r\nbad\r\n\r\n"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_answer_that_breaks_off_is_a_failure(
    client: Opener, method: str, said: bytes, reset: bool
) -> None:
    async def script(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.say(said)
        await asyncio.sleep(0.02)
        if reset:
            connection.reset()

    async with raw_upstream(script) as upstream, client() as streams:
        body = RequestStream(None, pieces(b"abc")) if method == "POST" else None
        failure = await failing(streams, upstream.url, method, body)
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed
    assert upstream.connections == 1


async def test_a_connection_is_used_again_after_a_whole_answer_only(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na")
            await asyncio.sleep(0.01)
            await connection.say(b"bc")

    async with raw_upstream(script) as upstream, client() as streams:
        for _ in range(3):
            assert await whole(streams, upstream.url) == b"abc"
        assert upstream.connections == 1
        async with streams.stream(request(upstream.url), None) as answer:
            assert await anext(answer.chunks) == b"a"
        assert await whole(streams, upstream.url) == b"abc"
    assert upstream.connections == 2


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_O1_only_what_changes_nothing_is_sent_again_on_another_connection(
    client: Opener, method: str
) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer()
        if connection.number == 1:
            await connection.request()
        else:
            await answer_all(connection)

    async with raw_upstream(script) as upstream, client() as streams:
        await whole(streams, upstream.url)
        if method == "GET":
            assert await whole(streams, upstream.url) == b"{}"
        else:
            failure = await failing(streams, upstream.url, method)
            assert failure.executed
    assert len(upstream.requests) == (3 if method == "GET" else 2)


async def test_a_refused_connection_leaves_the_body_alone(client: Opener) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        raise AssertionError
        yield b""

    async with client() as streams:
        body = RequestStream(3, untouched())
        failure = await failing(streams, "http://127.0.0.1:1", "POST", body)
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed


async def never(connection: Connection) -> None:
    await connection.reader.readuntil(b"\r\n\r\n")
    await connection.until_left()


async def always(connection: Connection) -> None:
    await connection.request()
    await connection.say(b"HTTP/1.1 200 OK\r\n\r\n")
    with_data = asyncio.create_task(connection.until_left())
    while not with_data.done():
        await connection.say(b"data: 1\n\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("script", [never, always])
async def test_T13_a_stream_that_is_given_up_closes_the_connection(
    client: Opener, script: Script
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.01)

    async def run() -> None:
        body = RequestStream(None, endless()) if script is never else None
        sent = request(upstream.url, "POST" if body else "GET")
        async with streams.stream(sent, body) as answer:
            async for _ in answer.chunks:
                pass

    async with raw_upstream(script) as upstream, client() as streams:
        call = asyncio.create_task(run())
        while not upstream.connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)
