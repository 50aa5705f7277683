"""The operator's settings in running processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters

from tests.end_to_end.controlled import PORTS, ask, controlled, write
from tests.end_to_end.test_serve_workers import free_port
from tests.end_to_end.test_stdio import started
from tests.recording_upstream import RecordingUpstream, Reply
from tests.serving_process import Serving, run_naftiko, serve

Drop = Callable[..., Path]


def get(serving: Serving, path: str) -> httpx2.Response:
    return httpx2.get(serving.rest() + path, timeout=60, trust_env=False)


def put(folder: Path, text: str, name: str = "runtime.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


async def tools_of(server: str | StdioServerParameters) -> list[str]:
    async with Client(server) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


def test_calls_go_to_the_address_of_the_settings(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    with RecordingUpstream() as other:
        put(folder, f"upstreams: {{orders: {{base-uri: '{other.url}/v2'}}}}\n")
        with serve(folder) as serving:
            assert get(serving, "/orders/live").json()["target"] == "/v2/live"
    assert [request.target for request in other.requests] == ["/v2/live"]
    assert upstream.requests == []


def test_an_address_of_the_command_line_comes_first(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    put(folder, "upstreams: {orders: {base-uri: 'http://localhost:1'}}\n")
    with serve(folder, options=[f"--base-uri=orders={upstream.url}/option"]) as serving:
        assert get(serving, "/orders/live").json()["target"] == "/option/live"


def test_changed_settings_take_effect_without_a_restart(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    with serve(folder) as serving:
        assert get(serving, "/orders/live").json()["target"] == "/live"
        put(folder, f"upstreams: {{orders: {{base-uri: '{upstream.url}/v2'}}}}\n")
        serving.wait_for_event("settings")
        assert get(serving, "/orders/live").json()["target"] == "/v2/live"
        put(folder, f"upstreams: {{orders: {{base-uri: '{upstream.url}/v3'}}}}\n")
        serving.wait_for_event("settings", count=2)
        assert get(serving, "/orders/live").json()["target"] == "/v3/live"


def test_a_timeout_of_the_settings_holds_from_the_next_call_on(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    hold = threading.Event()
    upstream.answers(Reply(200, hold=hold))
    with serve(folder) as serving:
        put(folder, "upstreams: {orders: {timeout: 100ms}}\n")
        serving.wait_for_event("settings")
        answer = get(serving, "/orders/live")
        hold.set()
    assert answer.status_code == 504
    assert "no complete answer within 0.1 s" in answer.json()["detail"]


def test_broken_settings_leave_the_last_good_ones_in_force_and_are_named_with_their_line(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    path = put(folder, f"upstreams: {{orders: {{base-uri: '{upstream.url}/v2'}}}}\n")
    with serve(folder) as serving:
        put(folder, "upstreams:\n  orders: {bas-uri: 'http://localhost:1'}\n")
        serving.wait_for_event("settings-kept", file=str(path))
        problem = serving.wait_for_event("problem", file=str(path))
        assert (problem["line"], problem["rule"]) == (2, "unknown-key")
        assert 'did you mean "base-uri"?' in problem["message"]
        assert get(serving, "/orders/live").json()["target"] == "/v2/live"
        put(folder, f"upstreams: {{orders: {{base-uri: '{upstream.url}/v3'}}}}\n")
        serving.wait_for_event("settings", count=2)
        assert get(serving, "/orders/live").json()["target"] == "/v3/live"


def test_settings_that_are_removed_stay_in_force(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live")
    path = put(folder, f"upstreams: {{orders: {{base-uri: '{upstream.url}/v2'}}}}\n")
    with serve(folder) as serving:
        path.unlink()
        serving.wait_for_event("problem", rule="settings-gone")
        assert get(serving, "/orders/live").json()["target"] == "/v2/live"


@pytest.mark.parametrize("command", ["serve", "stdio"])
def test_nothing_is_served_with_settings_that_were_never_good(
    folder: Path, drop: Drop, command: str
) -> None:
    drop("orders", "live")
    path = put(folder, "guards:\n  - macth: '*'\n")
    done = run_naftiko(command, folder, stdin="")
    assert done.returncode == 1
    assert f"{path}:2:5: error:" in done.stderr
    assert "nothing is served without the operator's settings" in done.stderr
    assert "listening" not in done.stderr


def test_settings_may_be_elsewhere(
    folder: Path, drop: Drop, upstream: RecordingUpstream, tmp_path: Path
) -> None:
    drop("orders", "live")
    put(folder, "broken: [")
    chosen = put(tmp_path, f"upstreams: {{orders: {{base-uri: '{upstream.url}/a'}}}}\n", "s.yaml")
    with serve(folder, options=[f"--settings={chosen}"]) as serving:
        assert serving.wait_for_event("settings")["file"] == str(chosen)
        assert get(serving, "/orders/live").json()["target"] == "/a/live"
        put(tmp_path, f"upstreams: {{orders: {{base-uri: '{upstream.url}/b'}}}}\n", "s.yaml")
        serving.wait_for_event("settings", count=2)
        assert get(serving, "/orders/live").json()["target"] == "/b/live"


def test_every_worker_works_by_the_settings(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live", mcp_port=None)
    put(folder, f"upstreams: {{orders: {{base-uri: '{upstream.url}/v2'}}}}\n")
    port = f"--port=8080={free_port()}"
    with serve(folder, options=["--workers=2", port], ports=()) as serving:
        serving.wait_for_event("workers")
        targets = {get(serving, "/orders/live").json()["target"] for _ in range(20)}
    assert targets == {"/v2/live"}
    assert len(serving.events_of("settings")) == 1


@pytest.mark.anyio
async def test_a_hidden_tool_is_neither_listed_nor_called(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live", "cancel")
    put(folder, "tools: {hide: ['*-CANCEL']}\n")
    with anyio.fail_after(60), serve(folder) as serving:
        assert await tools_of(serving.mcp()) == ["orders-live"]
        async with Client(serving.mcp()) as client:
            with pytest.raises(MCPError, match='unknown tool "orders-cancel"') as caught:
                await client.call_tool("orders-cancel", {})
        assert "cancel" not in str(caught.value).replace('"orders-cancel"', "", 1)
        assert get(serving, "/orders/cancel").status_code == 200
        put(folder, "{}")
        serving.wait_for_event("settings", count=2)
        assert await tools_of(serving.mcp()) == ["orders-live", "orders-cancel"]
    assert [request.target for request in upstream.requests] == ["/cancel"]


@pytest.mark.anyio
async def test_a_tool_is_hidden_over_standard_input_too(folder: Path, drop: Drop) -> None:
    drop("orders", "live", "cancel")
    put(folder, "tools: {hide: [orders-cancel]}\n")
    with anyio.fail_after(60):
        assert await tools_of(started(folder)) == ["orders-live"]


def test_validate_checks_the_settings_that_belong_to_a_path(folder: Path, drop: Drop) -> None:
    capability = drop("orders", "live")
    path = put(folder, "upstreams:\n  ordesr: {pool: 1}\n  orders: {timeout: 5}\n")
    done = run_naftiko("validate", capability)
    assert done.returncode == 1
    (problem,) = done.stdout.splitlines()[:-1]
    assert problem.startswith(f'{path}:3:21: error: "timeout" is the number 5')
    put(folder, "upstreams:\n  ordesr: {pool: 1}\n")
    done = run_naftiko("validate", folder)
    assert done.returncode == 0
    assert done.stdout.startswith(f'{path}:2:3: warning: "ordesr" fits no consumed namespace')
    assert done.stdout.endswith("2 files: 1 warning\n")


@pytest.mark.parametrize("by_option", [True, False])
def test_validate_checks_settings_alone(folder: Path, tmp_path: Path, by_option: bool) -> None:
    path = put(folder, "guards: {}\n")
    arguments = [f"--settings={path}", tmp_path / "orders.yaml"] if by_option else [path]
    (tmp_path / "orders.yaml").write_text("naftiko: 1.0.0-alpha2\ninfo: {label: x}\n")
    done = run_naftiko("validate", *arguments)
    assert done.returncode == 1
    assert f'{path}:1:9: error: "guards" is a mapping where a list is expected' in done.stdout


def test_validate_names_an_unset_variable_of_the_settings(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    put(folder, "state: 'redis://:{{REDIS_PASSWORD}}@localhost'\n")
    unset = run_naftiko("validate", folder)
    given = run_naftiko("validate", folder, env={"REDIS_PASSWORD": "c4n4ry"})
    assert (unset.returncode, given.returncode) == (1, 0)
    assert "REDIS_PASSWORD" in unset.stdout
    assert "c4n4ry" not in given.stdout + given.stderr


def test_the_schema_of_the_settings_is_printed() -> None:
    done = run_naftiko("schema", "--settings")
    assert done.returncode == 0
    assert '"title": "Settings of the Naftiko runtime"' in done.stdout


def test_a_control_port_shows_what_is_in_force_without_secrets(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, controlled(upstream.url, "live", "cancel"))
    path = put(
        folder,
        "upstreams: {orders: {timeout: 5s}}\n"
        "guards: [{match: orders.cancel, mode: read-only}]\n"
        "tools: {hide: [orders-cancel]}\n"
        "approvals: {password: c4n4ry-password}\n"
        "state: memory\n",
    )
    with serve(folder, ports=PORTS) as serving:
        shown = ask(serving, "/config").json()
        put(folder, "guards: {}\n")
        serving.wait_for_event("settings-kept")
        later = ask(serving, "/config").json()
    assert shown["operator"] == {
        "file": str(path),
        "kept": False,
        "upstreams": ["orders"],
        "guards": [["orders.cancel"]],
        "hiddenTools": ["orders-cancel"],
        "audit": None,
        "halt": str(folder / "HALT"),
    }
    assert later["operator"] == {**shown["operator"], "kept": True}
    adapters = shown["capabilities"][0]["adapters"]
    assert [each["tools"] for each in adapters if each["type"] == "mcp"] == [["orders-live"]]
    assert "c4n4ry" not in str(shown)
