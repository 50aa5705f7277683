"""Where the approval page opens when its port is not to be had, and over standard input."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anyio.to_thread import run_sync
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult

from tests.end_to_end.approving import (
    ORDER,
    SETTINGS,
    an_upstream,
    settings_with,
    trading_floor,
    write_capability,
)
from tests.exposes.mcp.listener import ERAS
from tests.serving_process import clean_environment, run_naftiko, serve


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_a_port_that_is_taken_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}
    with an_upstream() as upstream, taken_port() as port:
        folder = write_capability(tmp_path, upstream, settings_with(port))
        with serve(folder, env=env, ports=(8080, 9090)) as serving:
            problem = serving.wait_for_event("problem", rule="port-unavailable")["problem"]
            url = serving.rest() + "/orders"
            response = httpx2.post(url, json=ORDER, timeout=60, trust_env=False)
    assert f"port {port} is in use by another process, so that nobody can approve" in problem
    assert response.status_code == 428
    assert not [request for request in upstream.requests if request.path == "/orders"]


@pytest.mark.parametrize(
    ("more", "is_warned"),
    [
        ("", False),
        ("address: 0.0.0.0, ", True),
        ("address: 0.0.0.0, url: 'https://x.test', ", False),
    ],
)
def test_a_page_for_other_machines_without_tls_is_warned_of(
    more: str, is_warned: bool, tmp_path: Path
) -> None:
    settings = SETTINGS.replace("{port", f"{{{more}port")
    with trading_floor(tmp_path, settings) as floor:
        floor.serving.wait_for_event("approvals")
        assert bool(floor.serving.events_of("approvals-open")) is is_warned


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_over_standard_input_waits_for_its_user(era: str, tmp_path: Path) -> None:
    """The port is taken, as by the process of another desktop client: another one will do."""
    asked: list[str] = []
    env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}

    async def ask(context: Any, params: Any) -> ElicitResult:
        asked.append(params.url)
        id_ = params.url.rpartition("/")[2]
        done = await run_sync(lambda: run_naftiko("approve", id_, env=env))
        assert done.returncode == 0, done.stderr
        return ElicitResult(action="accept")

    with an_upstream() as upstream, taken_port() as port:
        folder = write_capability(tmp_path, upstream, settings_with(port))
        program = StdioServerParameters(
            command=sys.executable,
            args=["-m", "naftiko_runtime", "stdio", str(folder)],
            env=clean_environment(env),
        )
        async with Client(program, mode=era, elicitation_callback=ask) as client:
            result = await client.call_tool("place-order", ORDER)
        sent = [request.json() for request in upstream.requests if request.path == "/orders"]
    assert result.is_error is False, result.content
    assert sent == [ORDER]
    assert len(asked) == 1
    assert f":{port}/" not in asked[0]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_form_approves_nothing(era: str, tmp_path: Path) -> None:
    """A client that says yes to whatever it is asked, and to the address without going there."""

    async def ask(context: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={"answer": True, "approve": True})

    env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}
    settings = SETTINGS.replace("60s", "1s")
    with an_upstream() as upstream:
        folder = write_capability(tmp_path, upstream, settings)
        with serve(folder, env=env, ports=(8080, 9090, 9099)) as serving:
            async with Client(serving.mcp(), mode=era, elicitation_callback=ask) as client:
                result = await client.call_tool("place-order", ORDER)
        assert not [request for request in upstream.requests if request.path == "/orders"]
    assert result.is_error


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
