"""The MCP server of one listener or process: the SDK's low-level server over a tool table."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final, TypeAlias
from weakref import WeakSet

import anyio
import mcp_types as types
from mcp.server import NotificationOptions, Server, ServerRequestContext
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types.methods import validate_client_request
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from pydantic import ValidationError

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.answer_content import Media
from naftiko_runtime.exposes.mcp.arguments import read_arguments
from naftiko_runtime.exposes.mcp.incoming import call_arguments
from naftiko_runtime.exposes.mcp.results import ToolResult, tool_result
from naftiko_runtime.exposes.mcp.tools import Execute, ListedTool, ToolTable
from naftiko_runtime.exposes.mcp.tracing import answer_traced, note_outcome, tool_span
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.telemetry.recorder import Telemetry

Context: TypeAlias = ServerRequestContext[Any, Any]

MESSAGE: Final = "naftiko.message"
"""Where the scope of an HTTP request holds its message, as this package read it."""
PAGE_SIZE: Final = 1000
_PATIENCE: Final = 1.0
"""Seconds for one client to take a notification; one that does not read must not hold up a
reload."""

_log = logging.getLogger("naftiko.mcp")


class ToolServer:
    """Owns the SDK's server, the current table, and the list of clients to tell of a new one.

    `sdk` is what transports run; they have to restore the numbers in what it writes (see
    `json_numbers`).
    """

    def __init__(
        self,
        table: ToolTable,
        execute: Execute,
        *,
        name: str = "naftiko",
        telemetry: Telemetry | None = None,
    ) -> None:
        self._execute = execute
        self._telemetry = telemetry or Telemetry()
        self._bus = InMemorySubscriptionBus()
        self._listeners = ListenHandler(self._bus)
        self._connections: WeakSet[Connection] = WeakSet()
        self._lists: dict[tuple[str, str], HandlerResult] = {}
        self.sdk = _Server(
            name,
            version=version("naftiko-runtime"),
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_subscriptions_listen=self._listeners,
            get_tool_input_schema=self._input_schema,
        )
        self.sdk.add_notification_handler(
            "notifications/initialized", types.NotificationParams, self._remember
        )
        # The SDK's tracing costs a tenth of a call and is not configured here.
        self.sdk.middleware[:] = [self._contain, self._traced, self._cached_list]
        self._adopt(table)

    async def replace(self, table: ToolTable) -> None:
        """Serves `table` from now on; calls in flight end on the old one. Clients of both eras
        are told if they would see another list."""
        before = self._table
        self._adopt(table)
        if table.lists_as(before):
            return
        await self._bus.publish(ToolsListChanged())
        async with anyio.create_task_group() as tasks:
            for connection in list(self._connections):
                tasks.start_soon(self._tell, connection)

    def close_listeners(self) -> None:
        """Ends the streams on which clients of 2026-07-28 wait for changes."""
        self._listeners.close()

    def _adopt(self, table: ToolTable) -> None:
        self._table = table
        self._lists = {}
        self.sdk.title = table.title or None
        self.sdk.instructions = table.instructions or None

    async def _tell(self, connection: Connection) -> None:
        with anyio.move_on_after(_PATIENCE) as waiting:
            await connection.send_tool_list_changed()
        if waiting.cancelled_caught:
            self._connections.discard(connection)

    async def _remember(self, context: Context, params: types.NotificationParams) -> None:
        connection = _connection(context)
        if connection.has_standalone_channel:
            self._connections.add(connection)

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._table.find(name)
        schema = tool.entry["inputSchema"] if tool is not None else None
        return schema if isinstance(schema, dict) else None

    async def _list_tools(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        tools = self._table.tools
        first = self._page_start(tools, params.cursor if params is not None else None)
        page = tools[first : first + PAGE_SIZE]
        handshake = _is_handshake(context)
        return types.ListToolsResult(
            tools=[
                types.Tool.model_validate(tool.handshake_entry if handshake else tool.entry)
                for tool in page
            ],
            next_cursor=page[-1].name if first + PAGE_SIZE < len(tools) else None,
        )

    def _page_start(self, tools: tuple[ListedTool, ...], cursor: str | None) -> int:
        """A cursor is the name of the last tool of the page before: a reload in between makes it
        invalid rather than skip tools."""
        if cursor is None:
            return 0
        for index, tool in enumerate(tools):
            if tool.name == cursor:
                return index + 1
        raise MCPError(types.INVALID_PARAMS, "unknown cursor - list the tools from the start")

    async def _call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = self._table.find(params.name)
        if tool is None:
            near = self._table.nearest(params.name)
            remedy = f' - did you mean "{near}"?' if near else ""
            raise MCPError(types.INVALID_PARAMS, f'unknown tool "{params.name[:100]}"{remedy}')
        message = context.request.scope.get(MESSAGE) if context.request is not None else None
        given = params.arguments or {} if message is None else call_arguments(message)
        outcome = await self._outcome(tool, given)
        return _to_sdk(tool_result(tool, outcome, objects_only=_is_handshake(context)))

    async def _outcome(self, tool: ListedTool, given: Mapping[str, JsonValue]) -> Outcome:
        try:
            with tool_span(tool) as span:
                outcome = await self._execute(tool.plan.operation, read_arguments(tool, given))
                note_outcome(span, outcome)
                return outcome
        except CallFailed as failed:
            return failed.failure
        except Exception:
            return Failure(FailureKind.INTERNAL, _log_incident(), executed=True)

    async def _contain(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Lets no unforeseen exception out: the SDK would show its text to clients of the
        handshake versions."""
        try:
            return await call_next(ctx)
        except (MCPError, ValidationError):
            raise
        except Exception:
            raise MCPError(types.INTERNAL_ERROR, _log_incident()) from None

    async def _traced(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        recorder = self._telemetry.recorder
        if recorder is None:
            return await call_next(ctx)
        return await answer_traced(recorder, ctx, call_next)

    async def _cached_list(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Writes each page of the list once per table and protocol version: it is by far the
        dearest answer to make."""
        if ctx.method != "tools/list" or not _connection(ctx).initialize_accepted:
            return await call_next(ctx)
        validate_client_request("tools/list", ctx.protocol_version, ctx.params)
        lists = self._lists
        key = (ctx.protocol_version, str((ctx.params or {}).get("cursor", "")))
        if key not in lists:
            lists[key] = await call_next(ctx)
        return lists[key]


class _Server(Server[Any]):
    """Tells clients of the handshake versions that the tool list can change, and keeps what it
    says of itself up to date."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        return super().create_initialization_options(
            notification_options or NotificationOptions(tools_changed=True),
            experimental_capabilities,
            extensions,
        )

    @property
    def server_info_stamp(self) -> dict[str, Any]:
        return self.server_info.model_dump(by_alias=True, mode="json", exclude_none=True)


def _connection(context: Context) -> Connection:
    """The SDK keeps no list of its connections, and a session does not show its own."""
    return context.session._connection


def _is_handshake(context: Context) -> bool:
    return context.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS


def _log_incident() -> str:
    """Logs the exception at hand, and says where."""
    incident = secrets.token_hex(8)
    _log.exception("internal error %s", incident)
    return f'the call failed inside the runtime - its log has the reason under "{incident}"'


def _to_sdk(result: ToolResult) -> types.CallToolResult:
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
            uri="naftiko:answer", mime_type=part.content_type, blob=part.data
        )
    )
