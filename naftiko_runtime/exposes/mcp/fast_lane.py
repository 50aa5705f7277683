"""Answers the common requests of clients beside the SDK, many times faster.

It takes requests of `tools/call`, `tools/list`, `server/discover` and `ping` that are right in
every respect, in sessions or without; as long as nobody asks for more, the SDK is not even
imported. Whatever is unusual - errors of the protocol, other methods, what a user may be asked - is
left to the SDK, which stays the reference: tests hold both against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from starlette.types import Receive, Scope

from naftiko_runtime.engine.beside import beside
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.answer_content import ANSWER_URI, Media
from naftiko_runtime.exposes.mcp.arguments import read_arguments
from naftiko_runtime.exposes.mcp.fast_requests import LISTS, META, FastRequest, read_request
from naftiko_runtime.exposes.mcp.incidents import log_incident
from naftiko_runtime.exposes.mcp.json_numbers import DEEPEST, mark_numbers
from naftiko_runtime.exposes.mcp.lists import list_answer, server_info
from naftiko_runtime.exposes.mcp.message_spans import (
    message_span,
    note_outcome,
    note_tool_error,
    tool_span,
)
from naftiko_runtime.exposes.mcp.results import (
    ToolResult,
    answering_tool,
    takes_long,
    tool_result,
)
from naftiko_runtime.exposes.mcp.sessions import JSON, Session
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import OUTCOME, Execute, ListedTool
from naftiko_runtime.exposes.rest.disconnect import run_while_connected
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.origin import UNKNOWN_MCP, Origin
from naftiko_runtime.telemetry.recorder import Recorder
from naftiko_runtime.telemetry.spans import Span, current_span

HUNG_UP: Final = Reply(0, [], b"")
"""Stands for no answer, because the caller has hung up."""

_SHORT: Final = 3900
"""Bytes; a shorter text cannot hold an integer that is too long for the SDK's writer."""
_SAFE: Final = frozenset({"GET", "HEAD"})
_MOST_KNOWN: Final = 64


class FastLane:
    """Owned by one view of a listener, whose table it is told of with `adopt`. `name` is the
    server's."""

    def __init__(self, table: McpTable, execute: Execute, name: str) -> None:
        self._execute = execute
        self._name = name
        self.adopt(table)

    def adopt(self, table: McpTable) -> None:
        """Answers from this table, and forgets the lists of another one."""
        self._table = table
        self._lists: dict[tuple[str, str, str], bytes] = {}
        self._tail = b""

    async def answer(
        self,
        message: Mapping[str, JsonValue],
        scope: Scope,
        receive: Receive,
        principal: str = "",
        recorder: Recorder | None = None,
        session: Session | None = None,
    ) -> Reply | None:
        """The answer; None when the request is the SDK's, and HUNG_UP when nobody waits for it.
        `session` is the one that the request names.

        With None nothing was done, or the outcome is in the scope, for a client to be asked what
        it asks; so that no call is executed twice.
        """
        request = read_request(message, scope, session)
        if request is None:
            return None
        if session is None:
            return await self._answer(request, scope, receive, principal, recorder)
        with session:
            return await self._answer(request, scope, receive, principal, recorder)

    async def _answer(
        self,
        request: FastRequest,
        scope: Scope,
        receive: Receive,
        principal: str,
        recorder: Recorder | None,
    ) -> Reply | None:
        if request.method in LISTS:
            reply = self._list(request)
            if reply is not None and recorder is not None:
                with _span(recorder, request, scope):
                    pass
            return reply
        tool = self._table.tools.find(str(request.params["name"]))
        if tool is None or (request.session is not None and request.asks and not _is_safe(tool)):
            return None
        origin = Origin("mcp", principal) if principal else UNKNOWN_MCP
        if recorder is None:
            return await self._answer_call(tool, request, scope, receive, origin)
        if request.asks:
            return None  # what it asks belongs into the span of its call
        with _span(recorder, request, scope):
            return await self._answer_call(tool, request, scope, receive, origin)

    async def _answer_call(
        self,
        tool: ListedTool,
        request: FastRequest,
        scope: Scope,
        receive: Receive,
        origin: Origin,
    ) -> Reply | None:
        span = current_span()
        with tool_span(tool) as of_tool:
            outcome = await self._call(tool, request, receive, origin)
            if outcome is not None:
                note_outcome(of_tool, outcome)
        if outcome is None:
            if span is not None:
                span.error = "cancelled"
            session = request.session
            return HUNG_UP if session is None else session.given_up(encode_json(request.id))
        answers = None
        if isinstance(outcome, Failure) and outcome.question is not None:
            if request.asks:
                scope[OUTCOME] = outcome
                return None
            answers = answering_tool(self._table.tools, tool, outcome)
        write = partial(_written, tool, outcome, answers, objects_only=not request.is_modern)
        is_error, written = await beside(write) if takes_long(outcome) else write()
        if is_error and span is not None:
            note_tool_error(span)
        return self._reply(request, written)

    def _list(self, request: FastRequest) -> Reply | None:
        """Lists are written once: those of many tools are by far the dearest answers to make."""
        if request.method == "ping":
            return self._reply(request, b"{")
        known = self._lists.get(request.key)
        if known is None:
            answer = None
            with suppress(Exception):  # which the SDK comes upon, too, and reports
                answer = list_answer(self._table, request)
            if answer is None:
                return None
            known = encode_json(answer).removesuffix(b"}")
            if len(self._lists) < _MOST_KNOWN:
                self._lists[request.key] = known
        return self._reply(request, known)

    def _reply(self, request: FastRequest, result: bytes) -> Reply:
        """The answer with a result, which is a JSON object that is left open."""
        tail = self._modern_tail() if request.is_modern else b"}}"
        id = encode_json(request.id)
        body = b'{"jsonrpc":"2.0","id":' + id + b',"result":' + result + tail
        if request.session is not None:
            return Reply(200, request.session.headers(body), body)
        return Reply(200, [JSON, (b"content-length", b"%d" % len(body))], body)

    def _modern_tail(self) -> bytes:
        if not self._tail:
            meta = encode_json({f"{META}serverInfo": server_info(self._name, self._table)})
            self._tail = b',"resultType":"complete","_meta":' + meta + b"}}"
        return self._tail

    async def _call(
        self, tool: ListedTool, request: FastRequest, receive: Receive, origin: Origin
    ) -> Outcome | None:
        """Runs a call. One that only reads ends when a caller of 2026-07-28 hangs up, or one with a
        session cancels it; one that can change something is never cut off halfway."""
        arguments = request.params.get("arguments", {})
        assert isinstance(arguments, dict)
        try:
            work = self._execute(tool.plan.operation, read_arguments(tool, arguments, origin))
            if request.session is not None:
                return await request.session.run(request.id, work, is_safe=_is_safe(tool))
            if request.is_modern and _is_safe(tool):
                return await run_while_connected(work, receive)
            return await work
        except CallFailed as failed:
            return failed.failure
        except Exception:
            return Failure(FailureKind.INTERNAL, log_incident(), executed=True)


def _is_safe(tool: ListedTool) -> bool:
    plan = tool.plan.operation
    return plan.action.method in _SAFE and not plan.changes


def _span(recorder: Recorder, request: FastRequest, scope: Scope) -> Span:
    meta = request.params.get("_meta")
    return message_span(recorder, request.method, request.version, meta, scope["headers"])


def _preparing(outcome: Outcome) -> Callable[[JsonValue], JsonValue] | None:
    """Leaves values alone, since the answer's own bytes are written, with every digit. Only one
    that may be nested too deeply for clients, or hold an endless integer, is looked at."""
    body = outcome.body if isinstance(outcome, Answer) else b""
    simple = len(body) < _SHORT and body.count(b"[") + body.count(b"{") <= DEEPEST
    return None if simple else mark_numbers


def _written(
    tool: ListedTool, outcome: Outcome, answers: ListedTool | None, *, objects_only: bool
) -> tuple[bool, bytes]:
    """Whether the result of a call is an error, and the JSON object of its CallToolResult, left
    open."""
    result = tool_result(
        tool, outcome, objects_only=objects_only, prepare=_preparing(outcome), answers=answers
    )
    return result.is_error, _object(result, outcome)


def _object(result: ToolResult, outcome: Outcome) -> bytes:
    written = b'{"content":[' + b",".join(map(_block, result.content)) + b'],"isError":'
    written += b"true" if result.is_error else b"false"
    if isinstance(result.structured, Missing) or result.structured is None:
        return written
    structured = b"{}"
    if isinstance(outcome, Answer) and outcome.body:
        structured = outcome.body.removeprefix(b"\xef\xbb\xbf")
    if result.wrapper is not None:
        structured = b'{"' + result.wrapper.encode() + b'":' + structured + b"}"
    return written + b',"structuredContent":' + structured


def _block(part: str | Media) -> bytes:
    if isinstance(part, str):
        return b'{"type":"text","text":' + encode_json(part) + b"}"
    kind = part.content_type.partition("/")[0]
    if kind in ("image", "audio"):
        return encode_json({"type": kind, "data": part.data, "mimeType": part.content_type})
    resource: JsonValue = {
        "uri": ANSWER_URI,
        "mimeType": part.content_type,
        "blob": part.data,
    }
    return encode_json({"type": "resource", "resource": resource})
