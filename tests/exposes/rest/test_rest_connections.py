"""Callers that hang up, tables that change meanwhile, and requests that nobody should send."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from starlette.types import Message

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.rest.application import RestApplication
from naftiko_runtime.exposes.rest.disconnect import run_while_connected
from naftiko_runtime.exposes.rest.table import build_rest_table
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from tests.exposes.rest.listener import SECONDS, listening
from tests.exposes.rest.plans import Engine, adapter, labelled, served

CLOSE = b"Connection: close\r\n\r\n"
DONE = Answer(200, "application/json", b'{"done": true}')


class Parked:
    """An engine's script that begins a call and ends it when the test says so."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.release = threading.Event()
        self.cancelled = threading.Event()
        self.finished = threading.Event()

    async def __call__(self, plan: OperationPlan, inputs: Inputs) -> Outcome:
        self.begun.set()
        try:
            while not self.release.is_set():
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.finished.set()
        return DONE


def test_a_caller_that_hangs_up_cancels_a_call_that_only_reads() -> None:
    parked = Parked()
    with listening(served("GET", "/a"), engine=Engine(parked)) as listener:
        with listener.connection() as opened:
            opened.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert parked.begun.wait(SECONDS)
        assert parked.cancelled.wait(SECONDS)
        assert not parked.finished.is_set()
        parked.release.set()
        assert listener.get("/a").json() == {"done": True}


def test_a_caller_that_hangs_up_does_not_cut_off_an_order() -> None:
    parked = Parked()
    with listening(served("POST", "/a", body=True), engine=Engine(parked)) as listener:
        with listener.connection() as opened:
            opened.sendall(b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
            assert parked.begun.wait(SECONDS)
        assert not parked.cancelled.wait(0.4)
        parked.release.set()
        assert parked.finished.wait(SECONDS)
        assert not parked.cancelled.is_set()


def test_what_counts_is_the_upstreams_method_not_the_exposed_one() -> None:
    parked = Parked()
    plan = served("GET", "/a", upstream_method="POST")
    with listening(plan, engine=Engine(parked)) as listener:
        with listener.connection() as opened:
            opened.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert parked.begun.wait(SECONDS)
        assert not parked.cancelled.wait(0.4)
        parked.release.set()
        assert parked.finished.wait(SECONDS)


def test_a_caller_that_waits_gets_a_slow_answer() -> None:
    parked = Parked()
    with listening(served("GET", "/a"), engine=Engine(parked)) as listener:
        threading.Timer(0.3, parked.release.set).start()
        assert listener.get("/a").json() == {"done": True}
        assert not parked.cancelled.is_set()


def test_a_caller_that_hangs_up_within_the_body_causes_no_call() -> None:
    with listening(served("POST", "/a", body=True)) as listener:
        with listener.connection() as opened:
            opened.sendall(b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        assert listener.post_json("/a", "{}").status == 200
    assert listener.engine.calls == ["POST /a"]


def test_a_call_in_flight_ends_on_the_table_that_it_began_with() -> None:
    parked = Parked()
    engine = Engine(parked)
    with listening(served("POST", "/a"), engine=engine) as listener:
        answers: list[Any] = []
        caller = threading.Thread(target=lambda: answers.append(listener.post_json("/a", "")))
        caller.start()
        assert parked.begun.wait(SECONDS)
        table, _ = build_rest_table(labelled(adapter(served("GET", "/b"))))
        listener.application.table = table
        assert listener.post_json("/a", "").status == 404
        parked.release.set()
        caller.join(SECONDS)
    assert answers[0].json() == {"done": True}


@pytest.mark.anyio
async def test_giving_up_leaves_the_task_that_asked_uncancelled() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    assert await run_while_connected(asyncio.sleep(60, "late"), receive) is None
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_each_event_loop_looks_after_its_own_calls() -> None:
    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def give_up() -> None:
        calls = [run_while_connected(asyncio.sleep(60, "late"), receive) for _ in range(3)]
        assert await asyncio.gather(*calls) == [None, None, None]

    for _ in range(3):
        asyncio.run(give_up())


@pytest.mark.anyio
async def test_nobody_watches_a_call_that_has_ended() -> None:
    async def receive() -> Message:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    before = asyncio.all_tasks()
    assert await run_while_connected(asyncio.sleep(0.2, "done"), receive) == "done"
    await asyncio.sleep(0.2)
    assert asyncio.all_tasks() == before


@pytest.mark.anyio
async def test_a_listener_that_stops_can_still_cancel_a_call() -> None:
    async def receive() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    call = asyncio.create_task(run_while_connected(asyncio.sleep(60, "late"), receive))
    await asyncio.sleep(0.1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n",
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n",
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n",
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n",
        b"POST /a HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\nContent-Length: -1\r\n",
        b"POST /a HTTP/1.1\nHost: localhost\nContent-Length: +4\n",
    ],
)
def test_t8_a_request_with_two_lengths_is_400_and_smuggles_nothing(request_head: bytes) -> None:
    smuggled = b"0\r\n\r\nGET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with listening(served("POST", "/a", body=True), served("GET", "/admin")) as listener:
        answer = listener.raw(request_head + b"\r\n" + smuggled)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert listener.engine.calls == []
        assert listener.get("/admin").status == 200


def test_t11_forwarded_headers_change_nothing() -> None:
    head = (
        b"GET /a HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: evil.example\r\n"
        b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Prefix: /evil\r\nX-Original-URL: /admin\r\n"
        b"X-HTTP-Method-Override: DELETE\r\nForwarded: host=evil.example\r\n" + CLOSE
    )
    with listening(
        served("GET", "/a"), served("GET", "/admin"), served("DELETE", "/a")
    ) as listener:
        answer = listener.raw(head)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"evil" not in answer
    assert listener.engine.calls == ["GET /a"]


@pytest.mark.parametrize("target", [b"*", b"localhost", b"a", b"//evil.example", b"/\xff"])
def test_odd_targets_are_refused(target: bytes) -> None:
    with listening(served("GET", "/a"), served("GET", "/{x}")) as listener:
        answer = listener.raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n" + CLOSE)
    assert answer[9:12] in (b"400", b"404")
    assert listener.engine.calls == []


def test_a_target_in_absolute_form_is_judged_by_its_path_and_the_host_header() -> None:
    request = b"GET http://evil.example/a HTTP/1.1\r\nHost: %b\r\n" + CLOSE
    with listening(served("GET", "/a")) as listener:
        assert listener.raw(request % b"localhost").startswith(b"HTTP/1.1 200 ")
        assert listener.raw(request % b"evil.example").startswith(b"HTTP/1.1 403 ")


def test_dots_and_empty_segments_in_a_path_are_not_folded() -> None:
    with listening(served("GET", "/a/b"), served("GET", "/secret")) as listener:
        for path in ("/a//b", "/a/./b", "/a/x/../b", "/a/../secret", "/a/%2e%2e/secret", "//a/b"):
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
            answer = listener.raw(head + CLOSE)
            assert answer.startswith(b"HTTP/1.1 404 "), path
    assert listener.engine.calls == []


@pytest.mark.anyio
async def test_other_protocols_than_http_are_declined() -> None:
    table, _ = build_rest_table([])
    application = RestApplication(table, Engine().execute, HostPolicy.for_address("127.0.0.1"))
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await application({"type": "websocket"}, receive, send)
    await application({"type": "lifespan"}, receive, send)
    assert [message["type"] for message in sent] == [
        "websocket.close",
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
