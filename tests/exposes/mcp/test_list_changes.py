"""Clients of both eras hear that the tools changed, and calls in flight end on the old ones."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ToolListChangedNotification

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from tests.exposes.mcp.listener import ERAS, HANDSHAKE, MODERN, Listener, listening
from tests.exposes.mcp.plans import a_table, a_tool, an_input, echoing, json_answer

pytestmark = pytest.mark.anyio

OLD = a_table(a_tool("old"))
NEW = a_table(a_tool("old"), a_tool("new"))


class Ears:
    """Counts the notices that a client got."""

    def __init__(self) -> None:
        self.heard = 0
        self._more = asyncio.Condition()

    async def hear(self) -> None:
        async with self._more:
            self.heard += 1
            self._more.notify_all()

    async def wait_for(self, count: int) -> None:
        async with self._more:
            await asyncio.wait_for(self._more.wait_for(lambda: self.heard >= count), 20)

    async def on_message(self, message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            await self.hear()


@asynccontextmanager
async def connected(listener: Listener, era: str) -> AsyncIterator[tuple[Any, Ears]]:
    """A client that listens for changes in the way of its era."""
    ears = Ears()
    if era == HANDSHAKE:
        # The client opens its stream beside what else it does; what is sent before is lost.
        stream_is_open = anyio.Event()

        async def watch(response: httpx2.Response) -> None:
            if response.request.method == "GET":
                stream_is_open.set()

        async with httpx2.AsyncClient(event_hooks={"response": [watch]}, timeout=60) as http:
            transport = streamable_http_client(listener.url, http_client=http)
            async with Client(transport, mode=era, message_handler=ears.on_message) as client:
                with anyio.fail_after(60):
                    await stream_is_open.wait()
                yield client, ears
        return
    async with (
        listener.client(era) as client,
        client.listen(tools_list_changed=True) as events,
        anyio.create_task_group() as tasks,
    ):

        async def follow() -> None:
            async for _ in events:
                await ears.hear()

        tasks.start_soon(follow)
        yield client, ears
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_is_told_and_sees_the_new_list(era: str) -> None:
    async with listening(OLD, echoing()) as listener, connected(listener, era) as (client, ears):
        assert [tool.name for tool in (await client.list_tools()).tools] == ["old"]
        await listener.app.replace(NEW)
        await ears.wait_for(1)
        assert [tool.name for tool in (await client.list_tools()).tools] == ["old", "new"]
        assert (await client.call_tool("new", {})).is_error is False
        await listener.app.replace(OLD)
        await ears.wait_for(2)
        assert [tool.name for tool in (await client.list_tools()).tools] == ["old"]


async def test_several_clients_of_both_eras_are_told() -> None:
    async with (
        listening(OLD, echoing()) as listener,
        connected(listener, HANDSHAKE) as (_, first),
        connected(listener, HANDSHAKE) as (_, second),
        connected(listener, MODERN) as (_, third),
        connected(listener, MODERN) as (_, fourth),
    ):
        await listener.app.replace(NEW)
        for ears in (first, second, third, fourth):
            await ears.wait_for(1)


@pytest.mark.parametrize("era", ERAS)
async def test_nobody_is_told_of_a_reload_that_changes_no_list(era: str) -> None:
    async with listening(OLD, echoing()) as listener, connected(listener, era) as (_, ears):
        await listener.app.replace(a_table(a_tool("old"), file="renamed.yaml"))
        await listener.app.replace(NEW)
        await ears.wait_for(1)
        assert ears.heard == 1


async def test_a_table_that_is_replaced_before_the_sdk_is_imported_is_served() -> None:
    async with listening(OLD, echoing()) as listener:
        await listener.app.replace(NEW)
        async with listener.client(MODERN) as client:
            assert len((await client.list_tools()).tools) == 2


async def test_a_client_that_has_gone_holds_up_no_reload() -> None:
    async with listening(OLD, echoing()) as listener:
        async with connected(listener, HANDSHAKE):
            pass
        with anyio.fail_after(60):
            await listener.app.replace(NEW)
        async with connected(listener, HANDSHAKE) as (_, ears):
            await listener.app.replace(OLD)
            await ears.wait_for(1)


async def test_T12_a_client_that_never_reads_holds_up_no_reload_for_good() -> None:
    async with (
        listening(OLD, echoing(), send_buffer=4096) as listener,
        connected(listener, MODERN) as (_, ears),
    ):
        session = await _session(listener)
        deaf = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        with deaf, anyio.fail_after(60):
            await asyncio.get_running_loop().sock_connect(deaf, ("127.0.0.1", listener.port))
            deaf.send(
                b"GET /mcp HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n"
                b"mcp-session-id: " + session.encode() + b"\r\n\r\n"
            )
            await asyncio.get_running_loop().sock_recv(deaf, 12)
            for count in range(1, 1501):
                await listener.app.replace(NEW if count % 2 else OLD)
            await ears.wait_for(1500)


async def _session(listener: Listener) -> str:
    """A session of a handshake version, by hand."""
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    opened = await listener.request(
        message={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    )
    session = opened.headers["mcp-session-id"]
    await listener.request(
        message={"jsonrpc": "2.0", "method": "notifications/initialized"},
        headers={"mcp-session-id": session},
    )
    return session


@pytest.mark.parametrize("era", ERAS)
async def test_C10_a_call_in_flight_ends_on_the_plan_that_it_began_with(era: str) -> None:
    begun, go = anyio.Event(), anyio.Event()

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        begun.set()
        await go.wait()
        value: JsonValue = {"plan": operation.inputs[0].name}
        return json_answer(value)

    before = a_table(a_tool("t", an_input("one"), output={"required": ["plan"], "type": "object"}))
    after = a_table(a_tool("t", an_input("two"), output={"required": ["x"], "type": "object"}))
    results: list[Any] = []
    async with listening(before, execute) as listener, listener.client(era) as client:
        await client.list_tools()
        async with anyio.create_task_group() as tasks:

            async def call() -> None:
                results.append(await client.call_tool("t", {"one": "1"}))

            tasks.start_soon(call)
            await begun.wait()
            await listener.app.replace(after)
            go.set()
    assert results[0].structured_content == {"plan": "one"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_reload_changes_what_the_server_says_of_itself(era: str) -> None:
    table = a_table(a_tool(), namespace="orders", description="Places orders.")
    async with listening(OLD, echoing()) as listener:
        mode = HANDSHAKE if era == HANDSHAKE else "auto"
        async with listener.client(mode):
            pass
        await listener.app.replace(table)
        async with listener.client(mode) as client:
            assert client.instructions == "orders: Places orders."
            assert client.server_info is not None
            assert client.server_info.title == "orders"
