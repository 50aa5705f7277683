"""`naftiko serve`: what it opens, what it says, and what it cannot go on without."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.capability_text import capability
from tests.recording_upstream import RecordingUpstream
from tests.serving_process import run_naftiko
from tests.serving_process import serve_cold as serve

Drop = Callable[..., Path]


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=60, trust_env=False)


def tool_names(url: str) -> list[str]:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": _modern()}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/list",
    }
    answer = httpx2.post(url, json=message, headers=headers, timeout=60, trust_env=False)
    return [tool["name"] for tool in answer.json()["result"]["tools"]]


def _modern() -> dict[str, object]:
    prefix = "io.modelcontextprotocol/"
    return {"_meta": {prefix + "protocolVersion": "2026-07-28", prefix + "clientCapabilities": {}}}


def test_a_folder_answers_rest_and_mcp(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "live", "cancel")
    drop("accounts", "list")
    with serve(folder) as serving:
        answer = get(serving.rest() + "/orders/live")
        assert (answer.status_code, answer.json()["target"]) == (200, "/live")
        assert get(serving.rest() + "/accounts/list").status_code == 200
        assert tool_names(serving.mcp()) == ["accounts-list", "orders-live", "orders-cancel"]
        listening = serving.events_of("listening")
        assert [(e["protocol"], e.get("operations"), e.get("tools")) for e in listening] == [
            ("REST", 3, None),
            ("MCP", None, 3),
        ]
        assert listening[0]["files"] == 2
    assert [request.target for request in upstream.requests] == ["/live", "/list"]


def test_the_lines_for_a_person_name_each_address(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--log-format=text"], wait=False) as serving:
        serving.wait_for_log(r"(?m)^ready in .* watching .*capabilities")
        assert serving.lines[0].startswith("REST  http://127.0.0.1:")
        assert "  1 operation from 1 file  docs: http://127.0.0.1:" in serving.lines[0]
        assert serving.lines[1].startswith("MCP   http://127.0.0.1:")
        assert "/mcp  1 tool" in serving.lines[1]
        assert "\033" not in serving.log


def test_the_default_is_the_folder_capabilities(tmp_path: Path, drop: Drop, folder: Path) -> None:
    drop("orders", "live")
    with serve(cwd=tmp_path) as serving:
        assert get(serving.rest() + "/orders/live").status_code == 200


def test_without_a_folder_or_file_it_says_so_and_ends(tmp_path: Path) -> None:
    done = run_naftiko("serve", cwd=tmp_path)
    assert done.returncode == 1
    assert 'there is no file or folder "capabilities"' in done.stderr
    assert "nothing to serve" in done.stderr


def test_an_empty_folder_is_waited_for_only_when_watched(folder: Path, drop: Drop) -> None:
    done = run_naftiko("serve", folder, "--no-watch")
    assert done.returncode == 1
    assert "there is no capability file in" in done.stderr
    with serve(folder) as serving:
        assert serving.events_of("ready", waiting=True)
        drop("orders", "live")
        serving.wait_for_event("listening", protocol="REST")
        assert get(serving.rest() + "/orders/live").status_code == 200


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"\x00\x01\x02\xff binary", 1),
        (b"naftiko: [", 1),
        (b"naftiko: 9.9.9\ninfo: {label: x}\ncapability: {}\n", 1),
        (b"openapi: 3.1.0\ninfo: {title: x}\n", 1),
    ],
)
def test_a_file_that_is_no_capability_is_named_and_the_command_ends(
    tmp_path: Path, content: bytes, line: int
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    done = run_naftiko("serve", path)
    assert done.returncode == 1
    assert f"{path}:{line}:" in done.stderr
    assert "nothing to serve" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_with_errors_is_named_and_the_others_are_served(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    broken = folder / "broken.yaml"
    broken.write_text("naftiko: 1.0.0-alpha2\ninfo: {label: x\n")
    with serve(folder) as serving:
        assert get(serving.rest() + "/orders/live").status_code == 200
        problem = serving.wait_for_event("problem", file=str(broken))
        assert problem["level"] == "error"
        assert problem["line"] in (2, 3)
        assert problem["remedy"]


def test_a_yaml_file_of_another_kind_is_passed_over_with_a_warning(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    (folder / "openapi.yaml").write_text("openapi: 3.1.0\n")
    with serve(folder) as serving:
        problem = serving.wait_for_event("problem", rule="not-a-capability")
        assert problem["level"] == "warning"
        assert serving.events_of("listening", files=1)


def test_a_file_of_consumed_apis_alone_serves_nothing_and_is_no_problem(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    (folder / "apis.yaml").write_text(
        "naftiko: 1.0.0-alpha2\n"
        "consumes:\n- type: http\n  namespace: api\n  baseUri: http://localhost:1\n"
        "  description: An API.\n  resources:\n  - name: things\n    path: /things\n"
        "    operations:\n    - name: list\n      method: GET\n"
    )
    with serve(folder) as serving:
        assert serving.events_of("problem") == []
        assert serving.events_of("listening", files=1)


def test_what_is_passed_over_in_a_file_is_a_warning_here(folder: Path, drop: Drop) -> None:
    path = drop("orders", "live")
    path.write_text(path.read_text() + "orchestration: {steps: []}\n")
    with serve(folder) as serving:
        (problem,) = serving.events_of("problem")
        assert problem["level"] == "warning"
        assert "orchestration" in problem["message"]
        assert get(serving.rest() + "/orders/live").status_code == 200


def test_variables_come_from_a_file_and_the_environment_wins(
    folder: Path, upstream: RecordingUpstream, tmp_path: Path
) -> None:
    text = capability("orders", upstream.url, "live").replace(
        "    description: An upstream.\n",
        "    description: An upstream.\n    authentication: {type: bearer, token: '{{KEY}}'}\n",
    )
    (folder / "orders.yaml").write_text(
        text.replace(
            "capability:\n", "binds:\n- namespace: env\n  keys: {KEY: KEY}\ncapability:\n", 1
        )
    )
    (tmp_path / ".env").write_text("KEY=from-file\n")
    options = ["--env-file", str(tmp_path / ".env")]
    for env, expected in (({}, "from-file"), ({"KEY": "from-environment"}, "from-environment")):
        with serve(folder, options=options, env=env) as serving:
            assert get(serving.rest() + "/orders/live").status_code == 200
            assert "from-" not in serving.log
        assert upstream.requests[-1].header("authorization") == f"Bearer {expected}"


def test_a_base_uri_can_be_replaced_by_namespace(folder: Path, upstream: RecordingUpstream) -> None:
    (folder / "orders.yaml").write_text(capability("orders", "http://localhost:1", "live"))
    with serve(folder, options=["--base-uri", f"orders={upstream.url}/moved"]) as serving:
        assert get(serving.rest() + "/orders/live").json()["target"] == "/moved/live"


def test_a_call_is_logged_on_demand_without_its_query(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder, options=["--log-level=debug"]) as serving:
        get(serving.rest() + "/orders/live?token=secret")
        call = serving.wait_for_event("call")
        assert (call["method"], call["path"], call["status"]) == ("GET", "/orders/live", 200)
        assert "secret" not in serving.log
    with serve(folder) as serving:
        get(serving.rest() + "/orders/live")
    assert serving.events_of("call") == []


def test_a_ca_file_that_is_not_there_is_named(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    done = run_naftiko("serve", folder, "--ca", "absent.pem", "--port=8080=0", "--port=9090=0")
    assert done.returncode == 1
    assert "--ca absent.pem" in done.stderr


def test_only_this_machine_is_listened_to_by_default(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder) as serving:
        assert {event["address"] for event in serving.events_of("listening")} == {"127.0.0.1"}
        with socket.socket() as other:
            other.settimeout(20)
            assert other.connect_ex(("127.0.0.2", serving.port(8080))) != 0


def test_an_address_that_others_reach_is_served_with_a_warning(folder: Path, drop: Drop) -> None:
    drop("orders", "live", address="0.0.0.0", mcp_port=None)
    with serve(folder) as serving:
        (problem,) = serving.events_of("problem", rule="open-to-others")
        assert problem["level"] == "warning"
        assert get(f"http://127.0.0.2:{serving.port(8080)}/orders/live").status_code == 200
    with serve(folder, options=["--host", "127.0.0.1"]) as serving:
        assert serving.events_of("problem") == []


def test_o8_a_name_with_control_characters_cannot_forge_a_log_line(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    (folder / "evil\n\x1b[31merror: forged.yaml").write_text("a: 1\n")
    with serve(folder, options=["--log-format=text"], wait=False) as serving:
        serving.wait_for_log(r"(?m)^ready")
        assert "\x1b" not in serving.log
        assert not any(line.startswith("\x1b") or "forged" in line[:9] for line in serving.lines)
        assert "evil\\n\\x1b[31merror" in serving.log
