"""Streamable HTTP as the SDK speaks it, in both eras of the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import inf
from typing import Any, Final

from mcp.server import Server
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser, authorization_context
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.types import Receive, Scope, Send

from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.server import McpServer
from naftiko_runtime.exposes.mcp.sessions import SESSION_ID, Session
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tool_handlers import MESSAGE
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.telemetry.recorder import Telemetry

_IDLE_SECONDS: Final = 30 * 60
_MOST_SESSIONS: Final = 2000
_VERSION: Final = b"mcp-protocol-version"
_SESSION: Final = "naftiko.session"
"""Where a connection of the SDK holds what the fast lane knows of its session."""


class HttpTransport:
    """Four of the SDK's session managers over one server, each for the callers that it suits.

    Requests of 2026-07-28 stand alone; closing one's response cancels it, for which the SDK wants
    its streaming mode. Clients of the handshake versions get a session when they initialize,
    since without one they would not hear of changes; one that sends no session id is served all
    the same. Answers are streams in the sessions of clients that can ask their users, as what
    they are to ask comes in the stream of the call that it is for; they take twice the time.
    With `keep_sessions` off, for processes that share a port, nobody gets a session.
    """

    def __init__(
        self,
        table: McpTable,
        execute: Execute,
        *,
        name: str,
        keep_sessions: bool,
        telemetry: Telemetry | None = None,
        asking: Asking | None = None,
    ) -> None:
        self.server = McpServer(table, execute, name=name, telemetry=telemetry, asking=asking)
        self._keep_sessions = keep_sessions
        sdk = self.server.sdk
        self._modern = StreamableHTTPSessionManager(sdk, stateless=True)
        self._plain = StreamableHTTPSessionManager(sdk, stateless=True, json_response=True)
        self._sessions = _session_manager(sdk, json_response=True)
        self._asking_sessions = _session_manager(sdk, json_response=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with (
            self._modern.run(),
            self._plain.run(),
            self._sessions.run(),
            self._asking_sessions.run(),
        ):
            yield

    async def post(
        self,
        message: Mapping[str, JsonValue],
        scope: Scope,
        receive: Receive,
        send: Send,
        principal: str = "",
    ) -> None:
        """Answers one message; `receive` gives its body. A session is for the `principal` alone
        that has begun it."""
        scope[MESSAGE] = message
        _identify(scope, principal)
        if not _is_handshake(scope):
            manager = self._modern
        elif self._keep_sessions and message.get("method") == "initialize":
            manager = self._asking_sessions if _can_ask(message) else self._sessions
            await _make_room(manager)
        elif self._keep_sessions and _header(scope, SESSION_ID) is not None:
            manager = self._manager_of(scope)
        else:
            manager = self._plain
        await manager.handle_request(scope, receive, send)

    async def replace(self, table: McpTable) -> None:
        """Serves another table from now on, and tells the clients whose lists change."""
        await self.server.replace(table)

    def holds_session(self, scope: Scope) -> bool:
        """Whether a GET or DELETE means a session: they do for the handshake versions only."""
        return (
            self._keep_sessions and _header(scope, SESSION_ID) is not None and _is_handshake(scope)
        )

    async def session(
        self, scope: Scope, receive: Receive, send: Send, principal: str = ""
    ) -> None:
        """Opens the stream of a session, or ends the session."""
        _identify(scope, principal)
        # Streams cannot be resumed, and the SDK would leave a client that tries without answer.
        headers = [pair for pair in scope["headers"] if pair[0] != b"last-event-id"]
        known = self.find(scope, principal) if scope["method"] == "DELETE" else None
        await self._manager_of(scope).handle_request({**scope, "headers": headers}, receive, send)
        if known is not None and not known.is_open:
            known.cancel_all()

    def find(self, scope: Scope, principal: str) -> Session | None:
        """The session that a request of its `principal` names, if it is open and ready."""
        id = _header(scope, SESSION_ID)
        if id is None or not self._keep_sessions:
            return None
        name, manager = id.decode("latin-1"), self._manager_of(scope)
        sdk = manager._server_instances.get(name)
        if sdk is None:
            return None
        owner = manager._session_owners.get(name)
        if owner != (None if not principal else authorization_context(_user(principal))):
            return None
        connection = self.server.ready(name)
        if connection is None:
            return None
        known: Session | None = connection.state.get(_SESSION)
        if known is None:
            asks = manager is self._asking_sessions
            known = Session(id, connection.protocol_version, asks, sdk)
            connection.state[_SESSION] = known
        return known if known.is_open else None

    def _manager_of(self, scope: Scope) -> StreamableHTTPSessionManager:
        """The one that knows the session of a request, if any does; the SDK does not say."""
        session = (_header(scope, SESSION_ID) or b"").decode("latin-1")
        asks = session in self._asking_sessions._server_instances
        return self._asking_sessions if asks else self._sessions


def _session_manager(server: Server[Any], *, json_response: bool) -> StreamableHTTPSessionManager:
    return StreamableHTTPSessionManager(
        server,
        json_response=json_response,
        session_idle_timeout=_IDLE_SECONDS,
        max_sessions=_MOST_SESSIONS,
    )


async def _make_room(manager: StreamableHTTPSessionManager) -> None:
    """Ends the session that has been idle for longest where no other one can be opened. Programs
    that begin a session for each call and leave it would keep all others out until theirs run out;
    a client that comes back is told to initialize again. One in use, or with an open stream, is
    never ended."""
    sessions = manager._server_instances
    if len(sessions) < _MOST_SESSIONS:
        return
    runs_out = {
        name: each.idle_scope.deadline for name, each in sessions.items() if each.idle_scope
    }
    longest_idle = min(runs_out, key=runs_out.__getitem__, default=None)
    if longest_idle is not None and runs_out[longest_idle] < inf:
        await manager._discard_session(longest_idle, sessions[longest_idle])


def _can_ask(initialize: Mapping[str, JsonValue]) -> bool:
    """Whether a client says that it can ask its user."""
    params = initialize.get("params")
    declared = params.get("capabilities") if isinstance(params, dict) else None
    return isinstance(declared, dict) and declared.get("elicitation") is not None


def _identify(scope: Scope, principal: str) -> None:
    """Says who calls in the SDK's way: it compares callers with the one who began a session."""
    if principal:
        scope["user"] = _user(principal)


def _user(principal: str) -> AuthenticatedUser:
    return AuthenticatedUser(AccessToken(token="", client_id=principal, scopes=[]))


def _is_handshake(scope: Scope) -> bool:
    """A request that names no version is of one with a handshake; so the SDK takes it, too."""
    version = _header(scope, _VERSION)
    return version is None or version.decode("latin-1") in HANDSHAKE_PROTOCOL_VERSIONS


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
