"""Ports: shared ones, moved ones, and ones that cannot be opened."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.serving_process import run_naftiko, serve

Drop = Callable[..., Path]


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=60, trust_env=False)


def post_initialize(url: str) -> httpx2.Response:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    headers = {"accept": "application/json, text/event-stream"}
    return httpx2.post(url, json=message, headers=headers, timeout=60, trust_env=False)


def test_rest_and_mcp_of_one_port_are_both_served_there(folder: Path, drop: Drop) -> None:
    drop("orders", "live", rest_port=8080, mcp_port=8080)
    with serve(folder, ports=[8080]) as serving:
        origin = serving.rest(8080)
        assert serving.mcp(8080) == f"{origin}/mcp"
        assert get(f"{origin}/orders/live").status_code == 200
        assert get(f"{origin}/openapi.json").status_code == 200
        for path in ("/mcp", "/"):
            assert post_initialize(origin + path).status_code == 200
        assert get(f"{origin}/absent").json()["type"] == "urn:naftiko:problem:unknown-path"


def test_an_operation_at_the_path_of_mcp_wins_for_its_method(folder: Path, drop: Drop) -> None:
    drop("orders", "mcp", rest_port=8080, mcp_port=8080, prefix="")
    with serve(folder, ports=[8080]) as serving:
        assert get(serving.mcp(8080)).json()["target"] == "/mcp"
        assert post_initialize(serving.mcp(8080)).status_code == 200


def test_two_ports_can_be_moved_to_one(folder: Path, drop: Drop) -> None:
    drop("orders", "live", rest_port=8080, mcp_port=None)
    drop("accounts", "list", rest_port=8081, mcp_port=None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--port=8080={port}", f"--port=8081={port}"]
    with serve(folder, options=options, ports=[]) as serving:
        assert serving.rest(8080) == f"http://127.0.0.1:{port}"
        assert get(f"http://127.0.0.1:{port}/orders/live").status_code == 200
        assert get(f"http://127.0.0.1:{port}/accounts/list").status_code == 200


def test_a_port_in_use_is_named_with_its_line_and_the_others_are_served(
    folder: Path, drop: Drop
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = drop("orders", "live", rest_port=port)
        with serve(folder) as serving:
            problem = serving.wait_for_event("problem", rule="port-unavailable")
            assert problem["level"] == "error"
            assert problem["file"] == str(path)
            assert "type: rest" in path.read_text().splitlines()[problem["line"] - 1]
            assert f"port {port} is in use" in problem["message"]
            assert problem["remedy"].endswith(f"--port {port}={port + 1}")
            assert post_initialize(serving.mcp()).status_code == 200


def test_when_no_port_can_be_opened_each_is_named_and_the_command_ends(
    folder: Path, drop: Drop
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        ports = [each.getsockname()[1] for each in (one, other)]
        drop("orders", "live", rest_port=ports[0], mcp_port=ports[1])
        done = run_naftiko("serve", folder)
        assert done.returncode == 1
        for port in ports:
            assert f"port {port} is in use" in done.stderr


def test_an_address_of_another_machine_is_named(folder: Path, drop: Drop) -> None:
    drop("orders", "live", address="192.0.2.1")
    done = run_naftiko("serve", folder, "--port=8080=0", "--port=9090=0")
    assert done.returncode == 1
    assert '"192.0.2.1" is not an address of this machine' in done.stderr


def test_a_port_is_free_again_as_soon_as_the_command_has_ended(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    with serve(folder) as serving:
        port = serving.port(8080)
        assert get(serving.rest() + "/orders/live").status_code == 200
    with serve(folder, options=[f"--port=8080={port}"], ports=[9090]) as serving:
        assert serving.port(8080) == port


def test_c3_the_first_of_two_files_keeps_a_route_and_the_other_is_named(
    folder: Path, drop: Drop
) -> None:
    drop("a", "live", prefix="/same", mcp_port=None)
    late = drop("b", "live", prefix="/same", mcp_port=None)
    late.write_text(late.read_text().replace("path: /live", "path: /other"))
    with serve(folder) as serving:
        assert get(serving.rest() + "/same/live").json()["target"] == "/live"
        problem = serving.wait_for_event("problem", rule="route-taken")
        assert problem["file"] == str(late)
        assert str(folder / "a.yaml") in problem["message"]


def test_c3_the_second_of_two_tools_of_a_name_gets_its_namespace_and_is_named(
    folder: Path, drop: Drop
) -> None:
    drop("a", "live", rest_port=None)
    late = drop("b", "live", rest_port=None)
    late.write_text(late.read_text().replace("name: b-live", "name: a-live"))
    with serve(folder) as serving:
        assert serving.events_of("listening", tools=2)
        (problem,) = serving.events_of("problem")
        assert problem["file"] == str(late)
        assert "b-mcp_a-live" in problem["message"]


def test_t1_a_request_under_another_name_is_refused_unless_it_is_allowed(
    folder: Path, drop: Drop
) -> None:
    drop("orders", "live")
    evil = {"host": "evil.example"}
    for options, status in (([], 403), (["--allow-host", "evil.example"], 200)):
        with serve(folder, options=options) as serving:
            answer = httpx2.get(
                serving.rest() + "/orders/live", headers=evil, trust_env=False, timeout=60
            )
            assert answer.status_code == status
