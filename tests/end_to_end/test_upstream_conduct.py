"""Pacing, retries, the breaker and sessions of a running process, as its callers meet them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.end_to_end.controlled import PORTS, ask, controlled
from tests.recording_upstream import WAIT_SECONDS, RecordingUpstream, Reply, reply_json
from tests.serving_process import Serving, serve

LOGIN_PAGE = Reply(200, [("content-type", "text/html")], b"<!doctype html><html>log in</html>")


@pytest.fixture
def upstream() -> Iterator[RecordingUpstream]:
    with RecordingUpstream() as opened:
        yield opened


def write(folder: Path, upstream: RecordingUpstream, **rule: Any) -> None:
    """A capability with operations `list` and `tickle`, and settings for its upstream."""
    (folder / "orders.yaml").write_text(controlled(upstream.url, "list", "tickle"))
    text = yaml.safe_dump({"upstreams": {"orders": rule}})
    (folder / "runtime.yaml").write_text(text)


def get(serving: Serving, path: str = "/orders/list") -> httpx2.Response:
    return httpx2.get(serving.rest() + path, timeout=60)


def call_tool(serving: Serving, name: str = "orders-list") -> dict[str, Any]:
    prefix = "io.modelcontextprotocol/"
    meta = {prefix + "protocolVersion": "2026-07-28", prefix + "clientCapabilities": {}}
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": {}, "_meta": meta},
    }
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": name,
    }
    answer = httpx2.post(serving.mcp(), json=message, headers=headers, timeout=60)
    result: dict[str, Any] = answer.json()["result"]
    return result


def sessions(serving: Serving) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = ask(serving, "/status").json()["sessions"]
    return described


def wait_for_session(serving: Serving, state: str) -> dict[str, Any]:
    until = time.monotonic() + WAIT_SECONDS
    while True:
        (session,) = sessions(serving)
        if session["state"] == state:
            return session
        assert time.monotonic() < until, session
        time.sleep(0.02)


def test_call_over_the_pace_is_refused_to_every_caller(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    write(tmp_path, upstream, pacing={"rate": "1/h", "burst": 1, "queue": 0})
    with serve(tmp_path, ports=PORTS) as serving:
        assert get(serving).status_code == 200
        refused = get(serving)
        assert refused.status_code == 429
        assert 3590 <= int(refused.headers["retry-after"]) <= 3600
        assert refused.json()["type"].endswith("too-many-calls")
        result = call_tool(serving)
        assert result["isError"]
        assert "Too many calls" in result["content"][0]["text"]
        assert len(upstream.requests) == 1


def test_pace_follows_the_settings_while_calls_go_on(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    write(tmp_path, upstream, pacing={"rate": "1/h", "burst": 1, "queue": 0})
    with serve(tmp_path, ports=PORTS) as serving:
        assert get(serving).status_code == 200
        assert get(serving).status_code == 429
        write(tmp_path, upstream, pacing={"rate": "1000/s", "burst": 10})
        until = time.monotonic() + WAIT_SECONDS
        while get(serving).status_code == 429:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert get(serving).status_code == 200


def test_answer_of_a_busy_upstream_is_tried_again(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    write(tmp_path, upstream, retries={"times": 3, "delay": "10ms"})
    upstream.answers(Reply(503), Reply(raw=b""), reply_json({"id": 1}))
    with serve(tmp_path, ports=PORTS) as serving:
        assert get(serving).json() == {"id": 1}
    assert len(upstream.requests) == 3


def test_upstream_that_is_out_of_order_is_left_alone(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    write(tmp_path, upstream, breaker={"failures": 2, "pause": "5m"})
    upstream.answers(Reply(503))
    with serve(tmp_path, ports=PORTS) as serving:
        assert [get(serving).status_code for _ in range(3)] == [503, 503, 503]
        refused = get(serving)
        assert refused.json()["type"].endswith("circuit-open")
        assert 290 <= int(refused.headers["retry-after"]) <= 300
        assert call_tool(serving)["isError"]
    assert len(upstream.requests) == 2


def test_lost_session_is_said_to_every_caller(tmp_path: Path, upstream: RecordingUpstream) -> None:
    write(tmp_path, upstream, login="https://localhost:5000")
    with serve(tmp_path, ports=PORTS) as serving:
        for lost in (Reply(401), Reply(302, [("location", "/sso/Login")]), LOGIN_PAGE):
            upstream.answers(lost)
            answer = get(serving)
            assert answer.status_code == 502
            assert answer.json()["type"].endswith("session-ended")
            assert "log in at https://localhost:5000" in answer.json()["detail"]
            assert "log in at https://localhost:5000" in str(call_tool(serving)["content"])
        upstream.answers(reply_json({"ok": True}))
        assert get(serving).json() == {"ok": True}


def test_session_is_kept_open_and_its_state_can_be_seen(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    keep_alive = {"call": "orders.tickle", "every": "1s"}
    write(tmp_path, upstream, **{"keep-alive": keep_alive, "login": "https://localhost:5000"})
    with serve(tmp_path, ports=PORTS) as serving:
        opened = wait_for_session(serving, "open")
        assert opened["upstream"] == upstream.url
        assert (opened["call"], opened["everySeconds"]) == ("orders.tickle", 1.0)
        upstream.wait_for(3)
        upstream.answers(LOGIN_PAGE)
        assert "log in at https://localhost:5000" in wait_for_session(serving, "lost")["detail"]
        serving.wait_for_event("session-lost", upstream=upstream.url)
        upstream.answers(reply_json({}))
        wait_for_session(serving, "open")
        serving.wait_for_event("session-back", upstream=upstream.url)
        assert len(serving.events_of("session-lost")) == 1
        (tmp_path / "runtime.yaml").write_text("{}")
        until = time.monotonic() + WAIT_SECONDS
        while sessions(serving):
            assert time.monotonic() < until
            time.sleep(0.02)
    assert {request.target for request in upstream.requests} == {"/tickle"}


def test_one_of_several_workers_keeps_the_session_open(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    write(tmp_path, upstream, **{"keep-alive": {"call": "orders.tickle", "every": "1h"}})
    ports = []
    for _ in range(3):
        with RecordingUpstream() as free:
            ports.append(free.port)
    moved = [f"--port={declared}={port}" for declared, port in zip(PORTS, ports, strict=True)]
    with serve(tmp_path, ports=(), options=["--workers=3", *moved]) as serving:
        serving.wait_for_event("workers")
        upstream.wait_for(1)
        time.sleep(0.5)
    assert len(upstream.requests) == 1
