"""The MCP server of one listener or process: the SDK's low-level server over a table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from weakref import WeakSet, WeakValueDictionary

import anyio
import mcp_types as types
from mcp.server import NotificationOptions, Server
from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ServerEvent,
    ToolsListChanged,
)
from mcp.shared.exceptions import MCPError
from mcp_types.methods import validate_client_request
from pydantic import ValidationError

from naftiko_runtime import __version__
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.completion import offers_choices
from naftiko_runtime.exposes.mcp.incidents import log_incident
from naftiko_runtime.exposes.mcp.prompt_handlers import PromptHandlers
from naftiko_runtime.exposes.mcp.protocol import Context
from naftiko_runtime.exposes.mcp.resource_handlers import ResourceHandlers
from naftiko_runtime.exposes.mcp.rounds import boundary
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tool_handlers import ToolHandlers
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.exposes.mcp.tracing import answer_traced
from naftiko_runtime.telemetry.recorder import Telemetry

_PATIENCE: Final = 1.0
"""Seconds for one client to take a notification; one that does not read must not hold up a
reload."""

_NOTICES: Final[Mapping[type[ServerEvent], Callable[[Connection], Awaitable[None]]]] = {
    ToolsListChanged: Connection.send_tool_list_changed,
    ResourcesListChanged: Connection.send_resource_list_changed,
    PromptsListChanged: Connection.send_prompt_list_changed,
}
"""How clients of the handshake versions are told of an event."""


class McpServer:
    """Owns the SDK's server, the current table, and the list of clients to tell of a new one.

    `sdk` is what transports run; they have to restore the numbers in what it writes (see
    `json_numbers`).
    """

    def __init__(
        self,
        table: McpTable,
        execute: Execute,
        *,
        name: str = "naftiko",
        telemetry: Telemetry | None = None,
        asking: Asking | None = None,
    ) -> None:
        asking = asking or Asking()
        self._telemetry = telemetry or Telemetry()
        self._bus = InMemorySubscriptionBus()
        self._listeners = ListenHandler(self._bus)
        self._connections: WeakSet[Connection] = WeakSet()
        self._ready: WeakValueDictionary[str, Connection] = WeakValueDictionary()
        self._lists: dict[tuple[str, str], HandlerResult] = {}
        tools = ToolHandlers(lambda: self._table.tools, execute, asking)
        resources = ResourceHandlers(lambda: self._table.resources, execute)
        prompts = PromptHandlers(lambda: self._table)
        self.sdk = _Server(
            name,
            version=__version__,
            on_list_tools=tools.list,
            on_call_tool=tools.call,
            on_list_resources=resources.list,
            on_list_resource_templates=resources.list_templates,
            on_read_resource=resources.read,
            on_list_prompts=prompts.list,
            on_get_prompt=prompts.get,
            on_completion=prompts.complete,
            on_subscriptions_listen=self._listeners,
            get_tool_input_schema=tools.input_schema,
        )
        self.sdk.add_notification_handler(
            "notifications/initialized", types.NotificationParams, self._remember
        )
        # The SDK's tracing costs a tenth of a call and is not configured here.
        self.sdk.middleware[:] = [
            self._contain,
            self._traced,
            boundary(asking.key, asking.patience, audience=name),
            self._cached_list,
        ]
        self._adopt(table)

    async def replace(self, table: McpTable) -> None:
        """Serves `table` from now on; calls in flight end on the old one. Clients of both eras
        are told of the lists that they would see another one of."""
        before = self._table
        self._adopt(table)
        events = _changes(before, table)
        for event in events:
            await self._bus.publish(event)
        if events:
            async with anyio.create_task_group() as tasks:
                for connection in list(self._connections):
                    tasks.start_soon(self._tell, connection, events)

    def ready(self, session: str) -> Connection | None:
        """The connection of a session whose client has said that it is ready."""
        return self._ready.get(session)

    def close_listeners(self) -> None:
        """Ends the streams on which clients of 2026-07-28 wait for changes."""
        self._listeners.close()

    def _adopt(self, table: McpTable) -> None:
        self._table = table
        self._lists = {}
        self.sdk.table = table
        self.sdk.title = table.title or None
        self.sdk.instructions = table.instructions or None

    async def _tell(self, connection: Connection, events: list[ServerEvent]) -> None:
        with anyio.move_on_after(_PATIENCE) as waiting:
            for event in events:
                await _NOTICES[type(event)](connection)
        if waiting.cancelled_caught:
            self._connections.discard(connection)

    async def _remember(self, context: Context, params: types.NotificationParams) -> None:
        connection = _connection(context)
        if connection.session_id is not None:
            self._ready[connection.session_id] = connection
        if connection.has_standalone_channel:
            self._connections.add(connection)

    async def _contain(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Lets no unforeseen exception out: the SDK would show its text to clients of the
        handshake versions."""
        try:
            return await call_next(ctx)
        except (MCPError, ValidationError):
            raise
        except Exception:
            raise MCPError(types.INTERNAL_ERROR, log_incident()) from None

    async def _traced(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        recorder = self._telemetry.recorder
        if recorder is None:
            return await call_next(ctx)
        return await answer_traced(recorder, ctx, call_next)

    async def _cached_list(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Writes each page of the tool list once per table and protocol version: it is by far the
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
    """Says of itself what is true of the current `table`: which kinds of things there are, and
    that their lists can change."""

    table = McpTable()

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        changing = NotificationOptions(
            tools_changed=True, resources_changed=True, prompts_changed=True
        )
        return super().create_initialization_options(
            notification_options or changing, experimental_capabilities, extensions
        )

    def get_capabilities(self, *args: Any, **options: Any) -> types.ServerCapabilities:
        """Tools are always there, or may come with a reload. That a resource's content has
        changed is never told."""
        found = super().get_capabilities(*args, **options)
        table = self.table
        if found.resources is not None:
            found.resources.subscribe = False
        if not table.resources.resources:
            found.resources = None
        if not table.prompts.prompts:
            found.prompts = None
        if not offers_choices(table.prompts, table.resources):
            found.completions = None
        return found

    @property
    def server_info_stamp(self) -> dict[str, Any]:
        return self.server_info.model_dump(by_alias=True, mode="json", exclude_none=True)


def _changes(before: McpTable, now: McpTable) -> list[ServerEvent]:
    """The lists that clients would see another one of."""
    events: list[ServerEvent] = []
    if not now.tools.lists_as(before.tools):
        events.append(ToolsListChanged())
    if not now.resources.lists_as(before.resources):
        events.append(ResourcesListChanged())
    if not now.prompts.lists_as(before.prompts):
        events.append(PromptsListChanged())
    return events


def _connection(context: Context) -> Connection:
    """The SDK keeps no list of its connections, and a session does not show its own."""
    return context.session._connection
