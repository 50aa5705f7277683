"""`naftiko stdio` as a desktop client starts it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from tests.recording_upstream import RecordingUpstream
from tests.serving_process import ROOT, clean_environment, run_naftiko

Drop = Callable[..., Path]


def started(*arguments: object) -> StdioServerParameters:
    command = ["-m", "naftiko_runtime", "stdio", *map(str, arguments)]
    return StdioServerParameters(
        command=sys.executable, args=command, env=clean_environment(), cwd=str(ROOT)
    )


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_the_tools_of_all_files_are_listed_and_called(
    folder: Path, drop: Drop, upstream: RecordingUpstream, mode: str
) -> None:
    drop("orders", "live", mcp_port=9090)
    drop("accounts", "list", mcp_port=9191)
    with anyio.fail_after(60):
        async with Client(started(folder), mode=mode) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["accounts-list", "orders-live"]
            result = await client.call_tool("orders-live", {})
            assert not result.is_error
            assert result.structured_content["target"] == "/live"
    assert [request.target for request in upstream.requests] == ["/live"]


@pytest.mark.anyio
async def test_a_file_that_is_added_brings_its_tools(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    told = anyio.Event()

    async def on_message(message: object) -> None:
        if "list_changed" in str(getattr(message, "method", message)):
            told.set()

    with anyio.fail_after(60):
        async with Client(started(folder), mode="legacy", message_handler=on_message) as client:
            assert len((await client.list_tools()).tools) == 1
            drop("accounts", "list")
            await told.wait()
            assert len((await client.list_tools(cache_mode="refresh")).tools) == 2


def test_nothing_but_the_protocol_goes_to_standard_output(folder: Path, drop: Drop) -> None:
    drop("orders", "live")
    (folder / "broken.yaml").write_text("naftiko: [")
    done = run_naftiko("stdio", folder, stdin="")
    assert (done.returncode, done.stdout) == (0, "")
    assert "broken.yaml:1:" in done.stderr
    assert "1 tool on standard input and output" in done.stderr


def test_without_tools_it_says_so_and_ends(folder: Path, drop: Drop) -> None:
    drop("orders", "live", mcp_port=None)
    done = run_naftiko("stdio", folder, stdin="")
    assert done.returncode == 1
    assert "there are no tools" in done.stderr
