"""The REST adapter as one ASGI callable: no layers, as it is on the way of every call.

Cross-origin sharing is not offered: no answer carries an `access-control-` header, and a
preflight from another origin is refused by the host policy.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from starlette.types import Receive, Scope, Send

from naftiko_runtime.consumes.messages import Streams
from naftiko_runtime.engine.beside import beside
from naftiko_runtime.engine.explaining import explain
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.authentication import Gatekeeper, Refusal, caller_of
from naftiko_runtime.exposes.host_check import HostPolicy, check_page
from naftiko_runtime.exposes.rest.disconnect import run_while_connected
from naftiko_runtime.exposes.rest.dry_run import wants_dry_run
from naftiko_runtime.exposes.rest.forwarding import Incoming, forward
from naftiko_runtime.exposes.rest.forwards import Found
from naftiko_runtime.exposes.rest.inputs import RequestInputs
from naftiko_runtime.exposes.rest.problem_details import (
    internal_error_reply,
    problem_reply,
    refusal_reply,
)
from naftiko_runtime.exposes.rest.reply import Reply, answer_reply
from naftiko_runtime.exposes.rest.request_body import is_encoded, read_body
from naftiko_runtime.exposes.rest.surroundings import Surroundings, raw_path
from naftiko_runtime.exposes.rest.table import OwnPage, RestTable, Target
from naftiko_runtime.exposes.rest.tracing import note_failure, note_operation, serve_traced
from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.guards.guards import GuardedStreams
from naftiko_runtime.json_codec import LARGE
from naftiko_runtime.plan.calls import SAFE_METHODS
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.plan.origin import UNKNOWN_REST, Origin
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

    __slots__ = (
        "_execute",
        "_gatekeeper",
        "_hosts",
        "_streams",
        "_surroundings",
        "_table",
        "_telemetry",
    )

    def __init__(
        self,
        table: RestTable,
        execute: Execute,
        hosts: HostPolicy,
        telemetry: Telemetry | None = None,
        gatekeeper: Gatekeeper | None = None,
        streams: Streams | None = None,
    ) -> None:
        """`gatekeeper` judges callers; the process's own knows issuers of tokens. `streams` send
        what is forwarded; without them nothing is."""
        self._table = table
        self._gatekeeper = gatekeeper or Gatekeeper()
        self._surroundings = Surroundings(table, self._gatekeeper)
        self._execute = execute
        self._hosts = hosts
        self._streams = streams
        self._telemetry = telemetry or Telemetry()

    @property
    def table(self) -> RestTable:
        return self._table

    @table.setter
    def table(self, table: RestTable) -> None:
        self._table = table
        self._surroundings = Surroundings(table, self._gatekeeper, self._surroundings)

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
            reply = await self._reply(scope, receive, send)
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

    async def _reply(self, scope: Scope, receive: Receive, send: Send) -> Reply | None:
        """None when the caller hung up, or has been answered. Raises CallFailed."""
        headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        refusal = self._hosts.check(headers)
        if refusal is not None:
            return problem_reply(refusal)
        path = raw_path(scope)
        found = self._find(scope["method"], path)
        if found is None:
            forwarded = self._forwarded(scope, path)
            if forwarded is None:
                return await self._surroundings.reply(scope, path, None)
            return await self._forward(forwarded, scope, receive, send)
        target, variables = found
        if isinstance(target, OwnPage):
            return await self._surroundings.reply(scope, path, target)
        if self._telemetry.recorder is not None:
            note_operation(target)
        operation = target.plan.operation
        if target.may_change and (refusal := check_page(headers)):
            return problem_reply(refusal)
        query = scope["query_string"]
        asked = target.adapter.authentication
        origin = UNKNOWN_REST
        if asked is not None:
            verdict = await self._gatekeeper.admit_to(asked, caller_of(scope))
            if isinstance(verdict, Refusal):
                return refusal_reply(verdict)
            origin = Origin("rest", verdict.principal)
            headers, query = self._gatekeeper.without_credentials(asked, headers, query)
        body: bytes | None = b""
        encoded = operation.passes_encoded_body and is_encoded(headers)
        if operation.accepts_body:
            try:
                body = await read_body(headers, receive, may_be_encoded=encoded)
            except CallFailed as failed:
                raise CallFailed(explain(operation, failed.failure)) from None
        if body is None:
            return None
        inputs = RequestInputs(
            variables,
            query,
            headers,
            body,
            encoded=encoded,
            origin=origin,
            dry_run=wants_dry_run(headers),
        )
        if len(body) > LARGE:
            await beside(inputs.read_body)
        work = self._execute(operation, inputs)
        if operation.action.method in _SAFE and not operation.changes:
            outcome = await run_while_connected(work, receive)
            if outcome is None:
                return None
        else:
            outcome = await work
        if isinstance(outcome, Failure):
            note_failure(outcome)
            return problem_reply(outcome)
        return answer_reply(outcome)

    def _forwarded(self, scope: Scope, path: bytes) -> Found | None:
        if self._streams is None or scope["path"] in self._table.door.metadata:
            return None
        return self._table.forwards.find(path)

    async def _forward(
        self, found: Found, scope: Scope, receive: Receive, send: Send
    ) -> Reply | None:
        headers, query = scope["headers"], scope["query_string"]
        if scope["method"] not in SAFE_METHODS and (refusal := check_page(headers)):
            return problem_reply(refusal)
        asked = found.target.adapter.authentication
        streams = self._streams
        assert streams is not None
        if asked is not None:
            verdict = await self._gatekeeper.admit_to(asked, caller_of(scope))
            if isinstance(verdict, Refusal):
                return refusal_reply(verdict)
            if isinstance(streams, GuardedStreams):
                streams = streams.of(Origin("rest", verdict.principal))
            headers, query = self._gatekeeper.without_credentials(asked, headers, query)
        incoming = Incoming(scope["method"], query, headers, receive)
        await forward(found, incoming, streams, send)
        return None

    def _find(self, method: str, path: bytes) -> tuple[Target, dict[str, str]] | None:
        """None also for a path that cannot be read."""
        try:
            found = self._table.routes.find(method, path)
            if found is None and method == "HEAD":
                return self._table.routes.find("GET", path)
        except ValueError:
            return None
        return found


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
