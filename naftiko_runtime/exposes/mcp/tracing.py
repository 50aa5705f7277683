"""The spans of MCP messages and tool calls, and the trace that a client names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.tools import Execute, ListedTool
from naftiko_runtime.failures import Failure
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.telemetry.context import Propagation, SpanContext, read_headers, read_w3c
from naftiko_runtime.telemetry.recorder import Recorder
from naftiko_runtime.telemetry.spans import Attribute, Span, current_span

_METHODS: Final = frozenset(
    "initialize ping tools/list tools/call resources/list resources/templates/list resources/read "
    "resources/subscribe resources/unsubscribe prompts/list prompts/get completion/complete "
    "logging/setLevel server/discover subscriptions/listen notifications/initialized "
    "notifications/cancelled notifications/progress notifications/roots/list_changed".split()
)
"""Methods go by name into spans and metrics; clients must not be able to make up new ones."""


async def answer_traced(
    recorder: Recorder, context: ServerRequestContext[Any, Any], call_next: CallNext
) -> HandlerResult:
    """Has a message answered within a span."""
    attributes: dict[str, Attribute] = {
        "naftiko.adapter.type": "mcp",
        "mcp.method.name": context.method if context.method in _METHODS else "_OTHER",
        "mcp.protocol.version": context.protocol_version,
    }
    caller = _caller(context, recorder.propagation)
    with recorder.start("mcp.request", caller, attributes) as span:
        try:
            result = await call_next(context)
        except MCPError as error:
            span.error = str(error.error.code)
            raise
        if isinstance(result, types.CallToolResult) and result.is_error and span.error is None:
            span.error = "tool_error"
        return result


def _caller(
    context: ServerRequestContext[Any, Any], propagation: Propagation
) -> SpanContext | None:
    """The span that a message names in `_meta` (SEP-414), or that its HTTP request does."""
    meta = (context.params or {}).get("_meta")
    if isinstance(meta, Mapping):
        parent, state = meta.get("traceparent"), meta.get("tracestate")
        if isinstance(parent, str):
            found = read_w3c([parent], [state] if isinstance(state, str) else [])
            if found is not None:
                return found
    if context.request is None:
        return None
    return read_headers(context.request.scope["headers"], propagation)


def tool_span(tool: ListedTool) -> AbstractContextManager[Span | None]:
    """The span of a tool call, within its message's, if that has one."""
    request = current_span()
    if request is None:
        return nullcontext()
    attributes = _describe(tool.plan.operation)
    request.attributes |= attributes
    return request.child("mcp.tool", attributes)


def noting_operation(execute: Execute) -> Execute:
    """`execute`, saying in the message's span, if there is one, what is executed: for operations
    that have no span of their own."""

    async def noting(plan: OperationPlan, inputs: Inputs) -> Outcome:
        span = current_span()
        if span is not None:
            span.attributes |= _describe(plan)
        return await execute(plan, inputs)

    return noting


def _describe(operation: OperationPlan) -> dict[str, Attribute]:
    return {
        "naftiko.capability": operation.capability,
        "naftiko.namespace": operation.name.partition(".")[0],
        "naftiko.operation.id": operation.name,
    }


def note_outcome(span: Span | None, outcome: Outcome) -> None:
    """Says in a tool's span how the call ended."""
    if span is None:
        return
    if isinstance(outcome, Failure):
        span.fail(outcome)
    elif outcome.status >= 400:
        span.error = str(outcome.status)
