"""`naftiko call`: one operation from a terminal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recording_upstream import RecordingUpstream, Reply, reply_json
from tests.serving_process import run_naftiko

FILE = """\
naftiko: 1.0.0-alpha2
info: {label: Broker, description: A broker.}
binds:
  - namespace: keys
    keys: {TOKEN: BROKER_TOKEN}
capability:
  consumes:
    - type: http
      namespace: broker
      baseUri: ORIGIN/v1
      description: The broker.
      authentication: {type: bearer, token: "{{TOKEN}}"}
      resources:
        - name: orders
          path: /accounts/{account}/orders
          operations:
            - name: list-orders
              method: GET
              inputParameters: [{name: limit, in: query, type: integer}]
            - {name: place, method: POST}
            - {name: cancel, method: DELETE}
            - {name: search, method: POST, semantics: {safe: true}}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - name: newest
          description: The newest order of an account, and its first fill.
          inputParameters: [{name: account, type: string, required: true, description: Whose.}]
          steps:
            - {type: call, name: listed, call: broker.list-orders, with: {account: "{{account}}"}}
            - {type: call, name: again, call: broker.list-orders, with: {account: "{{listed.id}}"}}
          mappings: [{targetName: id, value: $.again.id}]
          outputParameters: [{name: id, type: string}]
"""
TOKEN = "s3cret-bearer-token"


@pytest.fixture
def upstream() -> Iterator[RecordingUpstream]:
    with RecordingUpstream() as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path, upstream: RecordingUpstream) -> Path:
    (tmp_path / "broker.yaml").write_text(FILE.replace("ORIGIN", upstream.url))
    return tmp_path


def call(folder: Path, *words: str, dry_run: bool = False) -> subprocess.CompletedProcess[str]:
    options = ["--dry-run"] if dry_run else []
    done = run_naftiko("call", *words, folder, *options, env={"BROKER_TOKEN": TOKEN})
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def guard(folder: Path, text: str) -> None:
    (folder / "runtime.yaml").write_text(text)


def test_consumed_operation_is_called_with_what_it_is_given(
    folder: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(reply_json([{"id": "7"}]))
    done = call(folder, "broker.list-orders", "account=DU 1/a", "limit=5")
    assert (done.returncode, json.loads(done.stdout)) == (0, [{"id": "7"}])
    assert "status 200, application/json" in done.stderr
    (request,) = upstream.requests
    assert (request.method, request.target) == ("GET", "/v1/accounts/DU%201%2Fa/orders?limit=5")
    assert request.header("authorization") == f"Bearer {TOKEN}"


def test_body_is_given_as_json(folder: Path, upstream: RecordingUpstream) -> None:
    body = '{"orders": [{"price": 230.10}]}'
    assert call(folder, "BROKER.Place", "account=DU1", f"body={body}").returncode == 0
    (request,) = upstream.requests
    assert request.body == body.replace(" ", "").encode()


def test_answer_that_is_no_success_ends_with_1(folder: Path, upstream: RecordingUpstream) -> None:
    upstream.answers(Reply(404, [], b"no such account"))
    done = call(folder, "broker.list-orders", "account=DU1")
    assert (done.returncode, done.stdout) == (1, "no such account")
    assert "status 404" in done.stderr


def test_exposed_tool_is_called_by_its_name(folder: Path, upstream: RecordingUpstream) -> None:
    upstream.answers(reply_json({"id": "first"}), reply_json({"id": "second"}))
    done = call(folder, "newest", "account=DU1")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"id": "second"})
    assert [each.path for each in upstream.requests] == [
        "/v1/accounts/DU1/orders",
        "/v1/accounts/first/orders",
    ]


def test_dry_run_shows_the_request_and_sends_nothing(
    folder: Path, upstream: RecordingUpstream
) -> None:
    body = '{"orders": [{"quantity": 10, "price": 230.10}]}'
    done = call(folder, "broker.place", "account=DU 1", f"body={body}", dry_run=True)
    head, _, shown = done.stdout.rstrip("\n").partition("\n\n")
    first, *headers = head.split("\n")
    assert done.returncode == 0
    assert first == f"POST {upstream.url}/v1/accounts/DU%201/orders"
    assert {"Authorization: ***", "Content-Type: application/json"} <= set(headers)
    assert f"Content-Length: {len(shown)}" in headers
    assert json.loads(shown) == json.loads(body)
    assert "not sent" in done.stderr
    assert upstream.requests == []


def test_dry_run_shows_exactly_what_is_sent_otherwise(
    folder: Path, upstream: RecordingUpstream
) -> None:
    words = ("broker.place", "account=DU1", 'body={"note": "a  b", "price": 1.50}')
    shown = call(folder, *words, dry_run=True).stdout
    assert call(folder, *words).returncode == 0
    (request,) = upstream.requests
    head, _, body = shown.rstrip("\n").partition("\n\n")
    sent = {f"{name}: {value}" for name, value in request.headers if name != "Authorization"}
    assert set(head.split("\n")[1:]) == {*sent, "Authorization: ***"}
    assert body.encode() == request.body


def test_dry_run_of_steps_shows_the_first_request(
    folder: Path, upstream: RecordingUpstream
) -> None:
    done = call(folder, "newest", "account=DU1", dry_run=True)
    assert done.stdout.startswith(f"GET {upstream.url}/v1/accounts/DU1/orders\n")
    assert "depends on the answer" in done.stderr
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["broker.list-order"], 'did you mean "broker.list-orders"?'),
        (["broker.list-orders", "acount=1"], 'did you mean "account"?'),
        (["broker.list-orders"], "account"),
        (["broker.list-orders", "account=1", "limit=many"], "a whole number"),
    ],
)
def test_mistake_is_said_and_nothing_is_sent(
    folder: Path, upstream: RecordingUpstream, words: list[str], said: str
) -> None:
    done = call(folder, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert upstream.requests == []


def test_value_given_twice_is_wrong_usage(folder: Path) -> None:
    assert call(folder, "broker.list-orders", "account=1", "account=2").returncode == 2


def test_unreachable_upstream_is_said(folder: Path) -> None:
    (folder / "broker.yaml").write_text(FILE.replace("ORIGIN", "http://127.0.0.1:1"))
    done = call(folder, "broker.list-orders", "account=DU1")
    assert done.returncode == 1
    assert "[upstream-unreachable]" in done.stderr


PLACING = ("broker.place", "account=DU1", 'body={"quantity": 500}')


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ("guards: [{match: 'broker.*', mode: read-only}]", "read-only"),
        ("guards: [{match: '*.PLACE', callers: [mcp], approve: true}]", "approval-required"),
        (
            "guards: [{match: '*', limits: [{value: $.body.quantity, max: 100}]}]",
            "beyond-limit",
        ),
        ("guards: [{match: '*', idempotency: {key: $.body.id, window: 1h}}]", "read-only"),
        ("audit: {file: missing/folder/audit.jsonl}", "audit-unavailable"),
    ],
)
def test_guards_hold_for_calls_from_a_terminal(
    folder: Path, upstream: RecordingUpstream, settings: str, kind: str
) -> None:
    guard(folder, settings)
    done = call(folder, *PLACING)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"[{kind}]" in done.stderr
    assert call(folder, "broker.list-orders", "account=DU1").returncode == (kind == "beyond-limit")
    assert all(each.method == "GET" for each in upstream.requests)


def test_halt_stops_changes_from_a_terminal(folder: Path, upstream: RecordingUpstream) -> None:
    (folder / "HALT").touch()
    done = call(folder, *PLACING)
    assert done.returncode == 1
    assert "[halted]" in done.stderr
    assert call(folder, "broker.list-orders", "account=DU1").returncode == 0
    assert [each.method for each in upstream.requests] == ["GET"]


def test_calls_that_change_something_are_in_the_journal(
    folder: Path, upstream: RecordingUpstream
) -> None:
    guard(folder, "audit: {file: audit.jsonl}")
    assert call(folder, *PLACING).returncode == 0
    records = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert len(upstream.requests) == 1
    assert TOKEN not in (folder / "audit.jsonl").read_text()
    assert any('"terminal"' in json.dumps(record) for record in records)
    assert run_naftiko("audit", "verify", folder / "audit.jsonl").returncode == 0


def test_dry_run_shows_guarded_calls_too(folder: Path, upstream: RecordingUpstream) -> None:
    guard(folder, "guards: [{match: '*', approve: true}]")
    assert call(folder, *PLACING, dry_run=True).returncode == 0
    assert upstream.requests == []


def test_broken_settings_stop_everything(folder: Path, upstream: RecordingUpstream) -> None:
    guard(folder, "guards: [{mode: read-only}]")
    done = call(folder, "broker.list-orders", "account=DU1")
    assert done.returncode == 1
    assert "runtime.yaml:1" in done.stderr
    assert upstream.requests == []


def test_settings_say_where_and_how_to_call(folder: Path, upstream: RecordingUpstream) -> None:
    (folder / "broker.yaml").write_text(FILE.replace("ORIGIN", "http://127.0.0.1:1"))
    guard(
        folder, f"upstreams: {{broker: {{base-uri: '{upstream.url}', login: 'https://x.example'}}}}"
    )
    upstream.answers(Reply(302, [("location", "/login")]))
    done = call(folder, "broker.list-orders", "account=DU1")
    assert "log in at https://x.example" in done.stderr
    assert "[session-ended]" in done.stderr


@pytest.mark.parametrize(
    ("guards", "passes"),
    [("{match: '*', approve: true}", True), ("{match: broker.search, approve: true}", False)],
)
def test_a_post_that_is_declared_safe_passes_as_it_does_in_the_service(
    folder: Path, upstream: RecordingUpstream, guards: str, passes: bool
) -> None:
    guard(folder, f"guards: [{guards}]")
    done = call(folder, "broker.search", "account=DU1", 'body={"symbol": "A"}')
    assert (done.returncode == 0) is passes, done.stderr
    assert len(upstream.requests) == passes


def test_options_may_stand_anywhere(folder: Path, upstream: RecordingUpstream) -> None:
    env = {"BROKER_TOKEN": TOKEN}
    words = ["broker.place", "--dry-run", "account=DU1", "body={}", str(folder)]
    done = run_naftiko("call", *words, env=env)
    assert done.returncode == 0, done.stderr
    assert "/v1/accounts/DU1/orders" in done.stdout
    assert upstream.requests == []
    for wrong in (["--no-such", "a=b"], ["--dry-run", "a=b", "--no-such"]):
        done = run_naftiko("call", "broker.place", *wrong, env=env)
        assert done.returncode == 2
        assert "--no-such" in done.stderr
    assert run_naftiko("halt", "--lift", folder, "--no-such").returncode == 2
