"""Plans made by hand, and an engine that answers what a test says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import Hints, McpTransport, ParameterType
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.exposes.mcp.tools import Execute, ListedTool
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, Missing
from naftiko_runtime.plan.conversion import compile_conversion
from naftiko_runtime.plan.operation import (
    CallPlan,
    InputPlan,
    Inputs,
    McpAdapterPlan,
    OperationPlan,
    OutputPlan,
    Scope,
    ToolPlan,
    UpstreamRequest,
)
from naftiko_runtime.problems import Place


def an_input(
    name: str,
    type: str | None = "string",
    *,
    required: bool = False,
    description: str = "",
    default: Any = MISSING,
    whole_body: bool = False,
    **keywords: JsonValue,
) -> InputPlan:
    declared = ParameterType(type) if type else None
    schema: dict[str, JsonValue] = {"type": type, **keywords} if type else dict(keywords)
    return InputPlan(
        name=name,
        loose=fold_name(name),
        type=declared,
        schema=schema,
        description=description,
        required=required,
        default=default,
        whole_body=whole_body,
        convert=compile_conversion(name, declared, keywords),
    )


def a_tool(
    name: str = "get-orders",
    *inputs: InputPlan,
    label: str = "",
    description: str = "",
    hints: Hints | None = None,
    output: dict[str, Any] | None = None,
    file: str = "orders.yaml",
    line: int = 1,
    **operation: Any,
) -> ToolPlan:
    call = CallPlan("gateway", "gateway.getorders", "GET", _no_request)
    plan = OperationPlan(name, inputs, call, OutputPlan(schema=output), **operation)
    return ToolPlan(name, label, description, hints or Hints(), plan, Place(file, line))


def an_adapter(
    *tools: ToolPlan,
    namespace: str = "orders-mcp",
    description: str = "",
    file: str = "orders.yaml",
) -> tuple[str, McpAdapterPlan]:
    place = Place(file)
    return file, McpAdapterPlan(namespace, McpTransport.HTTP, 9090, None, description, tools, place)


def a_table(*tools: ToolPlan, **adapter: Any) -> McpTable:
    table, problems = build_mcp_table([an_adapter(*tools, **adapter)])
    assert problems == []
    return table


def listed(tool: ToolPlan) -> ListedTool:
    return a_table(tool).tools.tools[0]


def json_answer(value: JsonValue, status: int = 200) -> Answer:
    return Answer(status, "application/json", encode_json(value))


def answering(outcome: Outcome) -> Execute:
    """An engine that answers every call alike."""

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        return outcome

    return execute


def echoing(before: Callable[[dict[str, JsonValue]], Awaitable[None]] | None = None) -> Execute:
    """An engine that answers with the values it was given, converted as the real one does."""

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        values: dict[str, JsonValue] = {}
        for plan in operation.inputs:
            value, textual = inputs.find(plan)
            if not isinstance(value, Missing):
                try:
                    values[plan.name] = plan.convert(value, textual)
                except CallFailed as failed:
                    return failed.failure
            elif plan.required:
                detail = f'"{plan.name}": is missing'
                return fail(FailureKind.INVALID_INPUT, detail, field=plan.name).failure
        if before is not None:
            await before(values)
        body = inputs.raw_body()
        if body is not None and not operation.inputs:
            return Answer(200, "application/json", body)
        return json_answer(values)

    return execute


def _no_request(scope: Scope) -> UpstreamRequest:
    raise NotImplementedError
