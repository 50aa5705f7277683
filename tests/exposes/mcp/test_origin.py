"""The engine is told who calls, the same through every way in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.plan.origin import Origin
from tests.exposes.authentication.guarded import BASIC, TOKEN, USER, basic
from tests.exposes.mcp.listener import call_message, listening, modern
from tests.exposes.mcp.plans import a_tool, an_adapter, json_answer

pytestmark = pytest.mark.anyio

MEMBERS: dict[str, dict[str, Any]] = {
    "the fast lane": {},
    "the SDK": {"_meta": {"progressToken": "p"}},
}


def a_guarded_table(asked: InboundPlan | None) -> McpTable:
    file, adapter = an_adapter(a_tool("place"))
    return build_mcp_table([(file, replace(adapter, authentication=asked))])[0]


@pytest.mark.parametrize("era", ["modern", "handshake"])
@pytest.mark.parametrize("way", MEMBERS)
@pytest.mark.parametrize("is_asked", [True, False])
async def test_a_call_comes_from_its_caller(era: str, way: str, is_asked: bool) -> None:
    origins: list[Origin] = []

    async def execute(plan: OperationPlan, inputs: Inputs) -> Outcome:
        origins.append(inputs.origin)
        return json_answer({})

    table = a_guarded_table(BASIC if is_asked else None)
    message = call_message("place", {})
    headers: dict[str, str] = {"mcp-protocol-version": "2025-06-18"}
    if era == "modern":
        message, headers = modern(message)
    for key, value in MEMBERS[way].items():
        message["params"][key] = {**message["params"].get(key, {}), **value}
    if is_asked:
        headers |= basic(USER, TOKEN)
    async with listening(table, execute) as listener:
        assert (await listener.request(message=message, headers=headers)).status_code == 200
    (origin,) = origins
    assert origin.protocol == "mcp"
    assert bool(origin.principal) is is_asked


async def test_both_ways_in_name_a_caller_alike() -> None:
    origins: set[Origin] = set()

    async def execute(plan: OperationPlan, inputs: Inputs) -> Outcome:
        origins.add(inputs.origin)
        return json_answer({})

    async with listening(a_guarded_table(BASIC), execute) as listener:
        for extra in MEMBERS.values():
            message, headers = modern(call_message("place", {}))
            message["params"]["_meta"] |= extra.get("_meta", {})
            await listener.request(message=message, headers={**headers, **basic(USER, TOKEN)})
    assert len(origins) == 1
