"""Calls under the operator's rules, over real sockets: pacing, retries, the breaker."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import Breaker, Pacing, Retries, RuntimeSettings, UpstreamRule
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import Connection, Script, answer_all, raw_upstream
from tests.consumes.requests import failing, request
from tests.recording_upstream import RecordingUpstream, Reply, reply_json

pytestmark = pytest.mark.anyio

NEVER_AGAIN = Pacing(rate=0.001, burst=1, queue=0)
"""One call, and none for a quarter of an hour."""
QUICKLY = Retries(times=3, delay=0.01, longest=0.02)
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def settings(*rules: UpstreamRule) -> RuntimeSettings:
    return RuntimeSettings(upstreams=rules)


def for_all(**of_rule: object) -> RuntimeSettings:
    return settings(UpstreamRule("*", **of_rule))  # type: ignore[arg-type]


def named(url: str, operation: str, namespace: str = "gateway") -> UpstreamRequest:
    return UpstreamRequest(namespace, f"{namespace}.{operation}", "GET", url, ())


async def failed(upstreams: HttpUpstreams, sent: UpstreamRequest) -> Failure:
    with pytest.raises(CallFailed) as caught:
        await upstreams.send(sent)
    return caught.value.failure


@pytest.fixture
async def upstreams(client: Opener) -> AsyncIterator[HttpUpstreams]:
    async with client(timeout=10.0) as opened:
        yield opened


@pytest.fixture
def recording() -> Iterator[RecordingUpstream]:
    with RecordingUpstream() as opened:
        yield opened


@pytest.fixture
def closed_port() -> Iterator[socket.socket]:
    """A port that nobody else can have, and that refuses connections until it listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken


def url_of(port: socket.socket) -> str:
    return f"http://127.0.0.1:{port.getsockname()[1]}"


# Pacing


async def test_call_over_the_pace_is_not_sent(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(pacing=NEVER_AGAIN))
    assert (await upstreams.send(request(recording.url))).status == 200
    failure = await failing(upstreams, request(recording.url))
    assert failure.kind is FailureKind.TOO_MANY_CALLS
    assert not failure.executed
    assert failure.retry_after == 1000
    assert len(recording.requests) == 1


async def test_calls_wait_their_turn_in_order(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(pacing=Pacing(rate=50, burst=1, queue=20)))
    calls = [upstreams.send(request(f"{recording.url}/{n}")) for n in range(10)]
    answers = await asyncio.gather(*calls)
    assert {answer.status for answer in answers} == {200}
    assert [each.target for each in recording.requests] == [f"/{n}" for n in range(10)]


async def test_line_is_bounded(upstreams: HttpUpstreams, recording: RecordingUpstream) -> None:
    upstreams.adopt(for_all(pacing=Pacing(rate=20, burst=2, queue=3)))
    outcomes = await asyncio.gather(
        *(upstreams.send(request(recording.url)) for _ in range(10)), return_exceptions=True
    )
    refused = [each for each in outcomes if isinstance(each, CallFailed)]
    assert len(refused) == 5
    assert {each.failure.kind for each in refused} == {FailureKind.TOO_MANY_CALLS}
    assert {each.failure.retry_after for each in refused} == {1}
    assert len(recording.requests) == 5


async def test_call_that_is_given_up_leaves_its_place_to_the_next(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(pacing=Pacing(rate=5, burst=1, queue=1)))
    await upstreams.send(request(f"{recording.url}/first"))
    waiting = asyncio.ensure_future(upstreams.send(request(f"{recording.url}/given-up")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (await upstreams.send(request(f"{recording.url}/next"))).status == 200
    assert [each.target for each in recording.requests] == ["/first", "/next"]


async def test_namespaces_under_one_rule_share_its_bucket(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(settings(UpstreamRule("web-*", pacing=NEVER_AGAIN)))
    await upstreams.send(named(recording.url, "list", "web-orders"))
    failure = await failed(upstreams, named(recording.url, "list", "web-accounts"))
    assert failure.kind is FailureKind.TOO_MANY_CALLS
    await upstreams.send(named(recording.url, "list", "other"))


async def test_origins_have_buckets_of_their_own(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(pacing=NEVER_AGAIN))
    with RecordingUpstream() as another:
        assert (await upstreams.send(request(recording.url))).status == 200
        assert (await upstreams.send(request(another.url))).status == 200


async def test_operations_have_paces_of_their_own(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(operations={"get*": NEVER_AGAIN}))
    for operation in ("getOrders", "gettrades", "list", "list"):
        await upstreams.send(named(recording.url, operation))
    failure = await failed(upstreams, named(recording.url, "getOrders"))
    assert failure.kind is FailureKind.TOO_MANY_CALLS


async def test_operations_of_one_name_share_a_pace(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    """Files that consume the same path of one server count together."""
    upstreams.adopt(for_all(operations={"tickle": NEVER_AGAIN}))
    await upstreams.send(named(recording.url, "tickle", "web-sessions"))
    failure = await failed(upstreams, named(recording.url, "Tickle", "trading"))
    assert failure.kind is FailureKind.TOO_MANY_CALLS


async def test_call_that_its_server_has_no_turn_for_leaves_that_of_its_operation(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    rule = UpstreamRule("*", pacing=NEVER_AGAIN, operations={"scan": NEVER_AGAIN})
    upstreams.adopt(settings(rule))
    await upstreams.send(named(recording.url, "list"))
    assert (await failed(upstreams, named(recording.url, "scan"))).retry_after == 1000
    upstreams.adopt(for_all(operations={"scan": NEVER_AGAIN}))
    assert (await upstreams.send(named(recording.url, "scan"))).status == 200


async def test_nearest_pattern_decides_on_the_pace_of_an_operation(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    fast = Pacing(rate=1000, burst=100)
    upstreams.adopt(
        settings(
            UpstreamRule("*", operations={"scan": NEVER_AGAIN, "list*": fast}),
            UpstreamRule(
                "gateway", operations={"s*": NEVER_AGAIN, "list*": NEVER_AGAIN, "scan": fast}
            ),
        )
    )
    for _ in range(3):
        await upstreams.send(named(recording.url, "scan"))
    await upstreams.send(named(recording.url, "list"))
    assert (await failed(upstreams, named(recording.url, "list"))).retry_after is not None


async def test_new_rules_go_on_where_the_old_ones_were(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(pacing=NEVER_AGAIN))
    await upstreams.send(request(recording.url))
    upstreams.adopt(for_all(pacing=NEVER_AGAIN, retries=QUICKLY))
    assert (await failing(upstreams, request(recording.url))).kind is FailureKind.TOO_MANY_CALLS
    upstreams.adopt(settings())
    assert (await upstreams.send(request(recording.url))).status == 200


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_stops_the_calls_that_follow(
    upstreams: HttpUpstreams, recording: RecordingUpstream, status: int
) -> None:
    upstreams.adopt(for_all(pacing=Pacing(rate=1000, burst=100)))
    recording.answers(Reply(status, [("retry-after", "600")]), reply_json({}))
    assert (await upstreams.send(request(recording.url))).status == status
    failure = await failing(upstreams, request(recording.url, "POST", content=b"{}"))
    assert failure.kind is FailureKind.TOO_MANY_CALLS
    assert failure.retry_after is not None
    assert 590 <= failure.retry_after <= 600
    assert len(recording.requests) == 1


async def test_429_of_a_paced_operation_is_about_that_operation(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    fast = Pacing(rate=1000, burst=100)
    upstreams.adopt(for_all(pacing=fast, operations={"scan": fast}))
    recording.answers(Reply(429, [("retry-after", "600")]), reply_json({}))
    assert (await upstreams.send(named(recording.url, "scan"))).status == 429
    assert (await upstreams.send(named(recording.url, "list"))).status == 200
    failure = await failed(upstreams, named(recording.url, "scan"))
    assert failure.kind is FailureKind.TOO_MANY_CALLS


async def test_pause_turns_away_those_who_wait_already(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(pacing=Pacing(rate=0.5, burst=1, queue=5)))
    busy = threading.Event()
    recording.answers(Reply(429, [("retry-after", "600")], hold=busy), reply_json({}))
    first = asyncio.ensure_future(upstreams.send(request(recording.url)))
    await asyncio.to_thread(recording.wait_for, 1)
    waiting = asyncio.ensure_future(failed(upstreams, request(recording.url)))
    await asyncio.sleep(0)
    busy.set()
    assert (await first).status == 429
    assert (await waiting).kind is FailureKind.TOO_MANY_CALLS
    assert len(recording.requests) == 1


# Retries


async def test_safe_call_is_sent_again_until_it_is_answered(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(retries=QUICKLY))
    recording.answers(Reply(503), Reply(502), reply_json({"id": 1}))
    assert (await upstreams.send(request(recording.url))).status == 200
    assert len(recording.requests) == 3


async def test_last_answer_is_given_when_no_try_is_left(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(retries=QUICKLY))
    recording.answers(Reply(503, body=b"out of order"))
    answer = await upstreams.send(request(recording.url))
    assert (answer.status, answer.body) == (503, b"out of order")
    assert len(recording.requests) == 4


async def test_call_is_not_sent_again_where_no_rule_says_so(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(settings(UpstreamRule("other", retries=QUICKLY)))
    recording.answers(Reply(503))
    assert (await upstreams.send(request(recording.url))).status == 503
    assert len(recording.requests) == 1


async def test_retry_after_beyond_the_timeout_is_not_waited_for(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(retries=QUICKLY, timeout=5.0))
    recording.answers(Reply(503, [("retry-after", "5")]))
    assert (await upstreams.send(request(recording.url))).status == 503
    assert len(recording.requests) == 1


async def reset_after_reading(connection: Connection) -> None:
    await connection.request()
    connection.reset()


async def half_an_answer(connection: Connection) -> None:
    await connection.request()
    await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


async def out_of_order(connection: Connection) -> None:
    while True:
        await connection.request()
        await connection.answer(b"", b"Retry-After: 0", status=b"503 Service Unavailable")


async def too_many(connection: Connection) -> None:
    while True:
        await connection.request()
        await connection.answer(b"", b"Retry-After: 0", status=b"429 Too Many Requests")


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("script", [reset_after_reading, half_an_answer, out_of_order, too_many])
async def test_call_that_may_change_something_is_never_sent_twice(
    upstreams: HttpUpstreams, method: str, script: Script
) -> None:
    rule = UpstreamRule("*", retries=QUICKLY, pacing=Pacing(1000, 100), breaker=Breaker(100))
    upstreams.adopt(settings(rule))
    async with raw_upstream(script) as upstream:
        sent = request(upstream.url, method, content=b'{"quantity": 100}')
        try:
            outcome: object = (await upstreams.send(sent)).status
        except CallFailed as failed:
            outcome = failed.failure.executed
        assert outcome in (True, 503, 429)
        await asyncio.sleep(0.1)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("script", [reset_after_reading, half_an_answer])
async def test_safe_call_is_sent_again_when_its_connection_breaks(
    upstreams: HttpUpstreams, script: Script
) -> None:
    upstreams.adopt(for_all(retries=Retries(2, 0.0, 0.0)))

    async def first_breaks(connection: Connection) -> None:
        await (script if connection.number < 3 else answer_all)(connection)

    async with raw_upstream(first_breaks) as upstream:
        assert (await upstreams.send(request(upstream.url))).status == 200
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("method", ["GET", *UNSAFE])
async def test_call_that_never_left_is_sent_once_somebody_listens(
    upstreams: HttpUpstreams, closed_port: socket.socket, method: str
) -> None:
    upstreams.adopt(for_all(retries=Retries(times=500, delay=0.02, longest=0.02)))
    sent = request(url_of(closed_port), method, content=b"{}")
    call = asyncio.ensure_future(upstreams.send(sent))
    await asyncio.sleep(0.1)
    assert not call.done()
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, sock=closed_port)
    try:
        assert (await call).status == 200
    finally:
        call.cancel()
        server.close()
    assert seen == [method.encode()]


async def test_retries_end_with_the_timeout_of_the_call(
    upstreams: HttpUpstreams, closed_port: socket.socket
) -> None:
    upstreams.adopt(for_all(retries=Retries(10**9, 0.01, 0.01), timeout=0.3))
    failure = await failing(upstreams, request(url_of(closed_port)))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert not failure.executed


async def test_tries_keep_to_the_pace(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(retries=QUICKLY, pacing=NEVER_AGAIN))
    recording.answers(Reply(503))
    assert (await upstreams.send(request(recording.url))).status == 503
    assert len(recording.requests) == 1


# The breaker


async def test_origin_that_fails_in_a_row_is_left_alone(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(breaker=Breaker(failures=3, pause=60)))
    recording.answers(Reply(503))
    for _ in range(3):
        assert (await upstreams.send(request(recording.url))).status == 503
    failure = await failing(upstreams, request(recording.url, "POST", content=b"{}"))
    assert failure.kind is FailureKind.CIRCUIT_OPEN
    assert not failure.executed
    assert failure.retry_after == 60
    assert len(recording.requests) == 3


async def test_origin_that_refuses_connections_is_left_alone(
    upstreams: HttpUpstreams, closed_port: socket.socket
) -> None:
    upstreams.adopt(for_all(breaker=Breaker(failures=2, pause=60)))
    sent = request(url_of(closed_port))
    kinds = [(await failing(upstreams, sent)).kind for _ in range(3)]
    unreachable = FailureKind.UPSTREAM_UNREACHABLE
    assert kinds == [unreachable, unreachable, FailureKind.CIRCUIT_OPEN]


async def test_calls_go_on_once_a_look_succeeds(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(breaker=Breaker(failures=1, pause=0.05)))
    recording.answers(Reply(503), Reply(503), reply_json({}))
    assert (await upstreams.send(request(recording.url))).status == 503
    assert (await failing(upstreams, request(recording.url))).kind is FailureKind.CIRCUIT_OPEN
    await asyncio.sleep(0.1)
    assert (await upstreams.send(request(recording.url))).status == 503
    assert (await failing(upstreams, request(recording.url))).kind is FailureKind.CIRCUIT_OPEN
    await asyncio.sleep(0.1)
    for _ in range(3):
        assert (await upstreams.send(request(recording.url))).status == 200


async def test_answers_that_say_no_are_answers(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(breaker=Breaker(failures=1, pause=60)))
    for status in (400, 401, 404, 429, 500):
        recording.answers(Reply(status))
        assert (await upstreams.send(request(recording.url))).status == status


async def test_look_that_is_given_up_leaves_the_next_call_to_look(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(for_all(breaker=Breaker(failures=1, pause=0.0)))
    busy = threading.Event()
    recording.answers(Reply(503), Reply(200, hold=busy), reply_json({}))
    assert (await upstreams.send(request(recording.url))).status == 503
    look = asyncio.ensure_future(upstreams.send(request(recording.url)))
    await asyncio.to_thread(recording.wait_for, 2)
    assert (await failing(upstreams, request(recording.url))).kind is FailureKind.CIRCUIT_OPEN
    look.cancel()
    await asyncio.wait([look])
    assert (await upstreams.send(request(recording.url))).status == 200
    busy.set()
