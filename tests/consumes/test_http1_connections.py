"""Connections to upstreams: when one is used again, how large bodies travel, how each may end."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from naftiko_runtime.consumes.http1 import connection as connection_module
from naftiko_runtime.consumes.http1.connection import Connection as HttpConnection
from naftiko_runtime.consumes.http1.pool import Pool
from naftiko_runtime.failures import CallFailed, FailureKind
from tests.consumes.certificates import make_identity
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import WAIT_SECONDS, Connection, answer_all, raw_upstream
from tests.consumes.requests import failing, request

pytestmark = pytest.mark.anyio

MEBIBYTE = 2**20
INSECURE = frozenset({"gateway"})


def tls_context(folder: Path) -> ssl.SSLContext:
    return make_identity().server_context(folder)


@pytest.mark.parametrize("secured", [False, True])
async def test_a_large_body_arrives_whole_at_an_upstream_that_reads_slowly(
    client: Opener, tmp_path: Path, secured: bool
) -> None:
    body = random.Random(1).randbytes(12 * MEBIBYTE)

    async def slow(connection: Connection) -> None:
        connection.reader._limit = 1024  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
        await connection.request()
        await connection.answer()

    tls = tls_context(tmp_path) if secured else None
    async with raw_upstream(slow, tls) as upstream, client(insecure=INSECURE) as upstreams:
        answer = await upstreams.send(request(upstream.url, "POST", content=body))
    assert answer.status == 200
    assert upstream.requests[0].body == body


async def test_a_body_that_the_upstream_does_not_read_is_not_copied_meanwhile(
    client: Opener,
) -> None:
    body = bytes(32 * MEBIBYTE)

    async def stalled(connection: Connection) -> None:
        await asyncio.sleep(WAIT_SECONDS)

    async with raw_upstream(stalled) as upstream, client(timeout=0.5) as upstreams:
        tracemalloc.start()
        failure = await failing(upstreams, request(upstream.url, "POST", content=body))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert failure.kind is FailureKind.UPSTREAM_TIMEOUT
    assert failure.executed
    assert peak < 8 * MEBIBYTE


@pytest.mark.parametrize("secured", [False, True])
async def test_an_answer_before_the_end_of_the_request_ends_the_connection(
    client: Opener, tmp_path: Path, secured: bool
) -> None:
    async def early(connection: Connection) -> None:
        if connection.number > 1:
            await answer_all(connection)
        await connection.reader.read(10)
        await connection.answer(b"early", status=b"413 Too Large")
        await connection.until_left()

    tls = tls_context(tmp_path) if secured else None
    large = bytes(64 * MEBIBYTE)
    async with raw_upstream(early, tls) as upstream, client(insecure=INSECURE) as upstreams:
        answer = await upstreams.send(request(upstream.url, "POST", content=large))
        assert (answer.status, answer.body) == (413, b"early")
        assert (await upstreams.send(request(upstream.url))).status == 200
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)
    assert upstream.connections == 2


async def test_an_answer_counts_that_came_before_the_upstream_hung_up_on_the_request(
    client: Opener,
) -> None:
    async def impatient(connection: Connection) -> None:
        await connection.reader.read(10)
        await connection.answer(b"no", b"Connection: close", status=b"413 Too Large")

    async with raw_upstream(impatient) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url, "POST", content=bytes(8 * MEBIBYTE)))
    assert (answer.status, answer.body) == (413, b"no")


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("size", [3, 300_000])
async def test_an_answer_may_end_with_the_connection_at_any_size(
    client: Opener, tmp_path: Path, secured: bool, size: int
) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(size))

    tls = tls_context(tmp_path) if secured else None
    async with raw_upstream(script, tls) as upstream, client(insecure=INSECURE) as upstreams:
        for _ in range(2):
            assert (await upstreams.send(request(upstream.url))).body == bytes(size)
    assert upstream.connections == 2


async def test_an_answer_without_length_that_is_reset_is_no_answer(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\n\r\n{}")
        await asyncio.sleep(0.05)
        connection.reset()

    async with raw_upstream(script) as upstream, client() as upstreams:
        failure = await failing(upstreams, request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN


async def test_an_upstream_that_has_no_more_to_say_may_still_listen(client: Opener) -> None:
    """It closes its own direction after the answer; the next call goes over another connection."""

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer(b"%d" % connection.number)
        connection.writer.write_eof()
        await connection.until_left()

    async with raw_upstream(script) as upstream, client() as upstreams:
        for number in (1, 2, 3):
            answer = await upstreams.send(request(upstream.url, "POST"))
            assert answer.body == b"%d" % number


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\n",
    ],
)
async def test_a_connection_that_the_upstream_will_close_is_not_used_again(
    client: Opener, head: bytes
) -> None:
    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(head + b"Content-Length: 2\r\n\r\n{}")

    async with raw_upstream(script) as upstream, client() as upstreams:
        for _ in range(3):
            await upstreams.send(request(upstream.url, "POST"))
    assert upstream.connections == 3


async def test_a_connection_that_nobody_uses_is_closed(
    client: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "IDLE_SECONDS", 0.1)

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer()
        await connection.until_left()

    async with raw_upstream(script) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url))
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)
        await upstreams.send(request(upstream.url))
    assert upstream.connections == 2


async def test_an_unasked_answer_is_not_the_answer_to_the_next_request(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        while True:
            seen = await connection.request()
            await connection.answer(seen.target)
            await asyncio.sleep(0.01)
            await connection.answer(b"unasked")

    async with raw_upstream(script) as upstream, client() as upstreams:
        for number in range(3):
            answer = await upstreams.send(request(f"{upstream.url}/{number}"))
            assert answer.body == b"/%d" % number
            await asyncio.sleep(0.05)
    assert upstream.connections == 3


async def test_a_failed_connection_leaves_its_place_to_the_next(client: Opener) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        async with client(pool=1) as upstreams:
            for _ in range(3):
                failure = await failing(upstreams, request(f"http://127.0.0.1:{port}/"))
                assert "connection refused" in failure.detail


async def test_calls_wait_their_turn(client: Opener) -> None:
    order: list[bytes] = []

    async def script(connection: Connection) -> None:
        while True:
            seen = await connection.request()
            order.append(seen.target)
            await asyncio.sleep(0.01)
            await connection.answer(seen.target)

    async with raw_upstream(script) as upstream, client(pool=1) as upstreams:
        calls = [upstreams.send(request(f"{upstream.url}/{number}")) for number in range(10)]
        await asyncio.gather(*calls)
    assert order == [b"/%d" % number for number in range(10)]
    assert upstream.connections == 1


@pytest.mark.parametrize("closing", [False, True])
async def test_a_waiting_call_that_is_given_up_does_not_take_its_turn(
    client: Opener, closing: bool
) -> None:
    """Whether the one before it leaves an open connection behind or a place for a new one."""
    header = [b"Connection: close"] if closing else []

    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await asyncio.sleep(0.02)
            await connection.answer(b"{}", *header)

    async with raw_upstream(script) as upstream, client(pool=1) as upstreams:
        calls = [asyncio.create_task(upstreams.send(request(upstream.url))) for _ in range(12)]
        for call in calls[1::2]:
            await asyncio.sleep(0.005)
            call.cancel()
        results = await asyncio.wait_for(
            asyncio.gather(*calls, return_exceptions=True), WAIT_SECONDS
        )
    for result in results[::2]:
        assert not isinstance(result, BaseException)
    assert len(upstream.requests) < 12


async def test_a_call_given_up_at_the_moment_of_its_answer_does_not_disturb_the_next(
    client: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Pool.released

    def and_then_give_up(pool: Pool, connection: HttpConnection) -> None:
        released(pool, connection)
        first.cancel()

    monkeypatch.setattr(Pool, "released", and_then_give_up)

    async def script(connection: Connection) -> None:
        while True:
            seen = await connection.request()
            await asyncio.sleep(0.01)
            await connection.answer(seen.target)

    async with raw_upstream(script) as upstream, client(pool=1) as upstreams:
        first = asyncio.create_task(upstreams.send(request(f"{upstream.url}/1")))
        await asyncio.sleep(0)
        second = await upstreams.send(request(f"{upstream.url}/2", "POST"))
    assert first.cancelled()
    assert second.body == b"/2"
    assert upstream.connections == 1


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["http/1.1"]])
async def test_tls_connections_are_for_http_1_and_name_the_host(
    client: Opener, tmp_path: Path, offered: list[str]
) -> None:
    tls = tls_context(tmp_path)
    tls.set_alpn_protocols(offered)
    names: list[str | None] = []
    tls.sni_callback = lambda _socket, name, _context: names.append(name)
    chosen: list[str | None] = []

    async def script(connection: Connection) -> None:
        session = connection.writer.get_extra_info("ssl_object")
        chosen.append(session.selected_alpn_protocol())
        await answer_all(connection)

    async with raw_upstream(script, tls) as upstream, client(insecure=INSECURE) as upstreams:
        await upstreams.send(request(upstream.url))
        await upstreams.send(request(f"https://127.0.0.1:{upstream.port}/"))
    assert chosen == ["http/1.1", "http/1.1"]
    assert names == ["localhost", None]


@pytest.mark.parametrize("secured", [False, True])
async def test_R3_no_caller_ever_gets_the_answer_to_another(
    client: Opener, tmp_path: Path, secured: bool
) -> None:
    """Many calls at once, some given up, at an upstream that misbehaves in every way it can."""
    dice = random.Random(7)

    async def misbehaving(connection: Connection) -> None:
        while True:
            seen = await connection.request()
            await asyncio.sleep(dice.choice([0, 0, 0.002, 0.01]))
            right = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (
                len(seen.target),
                seen.target,
            )
            what = dice.randrange(9)
            if what == 0:
                return
            if what == 1:
                connection.reset()
                return
            if what == 2:
                await connection.say(right + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!")
                continue
            if what == 3:
                await connection.say(right[:-1])
                return
            if what == 4:
                half = len(right) // 2
                await connection.say(right[:half])
                await asyncio.sleep(0.001)
                await connection.say(right[half:])
                continue
            await connection.say(right)

    tls = tls_context(tmp_path) if secured else None
    answered = 0

    async def call(number: int) -> None:
        nonlocal answered
        url = f"{upstream.url}/{number}"
        with suppress(CallFailed, TimeoutError):
            async with asyncio.timeout(dice.choice([0.003, WAIT_SECONDS, WAIT_SECONDS])):
                answer = await upstreams.send(request(url, dice.choice(["GET", "POST"])))
                assert answer.body == b"/%d" % number
                answered += 1

    async with (
        raw_upstream(misbehaving, tls) as upstream,
        client(pool=5, insecure=INSECURE) as upstreams,
    ):
        await asyncio.gather(*map(call, range(400)))
        for number in range(20):
            await call(number)
    assert answered > 100
