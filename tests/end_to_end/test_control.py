"""The control port of a real process: health, state, reload, logs."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.capability_text import capability
from tests.end_to_end.controlled import PORTS, ask, control_url, controlled, write
from tests.recording_upstream import RecordingUpstream
from tests.serving_process import serve

CANARY = "s3cret-canary-value"


def test_every_adapter_is_up_once_the_process_is_ready(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS) as serving:
        assert ask(serving, "/health/live").json() == {"status": "UP"}
        ready = ask(serving, "/health/ready")
        assert ready.status_code == 200
        common = {"state": "UP", "capability": "orders"}
        assert ready.json() == {
            "status": "UP",
            "adapters": [
                {"type": "rest", "namespace": "orders-rest", "port": serving.port(8080)} | common,
                {"type": "mcp", "namespace": "orders-mcp", "port": serving.port(9090)} | common,
                {"type": "control", "namespace": None, "port": serving.port(9100)} | common,
            ],
        }
        assert ask(serving, "/health/ready", "HEAD").content == b""
        assert ask(serving, "/health/ready", "POST").status_code == 405


def test_an_adapter_whose_port_is_taken_makes_the_process_degraded(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, "list"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serve(folder, ports=PORTS[1:], options=[f"--port=8080={port}"]) as serving:
            ready = ask(serving, "/health/ready")
            assert ready.status_code == 503
            assert ready.json()["status"] == "DEGRADED"
            states = {each["type"]: each["state"] for each in ready.json()["adapters"]}
            assert states == {"rest": "DOWN", "mcp": "UP", "control": "UP"}
            assert ask(serving, "/health/live").status_code == 200


def test_an_adapter_that_cannot_ask_for_its_authentication_makes_the_process_degraded(
    folder: Path, upstream: RecordingUpstream
) -> None:
    text = controlled(upstream.url, "list").replace(
        "  - type: mcp\n", "  - type: mcp\n    authentication: {type: bearer, token: '{{UNSET}}'}\n"
    )
    write(folder, text)
    with serve(folder, ports=PORTS) as serving:
        ready = ask(serving, "/health/ready")
        assert ready.status_code == 503
        states = {each["type"]: each["state"] for each in ready.json()["adapters"]}
        assert states == {"rest": "UP", "mcp": "DOWN", "control": "UP"}


def test_only_health_answers_where_the_file_turns_nothing_on(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, control={}))
    with serve(folder, ports=PORTS) as serving:
        for path in ("/status", "/config", "/logs", "/logs/stream", "/metrics", "/traces"):
            answered = ask(serving, path)
            assert answered.status_code == 404
            assert answered.headers["content-type"] == "application/problem+json"
        for path in ("/config/reload", "/config/validate"):
            assert ask(serving, path, "POST").status_code == 404
        assert ask(serving, "/health/live").status_code == 200


def test_the_state_of_the_process_is_told(folder: Path, upstream: RecordingUpstream) -> None:
    write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS) as serving:
        status = ask(serving, "/status").json()
        assert status["capability"] == "orders"
        assert status["engine"]["name"] == "naftiko-runtime"
        assert status["uptimeSeconds"] >= 0
        assert [each["state"] for each in status["capabilities"]] == ["SERVED"]
        assert {each["type"] for each in status["adapters"]} == {"rest", "mcp", "control"}
        (config,) = ask(serving, "/config").json()["capabilities"]
        assert config["upstreams"] == {"orders": upstream.url}
        rest = config["adapters"][0]
        assert rest["operations"] == [{"method": "GET", "path": "/orders/list", "name": "list"}]


@pytest.fixture
def secretive(folder: Path, upstream: RecordingUpstream) -> Iterator[Any]:
    """A process whose files, variables and callers are full of secrets."""
    binds = [{"namespace": "env", "keys": {"API_TOKEN": "API_TOKEN", "UNSET_ONE": "UNSET_ONE"}}]
    text = controlled(upstream.url, "list", binds=binds)
    text = text.replace(
        "    namespace: orders\n",
        "    namespace: orders\n    authentication: {type: bearer, token: '{{API_TOKEN}}'}\n",
        1,
    ).replace(
        "  - type: mcp\n",
        "  - type: mcp\n    authentication: "
        f"{{type: apikey, key: X-Key, value: {CANARY}-literal}}\n",
    )
    write(folder, text)
    with serve(folder, ports=PORTS, env={"API_TOKEN": CANARY}) as serving:
        yield serving


def test_no_page_of_the_control_port_holds_a_secret(
    secretive: Any, upstream: RecordingUpstream
) -> None:
    with httpx2.stream("GET", control_url(secretive, "/logs/stream"), timeout=60) as stream:
        ask(secretive, "/logs", "PUT", json={"level": "debug"})
        target = secretive.rest(8080) + f"/orders/list?given={CANARY}-query"
        called = httpx2.get(target, headers={"x-given": f"{CANARY}-header"}, timeout=60)
        assert called.status_code == 200
        assert upstream.requests[0].header("authorization") == f"Bearer {CANARY}"
        assert CANARY not in json.dumps(next_event(stream, "call"))
    assert ask(secretive, "/config").json()["capabilities"][0]["variables"] == {
        "API_TOKEN": "***",
        "UNSET_ONE": None,
    }
    (trace,) = ask(secretive, "/traces").json()["traces"]
    paths = ["/config", "/status", "/metrics", "/traces", "/health/ready", "/logs"]
    for path in [*paths, f"/traces/{trace['traceId']}"]:
        answered = ask(secretive, path)
        assert answered.status_code == 200
        assert CANARY not in answered.text
    for path in ("/config/validate", "/config/reload"):
        assert CANARY not in ask(secretive, path, "POST").text
    assert CANARY not in secretive.log


def test_files_are_checked_without_being_taken_over(
    folder: Path, upstream: RecordingUpstream
) -> None:
    path = write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS, options=["--no-watch"]) as serving:
        assert ask(serving, "/config/validate", "POST").json() == {
            "valid": True,
            "files": 1,
            "problems": [],
        }
        write(folder, controlled(upstream.url, "list").replace("orders.list", "orders.lits"))
        found = ask(serving, "/config/validate", "POST").json()
        assert found["valid"] is False
        assert {problem["rule"] for problem in found["problems"]} == {"unknown-reference"}
        for problem in found["problems"]:
            assert problem["file"] == str(path)
            assert "orders.lits" in path.read_text().splitlines()[problem["line"] - 1]
            assert problem["remedy"] == 'did you mean "orders.list"?'
        assert httpx2.get(serving.rest(8080) + "/orders/list", timeout=60).status_code == 200
        assert ask(serving, "/status").json()["capabilities"][0]["state"] == "SERVED"


def test_what_has_changed_is_taken_over_when_asked_for(
    folder: Path, upstream: RecordingUpstream
) -> None:
    path = write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS, options=["--no-watch"]) as serving:
        assert ask(serving, "/config/reload", "POST").json()["changed"] == []
        write(folder, controlled(upstream.url, "list", "cancel"))
        second = write(folder, controlled(upstream.url, control={}, name="more"), "second.yaml")
        assert httpx2.get(serving.rest(8080) + "/orders/cancel", timeout=60).status_code == 404
        done = ask(serving, "/config/reload", "POST").json()
        assert (done["status"], done["changed"]) == ("RELOADED", [str(path), str(second)])
        assert httpx2.get(serving.rest(8080) + "/orders/cancel", timeout=60).status_code == 200
        assert httpx2.get(serving.rest(8080) + "/more/ping", timeout=60).status_code == 200
        assert [problem["rule"] for problem in done["problems"]] == ["control-taken"]
        second.unlink()
        assert ask(serving, "/config/reload", "POST").json()["removed"] == [str(second)]
        assert httpx2.get(serving.rest(8080) + "/more/ping", timeout=60).status_code == 404


def test_a_broken_file_is_named_and_its_last_good_version_goes_on(
    folder: Path, upstream: RecordingUpstream
) -> None:
    path = write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS, options=["--no-watch"]) as serving:
        path.write_text("naftiko: [")
        done = ask(serving, "/config/reload", "POST").json()
        assert (done["status"], done["kept"]) == ("KEPT", [str(path)])
        assert done["problems"][0]["line"] == 1
        assert httpx2.get(serving.rest(8080) + "/orders/list", timeout=60).status_code == 200
        assert ask(serving, "/status").json()["capabilities"][0]["state"] == "KEPT"


def test_a_reload_may_close_the_port_that_asked_for_it(
    folder: Path, upstream: RecordingUpstream
) -> None:
    path = write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS, options=["--no-watch"]) as serving:
        path.write_text(capability("orders", upstream.url, "list"))
        assert ask(serving, "/config/reload", "POST").json()["changed"] == [str(path)]
        serving.wait_for_event("closed", declared=9100)
        with pytest.raises(httpx2.ConnectError):
            ask(serving, "/health/live")
        assert httpx2.get(serving.rest(8080) + "/orders/list", timeout=60).status_code == 200


def test_log_levels_are_shown_and_set(folder: Path, upstream: RecordingUpstream) -> None:
    write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS) as serving:
        shown = ask(serving, "/logs").json()
        assert shown["levels"] == ["debug", "info", "warning", "error"]
        assert {"logger": "naftiko", "level": "info"} in shown["loggers"]
        assert ask(serving, "/logs/naftiko", "PUT", json={"level": "DEBUG"}).json() == {
            "logger": "naftiko",
            "level": "debug",
        }
        assert ask(serving, "/logs/naftiko").json()["level"] == "debug"
        httpx2.get(serving.rest(8080) + "/orders/list", timeout=60)
        serving.wait_for_event("call", path="/orders/list", status=200)
        assert ask(serving, "/logs", "PUT", json={"level": "warning"}).status_code == 200
        assert {each["level"] for each in ask(serving, "/logs").json()["loggers"]} == {"warning"}


@pytest.mark.parametrize(
    ("path", "options", "status", "said"),
    [
        ("/logs", {"json": {"level": "loud"}}, 400, "debug, info, warning, error"),
        ("/logs", {"json": {"level": 10}}, 400, "debug, info, warning, error"),
        ("/logs", {"json": ["debug"]}, 400, "debug, info, warning, error"),
        ("/logs", {"content": b"{"}, 400, "not JSON"),
        ("/logs", {"content": b"level=debug", "headers": {"content-type": "text/plain"}}, 415, ""),
        ("/logs", {"content": b"[" * 5000}, 413, "4096 bytes"),
        ("/logs/httpx2", {"json": {"level": "debug"}}, 404, 'no logger "httpx2"'),
        ("/logs/root", {"json": {"level": "debug"}}, 404, 'no logger "root"'),
    ],
)
def test_a_level_that_cannot_be_set_is_a_problem_document(
    control_port: Any, path: str, options: dict[str, Any], status: int, said: str
) -> None:
    answered = ask(control_port, path, "PUT", **options)
    assert answered.status_code == status
    assert answered.headers["content-type"] == "application/problem+json"
    assert said in answered.json()["detail"]


@pytest.fixture(scope="module")
def control_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One process for the tests that change nothing of it."""
    folder = tmp_path_factory.mktemp("capabilities")
    write(folder, controlled("http://127.0.0.1:9", "list"))
    with serve(folder, ports=PORTS) as serving:
        yield serving


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}]
)
def test_a_page_of_another_site_cannot_make_a_browser_reload(
    control_port: Any, headers: dict[str, str]
) -> None:
    for method, path in (("POST", "/config/reload"), ("PUT", "/logs"), ("GET", "/config")):
        assert ask(control_port, path, method, headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/", "/nothing", "/logs/", "/traces/", "/health", "/%2e%2e/x"])
def test_an_unknown_path_is_told_what_there_is(control_port: Any, path: str) -> None:
    answered = ask(control_port, path)
    assert answered.status_code == 404
    assert '"/health/ready"' in answered.json()["detail"]


def next_event(stream: httpx2.Response, name: str) -> dict[str, Any]:
    """The next event of that name in a stream of the log."""
    for line in stream.iter_lines():
        if line.startswith("data: "):
            event: dict[str, Any] = json.loads(line.removeprefix("data: "))
            if event["event"] == name:
                return event
    raise AssertionError("the stream ended")


def test_the_log_is_streamed_as_it_is_written(folder: Path, upstream: RecordingUpstream) -> None:
    logs = {"management": {"logs": {"stream": True, "max-subscribers": 2}}}
    path = write(folder, controlled(upstream.url, "list", control=logs))
    with serve(folder, ports=PORTS) as serving:
        url = control_url(serving, "/logs/stream")
        with (
            httpx2.stream("GET", url, timeout=60) as one,
            httpx2.stream("GET", url, timeout=60) as two,
        ):
            assert one.headers["content-type"] == "text/event-stream"
            refused = ask(serving, "/logs/stream")
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:naftiko:problem:too-many-subscribers"
            path.write_text(controlled(upstream.url, "list", "cancel", control=logs))
            for stream in (one, two):
                event = next_event(stream, "changed")
                assert event["level"] == "info"
                assert event["file"] == str(path)
        with httpx2.stream("GET", url, timeout=60) as again:
            assert again.status_code == 200


def test_a_line_from_outside_cannot_forge_an_event_of_the_stream(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, "list"))
    events: list[str] = []
    with (
        serve(folder, ports=PORTS, options=["--log-level=debug"]) as serving,
        httpx2.stream("GET", control_url(serving, "/logs/stream"), timeout=60) as stream,
    ):
        httpx2.get(serving.rest(8080) + "/orders/%0A%0Aevent:%20log%0Adata:%20forged", timeout=60)
        httpx2.get(serving.rest(8080) + "/orders/list", timeout=60)
        for line in stream.iter_lines():
            events.append(line)
            if line.startswith("data:") and '"/orders/list"' in line:
                break
    assert not [line for line in events if line.startswith(("data: forged", "data:forged"))]
    assert all(line.startswith(("event: log", "data: {", ":")) for line in events if line)


def test_an_open_stream_does_not_keep_the_process_from_stopping(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, "list"))
    with (
        serve(folder, ports=PORTS, options=["--grace=300"]) as serving,
        httpx2.stream("GET", control_url(serving, "/logs/stream"), timeout=60) as stream,
    ):
        assert stream.status_code == 200
        assert serving.stop() == 0


def test_a_guarded_control_port_answers_nothing_without_its_token(
    folder: Path, upstream: RecordingUpstream
) -> None:
    binds = [{"namespace": "env", "keys": {"CONTROL_TOKEN": "CONTROL_TOKEN"}}]
    control = {
        "management": {"info": True, "reload": True, "logs": True},
        "observability": {},
        "authentication": {"type": "bearer", "token": "{{CONTROL_TOKEN}}"},
    }
    write(folder, controlled(upstream.url, "list", control=control, binds=binds))
    with serve(folder, ports=PORTS, env={"CONTROL_TOKEN": CANARY}) as serving:
        paths = ["/health/live", "/health/ready", "/status", "/logs", "/logs/stream", "/metrics"]
        for headers in ({}, {"authorization": "Bearer wrong"}):
            for path in [*paths, "/traces", "/nothing"]:
                answered = ask(serving, path, headers=headers)
                assert answered.status_code == 401
                assert answered.headers["www-authenticate"].startswith("Bearer")
            assert ask(serving, "/config/reload", "POST", headers=headers).status_code == 401
        right = {"authorization": f"Bearer {CANARY}"}
        assert ask(serving, "/health/ready", headers=right).status_code == 200
        assert ask(serving, "/config/reload", "POST", headers=right).status_code == 200


def test_the_control_port_stays_on_this_machine_when_the_others_do_not(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, "list"))
    with serve(folder, ports=PORTS, options=["--host=0.0.0.0"]) as serving:
        addresses = {e["protocol"]: e["address"] for e in serving.events_of("listening")}
        assert addresses == {"REST": "0.0.0.0", "MCP": "0.0.0.0", "CONTROL": "127.0.0.1"}
        warned = serving.events_of("problem", rule="open-to-others")
        assert len(warned) == 2


def test_an_open_control_port_that_others_reach_is_warned_of(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, control={"address": "0.0.0.0"}))
    with serve(folder, ports=PORTS) as serving:
        (warned,) = serving.events_of("problem", rule="open-to-others")
        assert "see and control this process" in warned["problem"]


def test_control_endpoints_share_a_port_with_operations(
    folder: Path, upstream: RecordingUpstream
) -> None:
    shared = {"port": 8080, "management": {"info": True}}
    write(folder, controlled(upstream.url, "list", control=shared))
    with serve(folder, ports=PORTS) as serving:
        base = serving.rest(8080)
        assert httpx2.get(base + "/health/ready", timeout=60).json()["status"] == "UP"
        assert httpx2.get(base + "/status", timeout=60).status_code == 200
        assert httpx2.get(base + "/orders/list", timeout=60).status_code == 200
        assert httpx2.get(base + "/metrics", timeout=60).status_code == 404
        assert httpx2.get(base + "/openapi.json", timeout=60).status_code == 200


def test_an_operation_keeps_the_path_of_a_control_endpoint(
    folder: Path, upstream: RecordingUpstream
) -> None:
    shared = {"port": 8080, "management": {"info": True}}
    text = controlled(upstream.url, "list", control=shared).replace("/orders/list", "/status")
    write(folder, text)
    with serve(folder, ports=PORTS) as serving:
        assert serving.wait_for_event("problem", rule="path-taken")["remedy"] == (
            "give this adapter a port of its own"
        )
        assert httpx2.get(serving.rest(8080) + "/status", timeout=60).json()["target"] == "/list"
        assert httpx2.get(serving.rest(8080) + "/health/live", timeout=60).status_code == 404
