"""The REST adapter as one ASGI callable: no layers, as it is on the way of every call.

Cross-origin sharing is not offered: no answer carries an `access-control-` header, and a
preflight from another origin is refused by the host policy.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.rest.disconnect import run_while_connected
from naftiko_runtime.exposes.rest.inputs import RequestInputs
from naftiko_runtime.exposes.rest.own_pages import OwnPages
from naftiko_runtime.exposes.rest.percent import decode_percent
from naftiko_runtime.exposes.rest.problem_details import internal_error_reply, problem_reply
from naftiko_runtime.exposes.rest.reply import Reply, answer_reply
from naftiko_runtime.exposes.rest.request_body import is_encoded, read_body
from naftiko_runtime.exposes.rest.table import OwnPage, RestTable, Target
from naftiko_runtime.exposes.rest.tracing import note_failure, note_operation, serve_traced
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.telemetry.recorder import Telemetry

Execute: TypeAlias = Callable[[OperationPlan, Inputs], Awaitable[Outcome]]
"""The engine, with the upstreams that it needs."""

_log = logging.getLogger("naftiko.rest")
_SAFE: Final = frozenset({"GET", "HEAD"})
"""Upstream methods that may be cut off when the caller hangs up. Anything else runs to its end:
an order may have been placed by then, and its outcome must reach the audit and the log."""


class RestApplication:
    """Serves one listener. `table` is replaced whole by a reload; a call that has begun ends on
    the table that it began with."""

    __slots__ = ("_execute", "_hosts", "_pages", "_table", "_telemetry")

    def __init__(
        self,
        table: RestTable,
        execute: Execute,
        hosts: HostPolicy,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._table = table
        self._pages = OwnPages(table)
        self._execute = execute
        self._hosts = hosts
        self._telemetry = telemetry or Telemetry()

    @property
    def table(self) -> RestTable:
        return self._table

    @table.setter
    def table(self, table: RestTable) -> None:
        self._table = table
        self._pages = OwnPages(table)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _decline(scope, receive, send)
            return
        recorder = self._telemetry.recorder
        if recorder is None:
            await self._serve(scope, receive, send)
        else:
            await serve_traced(recorder, self._serve, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._reply(scope, receive)
        except CallFailed as failed:
            reply = problem_reply(failed.failure)
        except Exception:
            incident = secrets.token_hex(8)
            _log.exception("internal error %s", incident)
            reply = internal_error_reply(incident)
        if reply is None:
            return
        await send(
            {"type": "http.response.start", "status": reply.status, "headers": reply.headers}
        )
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply | None:
        """None when the caller hung up. Raises CallFailed."""
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        refusal = self._hosts.check(headers)
        if refusal is not None:
            return problem_reply(refusal)
        path = _raw_path(scope)
        try:
            found = self._find(scope["method"], path)
        except ValueError as error:
            return problem_reply(
                Failure(FailureKind.INVALID_INPUT, f"the path cannot be read: {error}")
            )
        if found is None:
            return self._unserved(scope["method"], path)
        target, variables = found
        if isinstance(target, OwnPage):
            return self._pages.reply(target)
        if self._telemetry.recorder is not None:
            note_operation(target)
        operation = target.plan.operation
        body: bytes | None = b""
        encoded = operation.passes_encoded_body and is_encoded(headers)
        if operation.accepts_body:
            body = await read_body(headers, receive, may_be_encoded=encoded)
        if body is None:
            return None
        query = scope["query_string"]
        work = self._execute(
            operation, RequestInputs(variables, query, headers, body, encoded=encoded)
        )
        if operation.action.method in _SAFE:
            outcome = await run_while_connected(work, receive)
            if outcome is None:
                return None
        else:
            outcome = await work
        if isinstance(outcome, Failure):
            note_failure(outcome)
            return problem_reply(outcome)
        return answer_reply(outcome)

    def _find(self, method: str, path: bytes) -> tuple[Target, dict[str, str]] | None:
        found = self._table.routes.find(method, path)
        if found is None and method == "HEAD":
            return self._table.routes.find("GET", path)
        return found

    def _unserved(self, method: str, path: bytes) -> Reply:
        methods = self._table.routes.methods(path)
        shown = _shown(path)
        if not methods:
            return problem_reply(Failure(FailureKind.UNKNOWN_PATH, self._pages.unknown(shown)))
        allow = (b"allow", ", ".join(_with_implied(methods)).encode())
        if method == "OPTIONS":
            return Reply(204, [allow], b"")
        detail = f'"{shown}" does not answer {method[:20]} - it answers {", ".join(methods)}'
        return problem_reply(Failure(FailureKind.METHOD_NOT_ALLOWED, detail), allow)


def _with_implied(methods: list[str]) -> list[str]:
    return sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())})


def _raw_path(scope: Scope) -> bytes:
    """The path as it came. Servers need not give it (ASGI HTTP, `raw_path`); ours does."""
    raw: bytes | None = scope.get("raw_path")
    return raw if raw is not None else quote(scope["path"], safe="/%:@!$&'()*+,;=~").encode()


def _shown(path: bytes) -> str:
    text = path[:200].decode("ascii", "replace")
    try:
        return decode_percent(text)
    except ValueError:
        return text


async def _decline(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what a listener is asked beside HTTP: there is nothing to start, and no socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
