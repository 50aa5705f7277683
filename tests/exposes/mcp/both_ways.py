"""Has one request answered by the fast lane and by the SDK, to hold the answers against each
other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.engine.answers import json_answer
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.fast_lane import FastLane
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_values import Missing
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.telemetry.buffer import FinishedTrace
from tests.exposes.mcp.listener import Listener
from tests.exposes.mcp.plans import a_table, a_tool, an_input

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


def a_table_of_all() -> McpTable:
    """Tools whose argument names the outcome."""
    return a_table(
        a_tool("get", an_input("which", enum=list(OUTCOMES))),
        a_tool("shaped", an_input("which"), output=SHAPED),
        a_tool("listing", an_input("which"), output={"type": ["array", "null"], "items": {}}),
        a_tool("odd name", an_input("which")),
    )


async def both(
    listener: Listener,
    message: Mapping[str, Any],
    headers: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[list[tuple[int, str, str, Any]], list[int]]:
    """Status, media type, session and document of the lane's answer and of the SDK's, and how many
    calls of a tool each made."""
    answers, counts = [], []
    for lane in (True, False):
        calls.clear()
        with monkeypatch.context() as patch:
            if not lane:
                patch.setattr(FastLane, "answer", not_here)
            response = await listener.request(message=message, headers=headers)
        text = response.text
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            text = next(line for line in text.splitlines() if line.startswith("data: "))[6:]
        document = json.loads(text, parse_float=Decimal) if text else None
        media_type = response.headers.get("content-type", "")
        session = response.headers.get("mcp-session-id", "")
        answers.append((response.status_code, media_type, session, document))
        counts.append(len(calls))
    return answers, counts


async def not_here(*_: object) -> None:
    return None


def watch_the_sdk(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods of the messages that reach the SDK from now on."""
    from naftiko_runtime.exposes.mcp.transport import HttpTransport

    reached: list[str] = []
    post = HttpTransport.post

    async def watched(self: HttpTransport, message: Any, *rest: Any) -> None:
        reached.append(str(message["method"]))
        await post(self, message, *rest)

    monkeypatch.setattr(HttpTransport, "post", watched)
    return reached


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


TRACED: dict[str, tuple[str, dict[str, Any]]] = {
    **{which: ("tools/call", {"name": "get", "arguments": {"which": which}}) for which in OUTCOMES},
    "unknown tool": ("tools/call", {"name": "nothing", "arguments": {}}),
    "unknown argument": ("tools/call", {"name": "get", "arguments": {"wich": "list"}}),
    "list": ("tools/list", {}),
}
PARENT_SPAN = "b7ad6b7169203331"
PARENT = {"traceparent": f"00-0af7651916cd43dd8448eb211c80319c-{PARENT_SPAN}-01"}


def described(trace: FinishedTrace) -> list[tuple[object, ...]]:
    return [
        (span.name, span.attributes, span.error, span.kind, span.parent == PARENT_SPAN)
        for span in trace.spans
    ]
