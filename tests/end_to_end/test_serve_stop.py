"""Stopping: calls in flight finish, nothing is left behind, the exit code is 0."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client

from tests.recording_upstream import RecordingUpstream, Reply
from tests.serving_process import serve_cold as serve

Drop = Callable[..., Path]


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=60, trust_env=False)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_call_in_flight_is_answered_before_the_process_ends(
    folder: Path, drop: Drop, upstream: RecordingUpstream, number: signal.Signals
) -> None:
    drop("orders", "live")
    may_answer = threading.Event()
    upstream.answers(Reply(body=b'{"late": true}', hold=may_answer))
    with serve(folder) as serving, ThreadPoolExecutor() as pool:
        call = pool.submit(get, serving.rest() + "/orders/live")
        upstream.wait_for(1)
        serving.process.send_signal(number)
        serving.wait_for_event("stopping")
        may_answer.set()
        answer = call.result()
        assert (answer.status_code, answer.json()) == (200, {"late": True})
        assert serving.stop() == 0


def test_new_connections_are_refused_while_it_stops(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    may_answer = threading.Event()
    upstream.answers(Reply(body=b"{}", hold=may_answer))
    with serve(folder) as serving, ThreadPoolExecutor() as pool:
        call = pool.submit(get, serving.rest() + "/orders/live")
        upstream.wait_for(1)
        serving.process.send_signal(signal.SIGTERM)
        serving.wait_for_event("stopping")
        while accepts(serving.port(8080)):  # the port closes right after the line in the log
            time.sleep(0.01)
        may_answer.set()
        assert call.result().status_code == 200


def test_a_signal_after_the_stop_does_not_make_it_a_failure(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder) as serving:
        serving.process.send_signal(signal.SIGTERM)
        serving.wait_for_event("stopped")
        time.sleep(0.01)
        while serving.process.poll() is None:
            serving.process.send_signal(signal.SIGTERM)
        assert serving.process.returncode == 0


def test_o1_a_call_beyond_the_deadline_is_told_that_it_may_have_been_executed(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    never = threading.Event()
    upstream.answers(Reply(hold=never))
    with serve(folder, options=["--grace=0.2"]) as serving, ThreadPoolExecutor() as pool:
        call = pool.submit(get, serving.rest() + "/orders/live")
        upstream.wait_for(1)
        assert serving.stop() == 0
        answer = call.result()
        assert answer.status_code == 503
        assert answer.json()["type"] == "urn:naftiko:problem:shutting-down"
        assert "may have been executed" in answer.json()["detail"]
    never.set()


def test_a_second_signal_ends_calls_at_once(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    never = threading.Event()
    upstream.answers(Reply(hold=never))
    with serve(folder, options=["--grace=3000"]) as serving, ThreadPoolExecutor() as pool:
        call = pool.submit(get, serving.rest() + "/orders/live")
        upstream.wait_for(1)
        serving.process.send_signal(signal.SIGTERM)
        serving.wait_for_event("stopping")
        assert serving.stop(signal.SIGINT) == 0
        assert call.result().status_code == 503
    never.set()


def test_an_idle_connection_does_not_hold_it_up(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--grace=3000"]) as serving:
        connection = http.client.HTTPConnection("127.0.0.1", serving.port(8080), timeout=60)
        connection.request("GET", "/orders/live")
        assert connection.getresponse().read()
        assert serving.stop() == 0
        connection.close()


@pytest.mark.anyio
async def test_an_open_stream_of_an_mcp_client_does_not_hold_it_up(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    with serve(folder, options=["--grace=3000"]) as serving:
        async with (
            Client(serving.mcp(), mode="2026-07-28") as client,
            client.listen(tools_list_changed=True) as stream,
        ):
            assert await anyio.to_thread.run_sync(serving.stop) == 0
            async for _ in stream:
                pass
