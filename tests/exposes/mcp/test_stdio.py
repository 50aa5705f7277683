"""The same tools over standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp_types import ToolListChangedNotification

from tests.exposes.mcp.listener import ERAS, HANDSHAKE, call_message, modern
from tests.serving_process import START_SECONDS, clean_environment

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "tests.exposes.mcp.stdio_program"]


def client(era: str, **options: Any) -> Client:
    parameters = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], cwd=ROOT)
    return Client(parameters, mode=era, **options)


async def test_tools_are_listed_and_called(era: str) -> None:
    with anyio.fail_after(60):
        async with client(era) as connected:
            tools = (await connected.list_tools()).tools
            result = await connected.call_tool("echo", {"WHO": "me", "nth": 1})
            wrong = await connected.call_tool("echo", {"nth": "x"})
            with pytest.raises(MCPError, match="unknown tool") as caught:
                await connected.call_tool("ecko", {})
    assert [tool.name for tool in tools] == ["echo", "send", "reload", "break"]
    assert result.structured_content == {"who": "me", "nth": 1}
    assert wrong.is_error
    assert caught.value.code == -32602


async def test_a_client_is_told_of_a_reload(era: str) -> None:
    heard = anyio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            heard.set()

    with anyio.fail_after(60):
        if era == HANDSHAKE:
            async with client(era, message_handler=hear) as connected:
                await connected.call_tool("echo", {"who": "reload"})
                await heard.wait()
                tools = (await connected.list_tools()).tools
        else:
            async with client(era) as connected:
                async with connected.listen(tools_list_changed=True) as events:
                    await connected.call_tool("echo", {"who": "reload"})
                    async for _ in events:
                        break
                tools = (await connected.list_tools()).tools
    assert [tool.name for tool in tools] == ["echo", "more"]


async def test_R7_a_bug_shows_an_id_and_nothing_else(era: str) -> None:
    with anyio.fail_after(60):
        async with client(era) as connected:
            result = await connected.call_tool("echo", {"who": "bug"})
    assert result.is_error
    assert "hunter2" not in str(result.content)


def talk(*messages: dict[str, Any] | str, era: str) -> list[str]:
    """What the program writes to its standard output when it reads these lines."""
    lines = [m if isinstance(m, str) else json.dumps(m) for m in messages]
    if era == HANDSHAKE:
        params = {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        }
        opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        lines = [
            json.dumps(opening),
            '{"jsonrpc":"2.0","method":"notifications/initialized"}',
            *lines,
        ]
    done = subprocess.run(
        COMMAND,
        cwd=ROOT,
        env=clean_environment(),
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    return answers[1:] if era == HANDSHAKE else answers


async def test_answers_keep_every_digit_and_standard_output_carries_nothing_else(era: str) -> None:
    message = call_message("send", {"body": "@"})
    if era != HANDSHAKE:
        message, _ = modern(message)
    sent = json.dumps(message).replace('"@"', '{"id":12345678901234567890123456789}')
    (answer,) = talk(sent, era=era)
    assert '"structuredContent":{"id":12345678901234567890123456789}' in answer


async def test_A9_a_number_beyond_all_doubles_is_a_tool_error(era: str) -> None:
    message = call_message("send", {"body": "@"})
    if era != HANDSHAKE:
        message, _ = modern(message)
    (answer,) = talk(json.dumps(message).replace('"@"', '{"price":1e999}'), era=era)
    result = json.loads(answer)["result"]
    assert result["isError"] is True
    assert "not finite" in result["content"][0]["text"]


async def test_calls_in_flight_are_answered_after_the_client_has_closed_its_end(era: str) -> None:
    message = call_message("echo", {"who": "slow"}, id="s")
    if era != HANDSHAKE:
        message, _ = modern(message)
    (answer,) = talk(message, era=era)
    assert json.loads(answer)["id"] == "s"
    assert "slow" in answer
