"""Guards of a running process: as its settings and its files change, over HTTP and over standard
input."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.guards.shop import BUY, SHOP, answer
from tests.recording_upstream import RecordingUpstream
from tests.serving_process import COMMAND, Serving, clean_environment, run_naftiko, serve

READ_ONLY = 'guards: [{match: "*", mode: read-only}]\n'
APPROVE = 'guards: [{match: "*", approve: true}]\napprovals: {port: 0}\n'
OPEN = "guards: []\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def shop_file(folder: Path, upstream: RecordingUpstream) -> Path:
    upstream.answers(answer)
    path = folder / "shop.yaml"
    path.write_text(SHOP.replace("UPSTREAM", upstream.url))
    return path


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def buy(serving: Serving) -> httpx2.Response:
    body = {name: value for name, value in BUY.items() if name != "account"}
    url = serving.rest() + "/accounts/A1/buy"
    return httpx2.post(url, json=body, timeout=60, trust_env=False)


def test_settings_take_effect_as_they_change(folder: Path, shop_file: Path) -> None:
    settings = folder / "runtime.yaml"
    settings.write_text(OPEN)
    with serve(folder) as serving:
        assert buy(serving).status_code == 200
        settings.write_text(READ_ONLY)
        serving.wait_until(lambda: buy(serving).status_code == 403)
        settings.write_text("guards: [{match: ]\n")
        serving.wait_until(lambda: "runtime.yaml" in serving.log)
        assert buy(serving).status_code == 403
        settings.write_text(OPEN)
        serving.wait_until(lambda: buy(serving).status_code == 200)


def test_an_approval_does_not_survive_a_reload_of_the_file(
    folder: Path, shop_file: Path, tmp_path: Path, upstream: RecordingUpstream
) -> None:
    (folder / "runtime.yaml").write_text(APPROVE)
    env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}
    with serve(folder, env=env) as serving:
        parked = buy(serving)
        assert parked.status_code == 428
        id_ = parked.json()["approval"]["id"]
        approved = run_naftiko("approve", id_, env=env)
        assert approved.returncode == 0, approved.stderr

        shop_file.write_text(shop_file.read_text() + "\n# another version\n")
        serving.wait_for_event("changed")
        assert buy(serving).status_code == 428
        assert not upstream.requests


def test_an_approved_call_is_sent(
    folder: Path, shop_file: Path, tmp_path: Path, upstream: RecordingUpstream
) -> None:
    (folder / "runtime.yaml").write_text(APPROVE)
    env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}
    with serve(folder, env=env) as serving:
        id_ = buy(serving).json()["approval"]["id"]
        assert run_naftiko("approve", id_, env=env).returncode == 0
        assert buy(serving).status_code == 200
        assert buy(serving).status_code == 428
        assert len(upstream.requests) == 1


def test_files_without_settings_are_served_unguarded_and_that_is_said(
    folder: Path, shop_file: Path
) -> None:
    with serve(folder) as serving:
        (said,) = serving.events_of("unguarded")
        assert said["tools"] == 4
        assert "place, buy, purchase, ..." in said["message"]
        assert buy(serving).status_code == 200


def test_with_settings_nothing_is_said_of_open_tools(folder: Path, shop_file: Path) -> None:
    (folder / "runtime.yaml").write_text(OPEN)
    with serve(folder) as serving:
        assert not serving.events_of("unguarded")


def test_workers_do_not_guard_with_a_memory_of_their_own(
    folder: Path, shop_file: Path, upstream: RecordingUpstream
) -> None:
    (folder / "runtime.yaml").write_text(APPROVE)
    options = [f"--port={declared}={free_port()}" for declared in (8080, 9090)]
    with serve(folder, options=["--workers=2", *options], ports=[]) as serving:
        refused = buy(serving)
        assert refused.status_code == 503
        assert refused.json()["type"].endswith("state-unavailable")
        assert "one worker" in serving.log
        assert not upstream.requests


@pytest.mark.anyio
async def test_guards_hold_over_standard_input(
    folder: Path, shop_file: Path, upstream: RecordingUpstream
) -> None:
    (folder / "runtime.yaml").write_text(READ_ONLY)
    command, *arguments = [*COMMAND, "stdio", str(folder)]
    process = StdioServerParameters(command=command, args=arguments, env=clean_environment())
    async with Client(stdio_client(process), mode="auto") as client:
        found: dict[str, Any] = dict(BUY)
        assert (await client.call_tool("buy", found)).is_error
        read = await client.call_tool("list-orders", {"account": "A1"})
        assert not read.is_error
    assert [request.method for request in upstream.requests] == ["GET"]
