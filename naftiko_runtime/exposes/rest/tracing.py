"""The span of a REST request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.types import Message, Receive, Scope, Send

from naftiko_runtime.exposes.rest.table import ServedOperation
from naftiko_runtime.failures import Failure
from naftiko_runtime.telemetry.context import read_headers
from naftiko_runtime.telemetry.recorder import Recorder
from naftiko_runtime.telemetry.spans import Attribute, current_span

Serve: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_METHODS: Final = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY".split())


async def serve_traced(
    recorder: Recorder, serve: Serve, scope: Scope, receive: Receive, send: Send
) -> None:
    """Has `serve` answer a request within a span, and notes the status of the answer."""
    method = scope["method"]
    attributes: dict[str, Attribute] = {
        "naftiko.adapter.type": "rest",
        "http.request.method": method if method in _METHODS else "_OTHER",
    }
    caller = read_headers(scope["headers"], recorder.propagation)
    with recorder.start("rest.request", caller, attributes) as span:

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status: int = message["status"]
                attributes["http.response.status_code"] = status
                if status >= 500 and span.error is None:
                    span.error = str(status)
            await send(message)

        await serve(scope, receive, noting)


def note_operation(target: ServedOperation) -> None:
    """Says in the request's span, if there is one, what it asks for."""
    span = current_span()
    if span is not None:
        plan = target.plan
        span.attributes |= {
            "http.route": plan.route,
            "naftiko.capability": target.label,
            "naftiko.namespace": target.adapter.namespace,
            "naftiko.operation.id": plan.operation.name,
        }


def note_failure(failure: Failure) -> None:
    """Says in the request's span, if there is one, why it failed; what the caller got wrong is
    no failure of ours."""
    span = current_span()
    if span is not None and failure.http_status >= 500:
        span.fail(failure)
