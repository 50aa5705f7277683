"""What the fast lane answers in sessions is what the SDK answers, and sessions go on as its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp import transport
from naftiko_runtime.exposes.mcp.fast_lane import FastLane
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.telemetry.recorder import Telemetry
from tests.exposes.mcp.both_ways import (
    OUTCOMES,
    PARENT,
    TRACED,
    WRONG,
    a_table_of_all,
    both,
    described,
    execute,
    not_here,
    watch_the_sdk,
)
from tests.exposes.mcp.listener import Listener, call_message, listening
from tests.exposes.mcp.plans import a_table, a_tool, an_input, json_answer
from tests.telemetry.recording import recorder

pytestmark = pytest.mark.anyio

Headers = dict[str, str]
ASKING: dict[str, Any] = {"elicitation": {}}
VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{version: (version, {}) for version in VERSIONS},
    "asking": ("2025-11-25", ASKING),
}
CALL = call_message("get", {"which": "list"})
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


async def a_session(
    listener: Listener, version: str = "2025-06-18", capabilities: dict[str, Any] | None = None
) -> Headers:
    """The headers of requests in a new session whose client is known to be ready."""
    params = {
        "protocolVersion": version,
        "capabilities": capabilities or {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    begun = await listener.request(message=message)
    headers = {"mcp-session-id": begun.headers["mcp-session-id"], "mcp-protocol-version": version}
    await listener.request(message=INITIALIZED, headers=headers)
    # Answered before it is acted on; what the SDK is asked next comes after it.
    asked = {"jsonrpc": "2.0", "id": "ready", "method": "resources/list"}
    await listener.request(message=asked, headers=headers)
    return headers


@pytest.fixture(scope="module")
async def listener() -> AsyncIterator[Listener]:
    async with listening(a_table_of_all(), execute) as running:
        yield running


@pytest.fixture(scope="module", params=KINDS)
async def session(request: pytest.FixtureRequest, listener: Listener) -> Headers:
    return await a_session(listener, *KINDS[request.param])


@pytest.mark.parametrize("tool", ["get", "shaped", "listing", "odd_name"])
@pytest.mark.parametrize("which", OUTCOMES)
async def test_every_outcome_is_answered_as_the_sdk_does(
    listener: Listener, session: Headers, tool: str, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = call_message(tool, {"which": which}, id="a-1")
    answers, counts = await both(listener, message, session, monkeypatch)
    assert_same(*answers)
    assert counts == [1, 1]


def assert_same(lane: tuple[int, str, str, Any], sdk: tuple[int, str, str, Any]) -> None:
    """Clients that can be asked take streams, too, of which the lane makes none."""
    assert (lane[0], lane[2:]) == (sdk[0], sdk[2:])
    assert lane[1] == sdk[1] or (lane[1], sdk[1]) == ("application/json", "text/event-stream")


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_left_to_the_sdk(
    listener: Listener, session: Headers, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": WRONG[wrong]}
    answers, counts = await both(listener, message, session, monkeypatch)
    assert_same(*answers)
    assert counts[0] == counts[1] <= 1


@pytest.mark.parametrize(
    "meta",
    [
        {"progressToken": "p"},
        {"progressToken": 7, "of-a-client": {"a": [1]}},
        {"progressToken": True},
        {"progressToken": 1.5},
        {"progressToken": None},
        {"naftiko/dry-run": True},
        {"naftiko/dry-run": "yes"},
        {"io.modelcontextprotocol/protocolVersion": "2026-07-28"},
        {"io.modelcontextprotocol/related-task": {"taskId": 5}},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["tools/call", "tools/list", "ping"])
async def test_what_a_request_says_of_itself_is_judged_as_the_sdk_does(
    listener: Listener,
    session: Headers,
    method: str,
    meta: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = {**(CALL["params"] if method == "tools/call" else {}), "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answers, counts = await both(listener, message, session, monkeypatch)
    assert_same(*answers)
    assert counts[0] == counts[1] <= 1


@pytest.mark.parametrize(
    "headers",
    [
        *({"mcp-protocol-version": version} for version in [*VERSIONS, "2026-07-28", "1999-01-01"]),
        {"accept": "application/json"},
        {"accept": "*/*"},
        {"accept": "text/html"},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=utf-8"},
        {"mcp-method": "tools/list", "mcp-name": "other"},
        {"last-event-id": "1"},
        {"mcp-session-id": "made-up"},
    ],
    ids=str,
)
async def test_headers_are_judged_as_the_sdk_does(
    listener: Listener, session: Headers, headers: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, counts = await both(listener, CALL, {**session, **headers}, monkeypatch)
    assert_same(*answers)
    assert counts[0] == counts[1] <= 1


@pytest.mark.parametrize("method", ["tools/list", "server/discover", "ping", "prompts/list"])
@pytest.mark.parametrize("params", [{}, {"cursor": "none"}, {"cursor": None}, None], ids=str)
async def test_lists_are_answered_as_the_sdk_does_each_time(
    listener: Listener, session: Headers, method: str, params: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"jsonrpc": "2.0", "id": 7, "method": method}
    message |= {} if params is None else {"params": params}
    first, _ = await both(listener, message, session, monkeypatch)
    again, _ = await both(listener, message, session, monkeypatch)
    assert_same(*first)
    assert_same(*again)
    assert again[0] == first[0]


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25"])
async def test_the_lane_really_answers_in_sessions(
    listener: Listener, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await a_session(listener, version)
    reached = watch_the_sdk(monkeypatch)
    token = {**CALL, "params": {**CALL["params"], "_meta": {"progressToken": 1}}}
    for message in (
        CALL,
        token,
        *({**CALL, "method": m, "params": {}} for m in ("tools/list", "ping")),
    ):
        assert (await listener.request(message=message, headers=headers)).status_code == 200
    assert reached == []


async def test_what_a_user_may_be_asked_about_is_left_to_the_sdk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = a_table(a_tool("reads"), a_tool("changes", changes=True))
    async with listening(table, execute) as listener:
        session = await a_session(listener, *KINDS["asking"])
        reached = watch_the_sdk(monkeypatch)
        for name in ("reads", "changes"):
            response = await listener.request(message=call_message(name, {}), headers=session)
            assert response.status_code == 200
    assert reached == ["tools/call"]


async def test_a_session_that_has_ended_is_not_found_by_anybody(listener: Listener) -> None:
    session = await a_session(listener)
    assert (await listener.request(message=CALL, headers=session)).status_code == 200
    assert (await listener.request("DELETE", headers=session)).status_code == 200
    assert (await listener.request(message=CALL, headers=session)).status_code == 404


async def test_a_session_is_served_from_the_table_that_is_in_force() -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    async with listening(a_table(a_tool("one")), execute) as listener:
        session = await a_session(listener)
        names = []
        for table in (a_table(a_tool("two")), a_table(a_tool("three"))):
            response = await listener.request(message=message, headers=session)
            names += [tool["name"] for tool in response.json()["result"]["tools"]]
            await listener.app.replace(table)
    assert names == ["one", "two"]


class Held:
    """Calls that wait until they may go on."""

    def __init__(self) -> None:
        self.begun, self.go = anyio.Event(), anyio.Event()
        self.ended, self.cancelled = anyio.Event(), anyio.Event()

    async def execute(self, plan: OperationPlan, inputs: Inputs) -> Outcome:
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.ended.set()
        return json_answer({"done": True})


LANES = pytest.mark.parametrize("lane", [True, False], ids=["lane", "sdk"])


@LANES
@pytest.mark.parametrize("named", [7, "7"])
@pytest.mark.parametrize("changes", [False, True])
async def test_a_cancelled_call_is_answered_at_once_and_only_reading_stops(
    lane: bool, named: int | str, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lane:
        monkeypatch.setattr(FastLane, "answer", not_here)
    held = Held()
    notice = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": named, "reason": "changed its mind"},
    }
    async with listening(a_table(a_tool("t", changes=changes)), held.execute) as listener:
        session = await a_session(listener)
        with anyio.fail_after(20):
            call = asyncio.create_task(
                listener.request(message=call_message("t", {}, id=7), headers=session)
            )
            await held.begun.wait()
            told = await listener.request(message=notice, headers=session)
            answer = await call
            held.go.set()
            await (held.ended if changes else held.cancelled).wait()
            again = await listener.request(message=call_message("t", {}, id=7), headers=session)
    assert told.status_code == 202
    assert answer.status_code == 200
    error = {"code": -32800, "message": "Request cancelled"}
    assert answer.json() == {"jsonrpc": "2.0", "id": 7, "error": error}
    assert answer.headers["mcp-session-id"] == session["mcp-session-id"]
    assert again.json()["result"]["structuredContent"] == {"done": True}
    assert held.cancelled.is_set() is not changes


@LANES
@pytest.mark.parametrize("changes", [False, True])
async def test_a_call_ends_with_its_session_but_what_changes_something(
    lane: bool, changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lane:
        monkeypatch.setattr(FastLane, "answer", not_here)
    held = Held()
    async with listening(a_table(a_tool("t", changes=changes)), held.execute) as listener:
        session = await a_session(listener)
        with anyio.fail_after(20):
            call = asyncio.create_task(
                listener.request(message=call_message("t", {}), headers=session)
            )
            await held.begun.wait()
            assert (await listener.request("DELETE", headers=session)).status_code == 200
            answer = await call
            held.go.set()
            await (held.ended if changes else held.cancelled).wait()
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == -32603
    assert answer.json()["id"] is None


@LANES
async def test_calls_keep_a_session_open_that_ends_when_nobody_uses_it(
    lane: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lane:
        monkeypatch.setattr(FastLane, "answer", not_here)
    idle = 1.5
    monkeypatch.setattr(transport, "_IDLE_SECONDS", idle)

    async def execute(plan: OperationPlan, inputs: Inputs) -> Outcome:
        await asyncio.sleep(idle * 1.5)
        return json_answer({})

    async with listening(a_table(a_tool("t")), execute) as listener:
        session = await a_session(listener)
        for _ in range(2):
            called = await listener.request(message=call_message("t", {}), headers=session)
            assert called.status_code == 200
        await asyncio.sleep(idle * 1.5)
        late = await listener.request(message=call_message("t", {}), headers=session)
    assert late.status_code == 404


@pytest.mark.parametrize("named", ["nowhere", "in the headers", "in _meta"])
@pytest.mark.parametrize("what", TRACED)
async def test_calls_are_traced_as_the_sdk_path_traces_them(
    named: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, params = TRACED[what]
    if named == "in _meta":
        params = params | {"_meta": PARENT}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    recorded, telemetry = recorder(), Telemetry()
    table = a_table(a_tool("get", an_input("which", enum=list(OUTCOMES))))
    async with listening(table, execute, telemetry=telemetry) as listener:
        headers = await a_session(listener) | (PARENT if named == "in the headers" else {})
        telemetry.recorder = recorded
        answers, counts = await both(listener, message, headers, monkeypatch)
    assert answers[0] == answers[1]
    assert counts[0] == counts[1]
    sdk, lane = recorded.traces.latest()
    assert described(lane) == described(sdk)
