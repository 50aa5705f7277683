"""The fast lane answers as the SDK does, and calls no tool twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

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
    watch_the_sdk,
)
from tests.exposes.mcp.listener import MODERN, Listener, call_message, listening, modern
from tests.exposes.mcp.plans import a_table, a_tool, an_input
from tests.telemetry.recording import recorder

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def listener() -> AsyncIterator[Listener]:
    async with listening(a_table_of_all(), execute) as running:
        yield running


def handshake(message: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    return message, {"mcp-protocol-version": "2025-06-18"}


ERAS = pytest.mark.parametrize("era", [modern, handshake], ids=["modern", "handshake"])


@ERAS
@pytest.mark.parametrize("tool", ["get", "shaped", "listing", "odd_name"])
@pytest.mark.parametrize("which", OUTCOMES)
async def test_every_outcome_is_answered_as_the_sdk_does(
    listener: Listener, era: Any, tool: str, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, headers = era(call_message(tool, {"which": which}, id="a-1"))
    answers, counts = await both(listener, message, headers, monkeypatch)
    assert answers[0] == answers[1]
    assert counts == [1, 1]


@ERAS
@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_left_to_the_sdk(
    listener: Listener, era: Any, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": WRONG[wrong]}
    sent, headers = era(message)
    headers = {key: str(value).strip() for key, value in headers.items()}
    answers, counts = await both(listener, sent, headers, monkeypatch)
    assert answers[0] == answers[1]
    assert counts[0] == counts[1] <= 1


@pytest.mark.parametrize(
    "headers",
    [
        {"mcp-method": "tools/list"},
        {"mcp-name": "other"},
        {"mcp-name": "=?base64?Z2V0?="},
        {"mcp-protocol-version": "2025-06-18"},
        {"mcp-protocol-version": "2025-11-25"},
        {"mcp-protocol-version": "2024-11-05"},
        {"mcp-protocol-version": "1999-01-01"},
        {"accept": "application/json"},
        {"accept": "*/*"},
        {"accept": "text/html"},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=utf-8"},
        {"mcp-session-id": "made-up"},
    ],
    ids=str,
)
async def test_headers_are_judged_as_the_sdk_does(
    listener: Listener, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message, given = modern(call_message("get", {"which": "list"}))
    answers, counts = await both(listener, message, {**given, **headers}, monkeypatch)
    assert answers[0] == answers[1]
    assert counts[0] == counts[1] <= 1


@ERAS
@pytest.mark.parametrize("method", ["tools/list", "server/discover", "ping", "resources/list"])
async def test_lists_are_answered_as_the_sdk_does_each_time(
    listener: Listener, era: Any, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, headers = era({"jsonrpc": "2.0", "id": 7, "method": method, "params": {}})
    first, _ = await both(listener, message, headers, monkeypatch)
    again, _ = await both(listener, message, headers, monkeypatch)
    assert first[0] == first[1] == again[0] == again[1]


NULLS = {"type": "object", "properties": {"a": {"enum": [None, 1], "default": None}}}


@ERAS
@pytest.mark.parametrize("cursor", [None, "tool-0", "tool-999", "tool-1199", "none", ""])
@pytest.mark.parametrize(
    "output", [None, NULLS, NULLS | {"title": None}, {"type": ["array", "null"], "items": {}}]
)
async def test_pages_of_lists_are_the_sdks(
    era: Any, cursor: str | None, output: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = [a_tool(f"tool-{number}", output=output) for number in range(1200)]
    params = {} if cursor is None else {"cursor": cursor}
    message, headers = era({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params})
    async with listening(a_table(*tools), execute) as listener:
        for _ in range(2):
            answers, _counts = await both(listener, message, headers, monkeypatch)
            assert answers[0] == answers[1]


@pytest.mark.parametrize("described", ["", "What it is all about."])
@pytest.mark.parametrize("title", ["", "Orders, Accounts"])
async def test_discovery_says_what_the_sdk_says(
    described: str, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = replace(a_table(a_tool()), instructions=described, title=title)
    message, headers = modern({"jsonrpc": "2.0", "id": 7, "method": "server/discover"})
    async with listening(table, execute) as listener:
        answers, _counts = await both(listener, message, headers, monkeypatch)
    assert answers[0] == answers[1]


async def test_a_list_is_forgotten_with_its_table() -> None:
    message, headers = modern({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    async with listening(a_table(a_tool("one")), execute) as listener:
        for _ in range(2):
            response = await listener.request(message=message, headers=headers)
        assert [tool["name"] for tool in response.json()["result"]["tools"]] == ["one"]
        await listener.app.replace(a_table(a_tool("two")))
        response = await listener.request(message=message, headers=headers)
    assert [tool["name"] for tool in response.json()["result"]["tools"]] == ["two"]


async def test_the_lane_really_answers_what_is_right(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without this the comparisons above would hold for a lane that does nothing."""
    reached = watch_the_sdk(monkeypatch)
    for era in (modern, handshake):
        message, headers = era(call_message("get", {"which": "list"}))
        assert (await listener.request(message=message, headers=headers)).status_code == 200
    assert reached == []
    assert MODERN


@ERAS
@pytest.mark.parametrize("named", ["nowhere", "in the headers", "in _meta"])
@pytest.mark.parametrize("what", TRACED)
async def test_calls_are_traced_as_the_sdk_path_traces_them(
    era: Any, named: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, params = TRACED[what]
    message, headers = era({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    if named == "in the headers":
        headers = headers | PARENT
    elif named == "in _meta":
        asked = message["params"]
        message = message | {"params": {**asked, "_meta": asked.get("_meta", {}) | PARENT}}
    recorded = recorder()
    table = a_table(a_tool("get", an_input("which", enum=list(OUTCOMES))))
    telemetry = Telemetry()
    telemetry.recorder = recorded
    async with listening(table, execute, telemetry=telemetry) as listener:
        answers, counts = await both(listener, message, headers, monkeypatch)
    assert answers[0] == answers[1]
    assert counts[0] == counts[1]
    sdk, lane = recorded.traces.latest()
    assert described(lane) == described(sdk)
