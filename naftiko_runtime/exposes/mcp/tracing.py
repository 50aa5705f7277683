"""Messages that the SDK answers, within spans."""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError

from naftiko_runtime.exposes.mcp.message_spans import message_span, note_tool_error
from naftiko_runtime.telemetry.recorder import Recorder


async def answer_traced(
    recorder: Recorder, context: ServerRequestContext[Any, Any], call_next: CallNext
) -> HandlerResult:
    """Has a message answered within a span."""
    meta = (context.params or {}).get("_meta")
    headers = context.request.scope["headers"] if context.request is not None else None
    with message_span(recorder, context.method, context.protocol_version, meta, headers) as span:
        try:
            result = await call_next(context)
        except MCPError as error:
            span.error = str(error.error.code)
            raise
        if _is_error(result):
            note_tool_error(span)
        return result


def _is_error(result: HandlerResult) -> bool:
    """Whether it is a tool's result that says so, as a model or written already."""
    if isinstance(result, dict):
        return result.get("isError") is True
    return isinstance(result, types.CallToolResult) and result.is_error is True
