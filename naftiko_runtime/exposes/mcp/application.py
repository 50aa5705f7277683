"""The MCP adapter of one listener as an ASGI application."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.types import Message, Receive, Scope, Send

from naftiko_runtime.engine.beside import beside
from naftiko_runtime.exposes.authentication import ANYBODY, Admission, Gatekeeper, caller_of
from naftiko_runtime.exposes.host_check import HostPolicy, check_page
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.explanation import PATHS, not_answered, page, unknown_path
from naftiko_runtime.exposes.mcp.fast_lane import HUNG_UP, FastLane
from naftiko_runtime.exposes.mcp.incoming import BadMessage, decode_message
from naftiko_runtime.exposes.mcp.streams import EndlessStream, replay, with_exact_numbers
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.exposes.mcp.views import Views
from naftiko_runtime.exposes.rest.problem_details import (
    internal_error_reply,
    problem_reply,
    refusal_reply,
)
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.request_body import read_body
from naftiko_runtime.exposes.rest.surroundings import metadata_reply
from naftiko_runtime.failures import CallFailed
from naftiko_runtime.json_codec import LARGE
from naftiko_runtime.telemetry.recorder import Telemetry

if TYPE_CHECKING:
    from naftiko_runtime.exposes.mcp.transport import HttpTransport

_log = logging.getLogger("naftiko.mcp")
_ALLOW_POST = (b"allow", b"POST")


class McpApplication:
    """Answers at `/mcp` and at `/`. `running()` has to be entered before it is called.

    Most requests need no SDK; it is imported beside the event loop when one first does, which waits
    for it.
    """

    def __init__(
        self,
        table: McpTable,
        execute: Execute,
        hosts: HostPolicy,
        *,
        name: str = "naftiko",
        keep_sessions: bool = True,
        telemetry: Telemetry | None = None,
        gatekeeper: Gatekeeper | None = None,
        asking: Asking | None = None,
    ) -> None:
        """`keep_sessions` has to be off where several processes share the port: a session lives
        in one of them. `gatekeeper` judges callers; the process's own knows issuers of tokens.
        `asking` is for users; processes that share the port share what it holds."""
        self._execute = execute
        self._hosts = hosts
        self._name = name
        self._keep_sessions = keep_sessions
        self._telemetry = telemetry
        self._gatekeeper = gatekeeper or Gatekeeper()
        self._asking = asking or Asking()
        self._views = Views(table, self._open_lane, self._load)

    @property
    def table(self) -> McpTable:
        return self._views.table

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The time in which requests are answered; can be entered once. Leaving it ends all
        sessions, and calls that are still in flight."""
        async with self._views.running():
            yield

    async def replace(self, table: McpTable) -> None:
        """Serves `table` from now on, and tells the clients if they would see another list.
        Calls in flight end on the old table."""
        await self._views.replace(table)

    async def close_streams(self) -> None:
        """Ends the streams on which clients wait for changes, now and from now on, so that a stop
        need not wait for clients to hang up. Calls go on."""
        self._views.close_streams()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            reply = await self._answer(scope, receive, send_watched)
        except CallFailed as failed:
            reply = problem_reply(failed.failure)
        except Exception:
            incident = secrets.token_hex(8)
            _log.exception("internal error %s", incident)
            reply = internal_error_reply(incident)
        if reply is not None and not started:
            await send(
                {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
            )
            body = b"" if scope["method"] == "HEAD" else reply.body
            await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Reply | None:
        """None when the transport has answered, or nobody waits for an answer."""
        refusal = self._hosts.check(scope["headers"])
        if refusal is None and scope["method"] != "GET":
            refusal = check_page(scope["headers"])
        if refusal is not None:
            return problem_reply(refusal)
        door = self.table.door
        admitted = ANYBODY
        if door.plans:
            metadata = door.metadata.get(scope["path"])
            if metadata is not None:
                return metadata_reply(scope["method"], metadata)
            verdict = await self._gatekeeper.admit(door, caller_of(scope))
            if not isinstance(verdict, Admission):
                return refusal_reply(verdict)
            admitted = verdict
        if scope["path"] not in PATHS:
            return problem_reply(unknown_path(scope["path"]))
        if scope["method"] == "POST":
            return await self._post(admitted, scope, receive, send)
        if scope["method"] in ("GET", "DELETE"):
            return await self._get(admitted, scope, receive, send)
        return problem_reply(not_answered(scope["method"]), _ALLOW_POST)

    async def _get(
        self, admitted: Admission, scope: Scope, receive: Receive, send: Send
    ) -> Reply | None:
        """Opens the stream of a session or ends one (DELETE); without a session, a browser is told
        where it is."""
        with await self._views.use(admitted.plans) as view:
            if _names_session(scope):
                transport = await view.sdk()
                if transport.holds_session(scope):
                    stream = EndlessStream(receive, send, view.streams_end)
                    await transport.session(scope, stream.receive, stream.send, admitted.principal)
                    await stream.finish()
                    return None
            if scope["method"] == "GET" and _is_browser(scope):
                return page(view.table)
        return problem_reply(not_answered(scope["method"]), _ALLOW_POST)

    async def _post(
        self, admitted: Admission, scope: Scope, receive: Receive, send: Send
    ) -> Reply | None:
        body = await read_body(scope["headers"], receive)
        if body is None:
            return None
        try:
            large = len(body) > LARGE
            message = await beside(decode_message, body) if large else decode_message(body)
        except BadMessage as bad:
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(bad.body)),
            ]
            return Reply(400, headers, bad.body)
        scope = _accepting(scope)
        with await self._views.use(admitted.plans) as view:
            recorder = None if self._telemetry is None else self._telemetry.recorder
            session = view.session(scope, admitted.principal)
            if session is not None and message.get("method") == "notifications/cancelled":
                session.cancel(message)
            reply = await view.lane.answer(
                message, scope, receive, admitted.principal, recorder, session
            )
            if reply is not None:
                return None if reply is HUNG_UP else reply
            transport = await view.sdk()
            again, exact = replay(body, receive), with_exact_numbers(send)
            await transport.post(message, scope, again, exact, admitted.principal)
        return None

    def _open_lane(self, table: McpTable) -> FastLane:
        return FastLane(table, self._execute, self._name)

    def _load(self, table: McpTable) -> HttpTransport:
        from naftiko_runtime.exposes.mcp.transport import HttpTransport

        return HttpTransport(
            table,
            self._execute,
            name=self._name,
            keep_sessions=self._keep_sessions,
            telemetry=self._telemetry,
            asking=self._asking,
        )


def _names_session(scope: Scope) -> bool:
    return any(name == b"mcp-session-id" for name, _ in scope["headers"])


def _accepting(scope: Scope) -> Scope:
    """The request with what it accepts: one that does not say takes anything (RFC 9110, section
    12.5.1), which the SDK would refuse."""
    if any(name == b"accept" for name, _ in scope["headers"]):
        return scope
    return {**scope, "headers": [*scope["headers"], (b"accept", b"*/*")]}


def _is_browser(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
