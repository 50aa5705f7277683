"""What running processes record of the calls that can change something."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.end_to_end.test_serve_workers import free_port
from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json
from tests.serving_process import Serving, run_naftiko, serve

TOKEN = "a-token-that-nobody-may-read"
ORDERS = """\
naftiko: 1.0.0-alpha2
info: {label: Orders, description: Orders.}
binds:
  - {namespace: secrets, keys: {token: SHOP_TOKEN}}
capability:
  consumes:
    - namespace: shop
      type: http
      baseUri: UPSTREAM
      authentication: {type: bearer, token: "{{token}}"}
      resources:
        - name: orders
          path: /orders
          operations:
            - {name: list, method: GET}
            - {name: place, method: POST}
  exposes:
    - type: rest
      namespace: orders-rest
      port: 8080
      resources:
        - path: /orders
          operations:
            - {method: GET, name: list, call: shop.list}
            - method: POST
              name: place
              call: shop.place
              inputParameters: [{name: body, in: body, type: object}]
        - path: /raw/{path}
          name: raw
          forward: {targetNamespace: shop}
    - type: mcp
      namespace: orders-mcp
      port: 9090
      transport: http
      tools:
        - name: place
          description: Places an order.
          call: shop.place
          inputParameters: [{name: body, type: object, description: The order.}]
"""
ENV = {"SHOP_TOKEN": TOKEN}


@pytest.fixture
def audited(folder: Path, upstream: RecordingUpstream) -> Path:
    """A folder with the capability and settings that do nothing but record."""
    (folder / "orders.yaml").write_text(ORDERS.replace("UPSTREAM", upstream.url))
    (folder / "runtime.yaml").write_text("audit: {file: audit.jsonl}\n")
    return folder


def place(serving: Serving, quantity: int = 1, path: str = "/orders") -> httpx2.Response:
    body = {"quantity": quantity}
    return httpx2.post(serving.rest() + path, json=body, timeout=60, trust_env=False)


def records(folder: Path, name: str = "audit.jsonl") -> list[dict[str, Any]]:
    path = folder / name
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def is_whole(path: Path) -> bool:
    return run_naftiko("audit", "verify", path).returncode == 0


def test_calls_that_can_change_something_are_recorded_guarded_or_not(
    audited: Path, upstream: RecordingUpstream
) -> None:
    before_sent: list[int] = []

    def answer(request: RecordedRequest) -> Reply:
        before_sent.append(len(records(audited)))
        return reply_json({"id": 7}, status=201)

    upstream.answers(answer)
    with serve(audited, env=ENV) as serving:
        assert httpx2.get(serving.rest() + "/orders", trust_env=False, timeout=60).status_code < 400
        assert place(serving, quantity=5).status_code == 201
        assert place(serving, path="/raw/orders").status_code == 201
    begun, ended, forwarded, answered = records(audited)
    assert before_sent == [0, 1, 3]
    assert begun["event"] == "begin"
    assert begun["call"]["protocol"] == "rest"
    assert begun["call"]["request"]["operation"] == "shop.place"
    assert begun["call"]["request"]["body"] == {"quantity": 5}
    assert (ended["of"], ended["call"]["status"]) == (1, 201)
    assert ended["call"]["duration"] > 0
    assert forwarded["call"]["request"]["url"].endswith("/orders")
    assert (answered["of"], answered["call"]["status"]) == (3, 201)
    assert TOKEN not in (audited / "audit.jsonl").read_text()
    assert upstream.requests[1].header("authorization") == f"Bearer {TOKEN}"
    assert is_whole(audited / "audit.jsonl")


def test_what_cannot_be_recorded_is_not_sent(audited: Path, upstream: RecordingUpstream) -> None:
    (audited / "runtime.yaml").write_text("audit: {file: later/audit.jsonl}\n")
    with serve(audited, env=ENV) as serving:
        serving.wait_for_log("No such file or directory")
        refused = place(serving)
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:naftiko:problem:audit-unavailable"
        assert place(serving, path="/raw/orders").status_code == 503
        assert str(audited) not in refused.text
        assert (
            httpx2.get(serving.rest() + "/orders", trust_env=False, timeout=60).status_code == 200
        )
        assert [request.method for request in upstream.requests] == ["GET"]
        (audited / "later").mkdir()
        assert place(serving).status_code == 200
    assert len(records(audited, "later/audit.jsonl")) == 2


def test_a_journal_that_was_cut_off_stops_what_can_change_something(
    audited: Path, upstream: RecordingUpstream
) -> None:
    with serve(audited, env=ENV) as serving:
        assert place(serving).status_code == 200
    journal = audited / "audit.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    with serve(audited, env=ENV) as serving:
        serving.wait_for_log("there have been 2")
        assert place(serving).status_code == 503
    assert len(upstream.requests) == 1


def test_a_line_that_a_crash_left_unfinished_is_told_at_the_start(audited: Path) -> None:
    with serve(audited, env=ENV) as serving:
        assert place(serving).status_code == 200
    with (audited / "audit.jsonl").open("ab") as journal:
        journal.write(b'{"number":3,"time"')
    with serve(audited, env=ENV) as serving:
        serving.wait_for_log("18 bytes of an unfinished record")
        assert place(serving).status_code == 200
    assert is_whole(audited / "audit.jsonl")


def test_workers_share_one_chain(audited: Path) -> None:
    ports = [f"--port=8080={free_port()}", f"--port=9090={free_port()}"]
    options = ["--workers=2", *ports]
    with (
        serve(audited, options=options, env=ENV, ports=()) as serving,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda n: place(serving, n), range(60)))
        assert {answer.status_code for answer in answers} == {200}
    quantities = [
        record["call"]["request"]["body"]["quantity"]
        for record in records(audited)
        if record["event"] == "begin"
    ]
    assert sorted(quantities) == list(range(60))
    assert is_whole(audited / "audit.jsonl")


def test_a_kill_loses_no_record_of_what_was_sent(
    audited: Path, upstream: RecordingUpstream
) -> None:
    def kill(request: RecordedRequest) -> Reply:
        serving.process.send_signal(signal.SIGKILL)
        return reply_json({})

    upstream.answers(kill)
    with serve(audited, env=ENV) as serving:
        with pytest.raises(httpx2.TransportError):
            place(serving, quantity=3)
        serving.process.wait()
        serving.process.returncode = 0  # the end that the test wanted
    (begun,) = records(audited)
    assert begun["call"]["request"]["body"] == {"quantity": 3}
    verified = run_naftiko("audit", "verify", audited / "audit.jsonl")
    assert verified.returncode == 0
    assert "calls without an outcome: 1 " in verified.stdout


def test_a_journal_that_the_settings_name_later_is_used_from_then_on(audited: Path) -> None:
    with serve(audited, env=ENV) as serving:
        assert place(serving, quantity=1).status_code == 200
        (audited / "runtime.yaml").write_text("audit: {file: other.jsonl}\n")
        serving.wait_for_event("settings", count=2)
        assert place(serving, quantity=2).status_code == 200
    assert len(records(audited)) == len(records(audited, "other.jsonl")) == 2
    assert is_whole(audited / "other.jsonl")
