"""Answers `tools/list` and `tools/call`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import mcp_types as types

from naftiko_runtime.engine.beside import beside
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.answer_content import ANSWER_URI, Media
from naftiko_runtime.exposes.mcp.arguments import read_arguments
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.conversation import Call, Conversation
from naftiko_runtime.exposes.mcp.dry_run import wants_dry_run
from naftiko_runtime.exposes.mcp.incidents import log_incident
from naftiko_runtime.exposes.mcp.incoming import call_arguments
from naftiko_runtime.exposes.mcp.message_spans import note_outcome, tool_span
from naftiko_runtime.exposes.mcp.protocol import (
    Context,
    is_handshake,
    origin_of,
    page_of,
    unknown,
)
from naftiko_runtime.exposes.mcp.results import answering_tool, takes_long, tool_result
from naftiko_runtime.exposes.mcp.tools import OUTCOME, Execute, ListedTool, ToolTable
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_values import Missing
from naftiko_runtime.plan.operation import SAFE_METHODS
from naftiko_runtime.plan.origin import Origin

MESSAGE: Final = "naftiko.message"
"""Where the scope of an HTTP request holds its message, as this package read it."""


class ToolHandlers:
    """Handlers over the table that `current` gives; owned by an McpServer."""

    def __init__(self, current: Callable[[], ToolTable], execute: Execute, asking: Asking) -> None:
        self._current = current
        self._execute = execute
        self._asking = asking
        self._under_way: set[asyncio.Future[Outcome]] = set()

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._current().find(name)
        schema = tool.entry["inputSchema"] if tool is not None else None
        return schema if isinstance(schema, dict) else None

    async def list(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        tools, cursor = page_of(self._current().tools, lambda tool: tool.name, params)
        handshake = is_handshake(context)
        entries = [tool.handshake_entry if handshake else tool.entry for tool in tools]
        return types.ListToolsResult(
            tools=[types.Tool.model_validate(entry) for entry in entries], next_cursor=cursor
        )

    async def call(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        table = self._current()
        tool = table.find(params.name)
        if tool is None:
            raise unknown("tool", params.name, table.nearest(params.name))
        scope = context.request.scope if context.request is not None else {}
        message = scope.get(MESSAGE)
        given = params.arguments or {} if message is None else call_arguments(message)
        call = Call(tool, given)
        is_dry = wants_dry_run(params.meta)
        run = partial(self._run, origin_of(context), is_dry)
        conversation = Conversation(self._asking, context, table, run)
        if params.request_state is not None:
            turn = await conversation.resume(params.request_state, params.input_responses, call)
        else:
            turn = await conversation.begin(call, scope.get(OUTCOME))
        if isinstance(turn, types.InputRequiredResult):
            return turn
        # What the last tool has answered is to be as the called one has promised
        answered = replace(turn.call.tool, result=None if is_dry else tool.result)
        make = partial(
            _to_sdk,
            answered,
            turn.outcome,
            objects_only=is_handshake(context),
            answers=answering_tool(table, answered, turn.outcome),
        )
        return await beside(make) if takes_long(turn.outcome) else make()

    async def _run(self, origin: Origin, is_dry: bool, call: Call) -> Outcome:
        try:
            with tool_span(call.tool) as span:
                plan = call.tool.plan.operation
                work = self._execute(
                    plan, read_arguments(call.tool, call.arguments, origin, dry_run=is_dry)
                )
                reads = plan.action.method in SAFE_METHODS and not plan.changes
                outcome = await (work if reads else self._to_its_end(work))
                note_outcome(span, outcome)
                return outcome
        except CallFailed as failed:
            return failed.failure
        except Exception:
            return Failure(FailureKind.INTERNAL, log_incident(), executed=True)

    async def _to_its_end(self, work: Awaitable[Outcome]) -> Outcome:
        """Work that can change something goes on when its client gives up: it may have been done
        by then, and its outcome belongs into the journal and under its key."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)


def _to_sdk(
    tool: ListedTool, outcome: Outcome, *, objects_only: bool, answers: ListedTool | None
) -> types.CallToolResult:
    result = tool_result(tool, outcome, objects_only=objects_only, answers=answers)
    return types.CallToolResult(
        content=[_block(part) for part in result.content],
        structured_content=(None if isinstance(result.structured, Missing) else result.structured),
        is_error=result.is_error,
    )


def _block(part: str | Media) -> types.ContentBlock:
    if isinstance(part, str):
        return types.TextContent(text=part)
    kind = part.content_type.partition("/")[0]
    if kind == "image":
        return types.ImageContent(data=part.data, mime_type=part.content_type)
    if kind == "audio":
        return types.AudioContent(data=part.data, mime_type=part.content_type)
    return types.EmbeddedResource(
        resource=types.BlobResourceContents(
            uri=ANSWER_URI, mime_type=part.content_type, blob=part.data
        )
    )
