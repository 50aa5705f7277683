"""What clients with a handshake can make the process keep, and for how long."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


async def wait_until_in_memory(count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while sessions_in_memory() != count:
            await asyncio.sleep(0.02)


async def ping(listener: Listener, session: str) -> int:
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = await listener.request(message=message, headers=of(session))
    return answer.status_code


@asynccontextmanager
async def open_stream(listener: Listener, session: str) -> AsyncIterator[None]:
    headers = {"accept": "text/event-stream", **of(session)}
    async with listener.http.stream("GET", listener.url, headers=headers) as answer:
        assert answer.status_code == 200
        yield


def of(session: str) -> dict[str, str]:
    return {"mcp-session-id": session, "mcp-protocol-version": "2025-06-18"}


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}], ids=["plain", "asking"])
async def test_t9_the_session_that_was_left_for_longest_gives_way_to_a_new_one(
    capabilities: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_MOST_SESSIONS", 3)
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        used, left, last = [await begin(listener, capabilities) for _ in range(3)]
        assert await ping(listener, used) == 200
        await begin(listener, capabilities)
        assert await ping(listener, left) == 404
        assert await ping(listener, used) == 200
        assert await ping(listener, last) == 200
        for _ in range(20):
            await begin(listener, capabilities)
        await wait_until_in_memory(3)
    await wait_until_in_memory(0)


async def test_t9_sessions_with_an_open_stream_give_way_to_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "_MOST_SESSIONS", 2)
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        streamed = [await begin(listener, {}) for _ in range(2)]
        async with open_stream(listener, streamed[0]), open_stream(listener, streamed[1]):
            refused = await listener.request(message=initialize({}))
            assert refused.status_code == 503
            assert [await ping(listener, each) for each in streamed] == [200, 200]


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}], ids=["plain", "asking"])
async def test_t9_a_session_that_nobody_uses_ends_by_itself(
    capabilities: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_IDLE_SECONDS", 0.05)
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        for _ in range(5):
            await begin(listener, capabilities)
        await wait_until_in_memory(0)


async def test_t9_a_session_that_its_client_ends_is_not_kept_in_memory() -> None:
    async with listening(a_table(a_tool("get-orders")), echoing()) as listener:
        for _ in range(20):
            session = await begin(listener, {})
            await listener.request("DELETE", headers={"mcp-session-id": session})
        await wait_until_in_memory(0)
