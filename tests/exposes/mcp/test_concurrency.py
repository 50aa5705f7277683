"""Many callers at once get their own answers; a caller that gives up stops the work."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio
import pytest

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from tests.exposes.mcp.listener import ERAS, MODERN, call_message, listening, modern
from tests.exposes.mcp.plans import a_table, a_tool, an_input, echoing, json_answer

pytestmark = pytest.mark.anyio


async def test_U11_no_caller_gets_another_callers_answer() -> None:
    """Callers of both eras and without sessions, who all use the same request ids, while the
    table is swapped under them."""
    rng = random.Random(11)

    async def dawdle(values: dict[str, JsonValue]) -> None:
        await asyncio.sleep(rng.random() / 200)

    table = a_table(a_tool("echo", an_input("who"), an_input("nth", "integer")))
    other = a_table(a_tool("echo", an_input("who"), an_input("nth", "integer"), label="Other"))
    answered = 0

    async with listening(table, echoing(dawdle)) as listener, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(listener.client(era)) for era in ERAS for _ in range(4)
        ]

        async def through_client(client: Any, who: str) -> None:
            nonlocal answered
            for nth in range(25):
                result = await client.call_tool("echo", {"who": who, "nth": nth})
                assert result.structured_content == {"who": who, "nth": nth}
                answered += 1

        async def by_hand(who: str, era: str) -> None:
            nonlocal answered
            for nth in range(25):
                message = call_message("echo", {"who": who, "nth": nth}, id=1)
                headers: dict[str, str] = {}
                if era == MODERN:
                    message, headers = modern(message)
                response = await listener.request(message=message, headers=headers)
                assert response.json()["result"]["structuredContent"] == {"who": who, "nth": nth}
                answered += 1

        async with anyio.create_task_group() as tasks:
            for number, client in enumerate(clients):
                for lane in range(3):
                    tasks.start_soon(through_client, client, f"client-{number}-{lane}")
            for number in range(4):
                for era in ERAS:
                    tasks.start_soon(by_hand, f"hand-{number}-{era}", era)
            for _ in range(5):
                await listener.app.replace(other)
                await listener.app.replace(table)
    assert answered == (8 * 3 + 8) * 25


class Work:
    """A call that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.begun = anyio.Event()
        self.cancelled = anyio.Event()

    async def execute(self, operation: OperationPlan, inputs: Inputs) -> Outcome:
        self.begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return json_answer({})


@pytest.mark.parametrize("era", ERAS)
async def test_T13_a_client_that_cancels_stops_the_work_and_can_go_on(era: str) -> None:
    work = Work()
    async with (
        listening(a_table(a_tool("t")), work.execute) as listener,
        listener.client(era) as client,
    ):
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "t", {})
                await work.begun.wait()
                tasks.cancel_scope.cancel()
            await work.cancelled.wait()
            assert len((await client.list_tools()).tools) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_can_change_something_ends_without_its_client(era: str) -> None:
    begun, go, ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        begun.set()
        await go.wait()
        ended.set()
        return json_answer({})

    async with (
        listening(a_table(a_tool("t", changes=True)), execute) as listener,
        listener.client(era) as client,
    ):
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "t", {})
                await begun.wait()
                tasks.cancel_scope.cancel()
            assert len((await client.list_tools()).tools) == 1
            go.set()
            await ended.wait()


async def test_T13_closing_the_connection_of_a_request_stops_the_work() -> None:
    work = Work()
    message, headers = modern(call_message("t", {}))
    async with listening(a_table(a_tool("t")), work.execute) as listener:
        request = asyncio.create_task(listener.request(message=message, headers=headers))
        with anyio.fail_after(60):
            await work.begun.wait()
            request.cancel()
            with suppress(asyncio.CancelledError):
                await request
            await work.cancelled.wait()


@pytest.mark.parametrize("era", ERAS)
async def test_streams_are_closed_on_request_while_calls_in_flight_end(era: str) -> None:
    begun, go = anyio.Event(), anyio.Event()
    results: list[Any] = []

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        begun.set()
        await go.wait()
        return json_answer({"done": True})

    async with (
        listening(a_table(a_tool("t")), execute) as listener,
        listener.client(era) as client,
        anyio.create_task_group() as tasks,
    ):

        async def call() -> None:
            results.append(await client.call_tool("t", {}))

        tasks.start_soon(call)
        await begun.wait()
        await listener.app.close_streams()
        go.set()
    assert results[0].structured_content == {"done": True}


async def test_waiting_streams_end_when_streams_are_closed() -> None:
    """Else a stop would wait for every client that listens for changes."""
    async with listening(a_table(a_tool("t")), echoing()) as listener:
        opened = await listener.request(
            message={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {},
                    "clientInfo": {"name": "test", "version": "1"},
                },
            }
        )
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        message, headers = modern(
            {
                "jsonrpc": "2.0",
                "id": 7,
                "method": "subscriptions/listen",
                "params": {"notifications": {"toolsListChanged": True}},
            }
        )
        resuming = {**session, "last-event-id": "7"}
        handshake = asyncio.create_task(listener.request("GET", headers=resuming))
        listen = asyncio.create_task(listener.request(message=message, headers=headers))
        await asyncio.sleep(0.2)
        assert not handshake.done()
        assert not listen.done()
        await listener.app.close_streams()
        with anyio.fail_after(60):
            streamed, listened = await asyncio.gather(handshake, listen)
        again = await listener.request("GET", headers=session)
    assert (streamed.status_code, again.status_code) == (200, 200)
    assert '"id":7' in listened.text.replace(" ", "")
