"""The spans of MCP messages and tool calls, and the trace that a client names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

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


def message_span(
    recorder: Recorder,
    method: str,
    version: str,
    meta: object,
    headers: Iterable[tuple[bytes, bytes]] | None,
) -> Span:
    """The span of a message. `meta` is its `_meta`, which may name the span that it belongs to
    (SEP-414); else its HTTP request does, of which these are the headers."""
    attributes: dict[str, Attribute] = {
        "naftiko.adapter.type": "mcp",
        "mcp.method.name": method if method in _METHODS else "_OTHER",
        "mcp.protocol.version": version,
    }
    caller = _caller(meta, headers, recorder.propagation)
    return recorder.start("mcp.request", caller, attributes)


def _caller(
    meta: object, headers: Iterable[tuple[bytes, bytes]] | None, propagation: Propagation
) -> SpanContext | None:
    if isinstance(meta, Mapping):
        parent, state = meta.get("traceparent"), meta.get("tracestate")
        if isinstance(parent, str):
            found = read_w3c([parent], [state] if isinstance(state, str) else [])
            if found is not None:
                return found
    return None if headers is None else read_headers(headers, propagation)


def note_tool_error(span: Span) -> None:
    """Says in a message's span that its tool's result is an error."""
    if span.error is None:
        span.error = "tool_error"


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
