"""Answers the common requests of stateless clients beside the SDK, many times faster.

It takes `tools/call` requests that are right in every respect, and answers `tools/list` and
`server/discover` with what the SDK has once answered to the same request. Whatever is unusual -
sessions, errors of the protocol, other methods, traced calls - is left to the SDK, which stays the
reference: tests hold both against each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.answer_content import ANSWER_URI, Media
from naftiko_runtime.exposes.mcp.arguments import read_arguments
from naftiko_runtime.exposes.mcp.incidents import log_incident
from naftiko_runtime.exposes.mcp.json_numbers import DEEPEST, mark_numbers
from naftiko_runtime.exposes.mcp.results import ToolResult, answering_tool, tool_result
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import OUTCOME, Execute, ListedTool
from naftiko_runtime.exposes.rest.disconnect import run_while_connected
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.origin import UNKNOWN_MCP, Origin

MODERN: Final = "2026-07-28"
VERSIONS: Final = frozenset({MODERN, "2025-06-18", "2025-11-25"})
"""Protocol versions whose answers are the same but for what is written here; older ones know no
structured content."""

HUNG_UP: Final = Reply(0, [], b"")
"""Stands for no answer, because the caller has hung up."""

_SHORT: Final = 3900
"""Bytes; a shorter text cannot hold an integer that is too long for the SDK's writer."""
_JSON: Final = frozenset({b"application/json", b"application/json; charset=utf-8"})
_SAFE: Final = frozenset({"GET", "HEAD"})
_LEARNED: Final = frozenset({"tools/list", "server/discover"})
_MOST_LEARNED: Final = 64
_HEADERS: Final = frozenset(
    {b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"accept", b"content-type"}
)
_SESSION: Final = frozenset({b"mcp-session-id", b"last-event-id"})
_META: Final = "io.modelcontextprotocol/"
_CAPABILITIES: Final = f"{_META}clientCapabilities"
_HARMLESS_META: Final = frozenset({"traceparent", "tracestate", "baggage", f"{_META}clientInfo"})


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that is right in every respect."""

    version: str
    method: str
    id: bytes
    params: Mapping[str, JsonValue]

    @property
    def asks(self) -> bool:
        """Whether the client says that it can ask its user."""
        meta = self.params.get("_meta")
        declared = meta.get(_CAPABILITIES) if isinstance(meta, dict) else None
        return isinstance(declared, dict) and declared.get("elicitation") is not None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.version, self.method, str(self.params.get("cursor", ""))


class FastLane:
    """Owned by one view of a listener, whose table it is told of with `adopt`."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._table: McpTable | None = None
        self._learned: dict[tuple[str, str, str], bytes] = {}
        self._tail = b""

    def adopt(self, table: McpTable, stamp: Mapping[str, JsonValue]) -> None:
        """Answers from this table, and forgets what was learned of another one. `stamp` is what the
        server says of itself in each answer of 2026-07-28."""
        if table is self._table:
            return
        self._table = table
        self._learned = {}
        meta = encode_json({f"{_META}serverInfo": dict(stamp)})
        self._tail = b',"resultType":"complete","_meta":' + meta + b"}}"

    async def answer(
        self,
        message: Mapping[str, JsonValue],
        scope: Scope,
        receive: Receive,
        principal: str = "",
    ) -> Reply | None:
        """The answer; None when the request is the SDK's, and HUNG_UP when nobody waits for it.

        With None nothing was done, or the outcome is in the scope, for a client to be asked what
        it asks; so that no call is executed twice.
        """
        request = _read(message, scope)
        if request is None or self._table is None:
            return None
        if request.method in _LEARNED:
            known = self._learned.get(request.key)
            return None if known is None else _reply(request, known + b"}")
        tool = self._table.tools.find(str(request.params["name"]))
        if tool is None:
            return None
        origin = Origin("mcp", principal) if principal else UNKNOWN_MCP
        outcome = await self._call(tool, request, receive, origin)
        if outcome is None:
            return HUNG_UP
        answers = None
        if isinstance(outcome, Failure) and outcome.question is not None:
            if request.asks:
                scope[OUTCOME] = outcome
                return None
            answers = answering_tool(self._table.tools, tool, outcome)
        is_modern = request.version == MODERN
        result = tool_result(
            tool,
            outcome,
            objects_only=not is_modern,
            prepare=_preparing(outcome),
            answers=answers,
        )
        tail = self._tail if is_modern else b"}}"
        return _reply(request, _written(result, outcome) + tail)

    def learning(self, message: Mapping[str, JsonValue], scope: Scope, send: Send) -> Send:
        """A `send` that remembers the answer to a request which can be answered here next time."""
        request = _read(message, scope)
        if request is None or request.method not in _LEARNED or request.key in self._learned:
            return send
        learned, pieces, ok = self._learned, [], False

        async def send_and_learn(sent: Message) -> None:
            nonlocal ok
            if sent["type"] == "http.response.start":
                ok = sent["status"] == 200 and any(
                    name == b"content-type" and value.startswith(b"application/json")
                    for name, value in sent["headers"]
                )
            elif ok:
                pieces.append(sent.get("body", b""))
                if not sent.get("more_body", False) and len(learned) < _MOST_LEARNED:
                    _learn(learned, request, b"".join(pieces))
            await send(sent)

        return send_and_learn

    async def _call(
        self, tool: ListedTool, request: _Request, receive: Receive, origin: Origin
    ) -> Outcome | None:
        """Runs a call. One that only reads ends when a caller of 2026-07-28 hangs up; one that can
        change something is never cut off halfway."""
        arguments = request.params.get("arguments", {})
        assert isinstance(arguments, dict)
        plan = tool.plan.operation
        try:
            work = self._execute(plan, read_arguments(tool, arguments, origin))
            if request.version == MODERN and plan.action.method in _SAFE:
                return await run_while_connected(work, receive)
            return await work
        except CallFailed as failed:
            return failed.failure
        except Exception:
            return Failure(FailureKind.INTERNAL, log_incident(), executed=True)


def _learn(learned: dict[tuple[str, str, str], bytes], request: _Request, body: bytes) -> None:
    with suppress(ValueError):
        result = json.loads(body).get("result")
        if isinstance(result, dict):
            learned[request.key] = json.dumps(result, separators=(",", ":")).encode()


def _read(message: Mapping[str, JsonValue], scope: Scope) -> _Request | None:
    """The request, None for one that the SDK has to judge."""
    method, params = message.get("method"), message.get("params", {})
    if "id" not in message or not isinstance(params, dict) or not isinstance(method, str):
        return None
    if method != "tools/call" and method not in _LEARNED:
        return None
    headers = _headers(scope["headers"])
    if headers is None or not _is_ordinary(headers):
        return None
    version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    if version not in VERSIONS or not _fits(method, params, version, headers):
        return None
    return _Request(version, method, encode_json(message["id"]), params)


def _headers(given: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The headers that matter; None when one comes twice or belongs to a session."""
    found: dict[bytes, bytes] = {}
    for name, value in given:
        if name in _HEADERS:
            if name in found:
                return None
            found[name] = value
        elif name in _SESSION:
            return None
    return found


def _is_ordinary(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client takes what the protocol asks it to take, and sends JSON."""
    accept = headers.get(b"accept", b"")
    return (
        b"application/json" in accept
        and b"text/event-stream" in accept
        and headers.get(b"content-type") in _JSON
    )


def _fits(
    method: str, params: Mapping[str, JsonValue], version: str, headers: Mapping[bytes, bytes]
) -> bool:
    known = {"name", "arguments", "_meta"} if method == "tools/call" else {"cursor", "_meta"}
    if not params.keys() <= known or not isinstance(params.get("cursor", ""), str):
        return False
    name = params.get("name")
    if method == "tools/call" and not (
        isinstance(name, str) and isinstance(params.get("arguments", {}), dict)
    ):
        return False
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        return False
    if version != MODERN:
        return not meta and method != "server/discover"
    return _fits_modern(method, name, meta, headers)


def _fits_modern(
    method: str, name: JsonValue, meta: Mapping[str, JsonValue], headers: Mapping[bytes, bytes]
) -> bool:
    """Whether headers and body of a 2026-07-28 request agree, in plain spelling."""
    required = {f"{_META}protocolVersion", _CAPABILITIES}
    if meta.get(f"{_META}protocolVersion") != MODERN or not required <= meta.keys():
        return False
    if not isinstance(meta[_CAPABILITIES], dict):
        return False
    if not meta.keys() <= required | _HARMLESS_META or any(
        not isinstance(meta.get(key, ""), str) for key in ("traceparent", "tracestate", "baggage")
    ):
        return False
    if not _is_client_info(meta.get(f"{_META}clientInfo")):
        return False
    if headers.get(b"mcp-method") != method.encode():
        return False
    named = headers.get(b"mcp-name")
    if method != "tools/call":
        return named is None
    assert isinstance(name, str)
    return named == name.encode() and not named.startswith(b"=?") and name.strip() == name


def _is_client_info(info: JsonValue) -> bool:
    return info is None or (
        isinstance(info, dict)
        and info.keys() <= {"name", "version", "title"}
        and all(isinstance(value, str) for value in info.values())
        and {"name", "version"} <= info.keys()
    )


def _preparing(outcome: Outcome) -> Callable[[JsonValue], JsonValue]:
    """Leaves values as they are, since the answer's own bytes are written, with every digit. Only
    one that may be nested too deeply for clients, or hold an endless integer, is looked at."""
    body = outcome.body if isinstance(outcome, Answer) else b""
    simple = len(body) < _SHORT and body.count(b"[") + body.count(b"{") <= DEEPEST
    return _as_it_is if simple else mark_numbers


def _as_it_is(value: JsonValue) -> JsonValue:
    return value


def _written(result: ToolResult, outcome: Outcome) -> bytes:
    """The JSON object of a CallToolResult, left open."""
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


def _reply(request: _Request, rest: bytes) -> Reply:
    body = b'{"jsonrpc":"2.0","id":' + request.id + b',"result":' + rest
    return Reply(
        200,
        [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
        body,
    )
