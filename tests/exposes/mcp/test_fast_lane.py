"""The fast lane answers as the SDK does, and calls no tool twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.engine.answers import json_answer
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.fast_lane import FastLane
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_values import Missing
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.telemetry.buffer import FinishedTrace
from naftiko_runtime.telemetry.recorder import Telemetry
from tests.exposes.mcp.listener import MODERN, Listener, call_message, listening, modern
from tests.exposes.mcp.plans import a_table, a_tool, an_input
from tests.telemetry.recording import recorder

pytestmark = pytest.mark.anyio

JSON = "application/json"
OUTCOMES: dict[str, Outcome] = {
    "object": Answer(200, JSON, b'{"price":1.10,"id":12345678901234567890123,"n":"\xc3\xa9\\n"}'),
    "mapped": json_answer({"price": Decimal("1.10"), "id": 12345678901234567890123}, ()),
    "mapped wrongly": json_answer({"price": "1.10"}, ()),
    "masked": Answer(200, JSON, b'{"price":1,"key":"***"}', value={"price": 1, "key": "hunter2"}),
    "list": Answer(200, JSON, b'[{"a":1},{"a":0.1000000000000000055}]'),
    "scalar": Answer(200, JSON, b'"text"'),
    "null": Answer(200, JSON, b"null"),
    "marked": Answer(200, JSON, b'\xef\xbb\xbf{"a":1}'),
    "deep": Answer(200, JSON, b"[" * 130 + b"]" * 130),
    "wide": Answer(200, JSON, json.dumps([{"n": n} for n in range(500)]).encode()),
    "large": Answer(200, JSON, b'{"price":1.10,"n":"' + b"x" * 2**18 + b'"}'),
    "large and broken": Answer(200, JSON, b'{"price":1.10,"n":"' + b"x" * 2**18),
    "long": Answer(200, JSON, b"[" + b"9" * 4100 + b"]"),
    "broken": Answer(200, JSON, b'{"a":'),
    "text": Answer(200, "text/plain", b"hello"),
    "picture": Answer(200, "image/png", b"\x89PNG\x00"),
    "sound": Answer(200, "audio/wav", b"RIFF\x00"),
    "file": Answer(200, "application/pdf", b"%PDF\x00\xff"),
    "empty": Answer(204, None, b""),
    "refused": Answer(404, JSON, b'{"error":"none"}', (("retry-after", "3"),)),
    "moved": Answer(302, None, b"", (("location", "/login"),)),
    "failed": Failure(FailureKind.UPSTREAM_TIMEOUT, "too slow", executed=True),
}
SHAPED = {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}
calls: list[str] = []


async def execute(plan: OperationPlan, inputs: Inputs) -> Outcome:
    which = "object"
    for each in plan.inputs:
        value, textual = inputs.find(each)
        if not isinstance(value, Missing):
            which = str(each.convert(value, textual))
    calls.append(which)
    return OUTCOMES[which]


@pytest.fixture(scope="module")
async def listener() -> AsyncIterator[Listener]:
    table = a_table(
        a_tool("get", an_input("which", enum=list(OUTCOMES))),
        a_tool("shaped", an_input("which"), output=SHAPED),
        a_tool("listing", an_input("which"), output={"type": ["array", "null"], "items": {}}),
        a_tool("odd name", an_input("which")),
    )
    async with listening(table, execute) as running:
        yield running


def handshake(message: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    return message, {"mcp-protocol-version": "2025-06-18"}


ERAS = pytest.mark.parametrize("era", [modern, handshake], ids=["modern", "handshake"])


async def both(
    listener: Listener,
    message: Mapping[str, Any],
    headers: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[list[tuple[int, str, Any]], list[int]]:
    """Status, media type and document of the lane's answer and of the SDK's, and how many calls of
    a tool each made."""
    answers, counts = [], []
    for lane in (True, False):
        calls.clear()
        with monkeypatch.context() as patch:
            if not lane:
                patch.setattr(FastLane, "answer", not_here)
            response = await listener.request(message=message, headers=headers)
        text = response.text
        document = json.loads(text, parse_float=Decimal) if text else None
        answers.append((response.status_code, response.headers.get("content-type", ""), document))
        counts.append(len(calls))
    return answers, counts


async def not_here(*_: object) -> None:
    return None


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


WRONG: dict[str, dict[str, Any]] = {
    "unknown tool": {"name": "nothing", "arguments": {}},
    "unknown argument": {"name": "get", "arguments": {"wich": "list"}},
    "wrong argument": {"name": "get", "arguments": {"which": 5}},
    "arguments that are a list": {"name": "get", "arguments": ["list"]},
    "arguments that are null": {"name": "get", "arguments": None},
    "no name": {"arguments": {}},
    "a name that is a number": {"name": 5},
    "a member too many": {"name": "get", "arguments": {}, "task": {}},
    "a progress token": {"name": "get", "arguments": {}, "_meta": {"progressToken": "p"}},
    "a name with blanks": {"name": " get ", "arguments": {}},
}


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
    reached: list[str] = []
    from naftiko_runtime.exposes.mcp.transport import HttpTransport

    post = HttpTransport.post

    async def watched(self: HttpTransport, message: Any, *rest: Any) -> None:
        reached.append(str(message["method"]))
        await post(self, message, *rest)

    monkeypatch.setattr(HttpTransport, "post", watched)
    for era in (modern, handshake):
        message, headers = era(call_message("get", {"which": "list"}))
        assert (await listener.request(message=message, headers=headers)).status_code == 200
    assert reached == []
    assert MODERN


TRACED: dict[str, tuple[str, dict[str, Any]]] = {
    **{which: ("tools/call", {"name": "get", "arguments": {"which": which}}) for which in OUTCOMES},
    "unknown tool": ("tools/call", {"name": "nothing", "arguments": {}}),
    "unknown argument": ("tools/call", {"name": "get", "arguments": {"wich": "list"}}),
    "list": ("tools/list", {}),
}
PARENT_SPAN = "b7ad6b7169203331"
PARENT = {"traceparent": f"00-0af7651916cd43dd8448eb211c80319c-{PARENT_SPAN}-01"}


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


def described(trace: FinishedTrace) -> list[tuple[object, ...]]:
    return [
        (span.name, span.attributes, span.error, span.kind, span.parent == PARENT_SPAN)
        for span in trace.spans
    ]
