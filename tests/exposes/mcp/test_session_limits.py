"""What clients with a handshake can make the process keep, and for how long."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from mcp.server.streamable_http import StreamableHTTPServerTransport

from naftiko_runtime.exposes.mcp import transport
from tests.exposes.mcp.listener import Listener, listening
from tests.exposes.mcp.plans import a_table, a_tool, echoing

pytestmark = pytest.mark.anyio

SECONDS = 20


def initialize(capabilities: dict[str, Any]) -> dict[str, Any]:
    client = {"name": "test", "version": "1"}
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": capabilities,
        "clientInfo": client,
    }
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


async def begin(listener: Listener, capabilities: dict[str, Any]) -> str:
    answer = await listener.request(message=initialize(capabilities))
    assert answer.status_code == 200
    return str(answer.headers["mcp-session-id"])


def sessions_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, StreamableHTTPServerTransport) for each in gc.get_objects())


async def wait_until_none_is_in_memory() -> None:
    async with asyncio.timeout(SECONDS):
        while sessions_in_memory():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}], ids=["plain", "asking"])
async def test_t9_sessions_that_are_begun_and_left_are_bounded(
    capabilities: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_MOST_SESSIONS", 5)
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        known = [await begin(listener, capabilities) for _ in range(5)]
        refused = await listener.request(message=initialize(capabilities))
        assert refused.status_code == 503
        assert sessions_in_memory() == 5
        ended = await listener.request("DELETE", headers={"mcp-session-id": known[0]})
        assert ended.status_code == 200
        await begin(listener, capabilities)
    await wait_until_none_is_in_memory()


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}], ids=["plain", "asking"])
async def test_t9_a_session_that_nobody_uses_ends_by_itself(
    capabilities: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_IDLE_SECONDS", 0.05)
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        for _ in range(5):
            await begin(listener, capabilities)
        await wait_until_none_is_in_memory()


async def test_t9_a_session_that_its_client_ends_is_not_kept_in_memory() -> None:
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        for _ in range(20):
            session = await begin(listener, {})
            await listener.request("DELETE", headers={"mcp-session-id": session})
        await wait_until_none_is_in_memory()
