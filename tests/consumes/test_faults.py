"""Each way an exchange can fail has its kind, and says truthfully whether the upstream may have
acted on it. Nothing that may have been acted on is sent twice."""

from __future__ import annotations

import asyncio
import socket

import pytest

from naftiko_runtime.failures import CallFailed, FailureKind
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import WAIT_SECONDS, Connection, answer_all, raw_upstream
from tests.consumes.requests import failing, request, secret_request

pytestmark = pytest.mark.anyio

METHODS = ["GET", "POST", "DELETE"]


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_refused_connection_executed_nothing(
    client: Opener, scheme: str, method: str
) -> None:
    origin = f"{scheme}://localhost:{closed_port()}"
    async with client() as upstreams:
        failure = await failing(upstreams, secret_request(origin, method))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed
    assert f'"gateway.list" ({method} {origin}): connection refused' in failure.detail


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "a..b"])
async def test_an_unknown_name_executed_nothing(client: Opener, host: str) -> None:
    async with client() as upstreams:
        failure = await failing(upstreams, secret_request(f"http://{host}", "POST"))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed


async def test_a_connection_that_does_not_come_about_executed_nothing(client: Opener) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            async with client(connect_timeout=0.2) as upstreams:
                failure = await failing(
                    upstreams, secret_request(f"http://127.0.0.1:{port}", "POST")
                )
        finally:
            for filler in fillers:
                filler.close()
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed
    assert "no connection within 0.2 s" in failure.detail


@pytest.mark.parametrize("method", METHODS)
async def test_a_connection_closed_without_an_answer_may_have_executed(
    client: Opener, method: str
) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()

    async with raw_upstream(script) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url, method))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed
    assert len(upstream.requests) == 1
    assert ("look before repeating" in failure.detail) is (method != "GET")


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
)
@pytest.mark.parametrize("method", METHODS)
async def test_a_reset_after_the_request_may_have_executed(
    client: Opener, method: str, said: bytes
) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(said)
        await asyncio.sleep(0.01)
        connection.reset()

    async with raw_upstream(script) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url, method))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed
    assert len(upstream.requests) == 1


async def test_a_reset_in_the_middle_of_the_request_may_have_executed(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.reader.read(10)
        connection.reset()

    async with raw_upstream(script) as upstream, client() as upstreams:
        large = request(upstream.url, "POST", content=bytes(8 * 2**20))
        failure = await failing(upstreams, large)
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed
    assert upstream.connections == 1


async def test_an_answer_before_the_end_of_the_request_counts(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.reader.read(10)
        await connection.answer(b"{}", b"Connection: close", status=b"413 Too Large")
        await connection.until_left()

    async with raw_upstream(script) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url, "POST", content=bytes(8 * 2**20)))
    assert answer.status == 413


async def silence(connection: Connection) -> None:
    await connection.request()
    await connection.until_left()


async def trickle(connection: Connection) -> None:
    await connection.request()
    await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        await connection.say(b"x")
        await asyncio.sleep(0.01)


async def trickle_headers(connection: Connection) -> None:
    await connection.request()
    await connection.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await connection.say(b"x")
        await asyncio.sleep(0.01)


async def endless_interim_answers(connection: Connection) -> None:
    await connection.request()
    while True:
        await connection.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("script", [silence, trickle, trickle_headers, endless_interim_answers])
@pytest.mark.parametrize("method", METHODS)
async def test_R2_a_slow_answer_ends_at_the_deadline_and_may_have_executed(
    client: Opener, script: object, method: str
) -> None:
    async with raw_upstream(script) as upstream, client(timeout=0.3) as upstreams:  # type: ignore[arg-type]
        failure = await failing(upstreams, secret_request(upstream.url, method))
    assert failure.kind is FailureKind.UPSTREAM_TIMEOUT
    assert failure.executed
    assert "no complete answer within 0.3 s" in failure.detail


async def test_a_deadline_closes_the_connection_to_the_upstream(client: Opener) -> None:
    async with raw_upstream(silence) as upstream, client(timeout=0.1) as upstreams:
        await failing(upstreams, secret_request(upstream.url))
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)


async def test_waiting_in_vain_for_a_free_connection_executed_nothing(client: Opener) -> None:
    async with raw_upstream(silence) as upstream, client(timeout=0.5, pool=1) as upstreams:
        calls = [failing(upstreams, secret_request(upstream.url, "POST")) for _ in range(20)]
        failures = await asyncio.gather(*calls)
    waited = [failure for failure in failures if "the only connection was busy" in failure.detail]
    assert waited
    assert {failure.kind for failure in waited} == {FailureKind.UPSTREAM_TIMEOUT}
    assert {failure.executed for failure in waited} == {False}
    assert sum(failure.executed for failure in failures) >= len(upstream.requests)


@pytest.mark.parametrize("method", METHODS)
async def test_T13_a_caller_who_gives_up_closes_the_upstream_connection(
    client: Opener, method: str
) -> None:
    begun = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.request()
        begun.set()
        await connection.until_left()

    async with raw_upstream(script) as upstream, client() as upstreams:
        call = asyncio.create_task(upstreams.send(request(upstream.url, method)))
        await asyncio.wait_for(begun.wait(), WAIT_SECONDS)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)


async def test_T13_a_caller_who_gives_up_in_the_middle_of_an_answer_closes_the_connection(
    client: Opener,
) -> None:
    begun = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        begun.set()
        await connection.until_left()

    async with raw_upstream(script) as upstream, client() as upstreams:
        call = asyncio.create_task(upstreams.send(request(upstream.url)))
        await asyncio.wait_for(begun.wait(), WAIT_SECONDS)
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(upstream.left.wait(), WAIT_SECONDS)


async def test_a_given_up_call_makes_room_for_the_next(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        if connection.number <= 3:
            await silence(connection)
        else:
            await answer_all(connection)

    async with raw_upstream(script) as upstream, client(pool=3) as upstreams:
        calls = [asyncio.create_task(upstreams.send(request(upstream.url))) for _ in range(3)]
        while len(upstream.requests) < 3:
            await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert (await upstreams.send(request(upstream.url))).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_an_idle_connection_that_was_closed_meanwhile_is_replaced(
    client: Opener, method: str
) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer()

    async with raw_upstream(script) as upstream, client() as upstreams:
        for _ in range(3):
            assert (await upstreams.send(request(upstream.url, method))).status == 200
            await asyncio.sleep(0.05)
    assert len(upstream.requests) == 3


async def one_answer_then_a_close_under_the_next_request(connection: Connection) -> None:
    await connection.request()
    await connection.answer()
    if connection.number == 1:
        await connection.request()
    else:
        await answer_all(connection)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_request_that_changes_nothing_is_sent_again_when_its_idle_connection_closes(
    client: Opener, method: str
) -> None:
    async with (
        raw_upstream(one_answer_then_a_close_under_the_next_request) as upstream,
        client() as upstreams,
    ):
        await upstreams.send(request(upstream.url))
        answer = await upstreams.send(request(upstream.url, method))
    assert answer.status == 200
    assert [seen.line.split()[0].decode() for seen in upstream.requests] == ["GET", method, method]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_O1_a_request_that_may_change_something_is_never_sent_twice(
    client: Opener, method: str
) -> None:
    async with (
        raw_upstream(one_answer_then_a_close_under_the_next_request) as upstream,
        client() as upstreams,
    ):
        await upstreams.send(request(upstream.url))
        failure = await failing(upstreams, secret_request(upstream.url, method))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed
    assert len(upstream.requests) == 2


async def test_a_request_is_sent_again_only_once(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        if connection.number == 1:
            await connection.answer()
            await connection.request()

    async with raw_upstream(script) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url))
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert len(upstream.requests) == 3


async def test_an_answer_that_broke_off_is_not_asked_for_again(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.answer()
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{")

    async with raw_upstream(script) as upstream, client() as upstreams:
        await upstreams.send(request(upstream.url))
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    "headers",
    [
        [("X-A", "1\r\nX-B: 2")],
        [("X-A", "1\n2")],
        [("X-A", "a\0b")],
        [("X A", "1")],
        [("X-A", "\ud800")],
    ],
)
async def test_A3_a_header_that_would_end_early_is_never_sent(
    client: Opener, headers: list[tuple[str, str]]
) -> None:
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        failure = await failing(upstreams, request(upstream.url, "POST", headers))
        assert (await upstreams.send(request(upstream.url))).status == 200
    assert failure.kind is FailureKind.INVALID_INPUT
    assert not failure.executed
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\0"])
async def test_A1_a_target_that_would_end_early_is_never_sent(client: Opener, target: str) -> None:
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        failure = await failing(upstreams, request(upstream.url + target))
    assert failure.kind is FailureKind.INVALID_INPUT
    assert not failure.executed
    assert upstream.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://localhost/",
        "localhost:5000/",
        "http:///path",
        "http://localhost:0/",
        "http://localhost:99999/",
        "http://localhost:port/",
        "http://user:c4n4ry@localhost/",
        "http://[::1/",
        "http://localhost/ü",
        "",
    ],
)
async def test_A7_an_address_that_is_none_is_never_called(client: Opener, url: str) -> None:
    async with client() as upstreams:
        failure = await failing(upstreams, request(url))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed


async def test_a_hanging_upstream_does_not_hold_up_another(client: Opener) -> None:
    async with (
        raw_upstream(silence) as hanging,
        raw_upstream(answer_all) as healthy,
        client(pool=2) as upstreams,
    ):
        calls = [asyncio.create_task(upstreams.send(request(hanging.url))) for _ in range(4)]
        while len(hanging.requests) < 2:
            await asyncio.sleep(0.01)
        assert (await upstreams.send(request(healthy.url))).status == 200
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_many_calls_at_once_each_get_their_own_answer(client: Opener) -> None:
    async def echo(connection: Connection) -> None:
        while True:
            seen = await connection.request()
            await connection.answer(seen.target)

    async with raw_upstream(echo) as upstream, client(pool=8) as upstreams:
        answers = await asyncio.gather(
            *[upstreams.send(request(f"{upstream.url}/{number}")) for number in range(200)]
        )
    assert [answer.body for answer in answers] == [f"/{n}".encode() for n in range(200)]
    assert upstream.connections <= 8


async def test_closing_ends_calls_in_flight(client: Opener) -> None:
    async with raw_upstream(silence) as upstream:
        async with client() as upstreams:
            call = asyncio.create_task(upstreams.send(request(upstream.url, "POST")))
            while not upstream.requests:
                await asyncio.sleep(0.01)
        with pytest.raises(CallFailed) as caught:
            await asyncio.wait_for(call, WAIT_SECONDS)
    assert caught.value.failure.executed
