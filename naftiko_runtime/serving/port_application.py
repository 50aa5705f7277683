"""What answers on one port: REST, MCP, skills and control endpoints, or several of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from naftiko_runtime.exposes.endpoints import EndpointApplication
from naftiko_runtime.exposes.mcp.application import McpApplication
from naftiko_runtime.exposes.rest.application import RestApplication
from naftiko_runtime.exposes.rest.problem_details import problem_reply
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.serving.logs import LOGGER, log_event

_MCP_PATHS: Final = frozenset({b"/", b"/mcp", b"/mcp/"})

_GONE: Final = Failure(FailureKind.UNKNOWN_PATH, "nothing is served on this port any more")
_CUT_OFF: Final = Failure(
    FailureKind.SHUTTING_DOWN,
    "the runtime stopped before the call was finished; the call may have been executed - look at "
    "its effect before you repeat it",
    executed=True,
)


class PortApplication:
    """The ASGI application of a listener, which owns it.

    `rest` and `mcp` may be exchanged while it runs; a request goes to those that are there when
    it arrives. With both, an operation of a file wins over the MCP endpoint at the same path.
    `beside` are skills and control endpoints, by the first segment of their paths; nothing else
    on the port begins with those.
    """

    def __init__(self) -> None:
        self.rest: RestApplication | None = None
        self.mcp: McpApplication | None = None
        self.beside: Mapping[bytes, EndpointApplication] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if LOGGER.isEnabledFor(logging.DEBUG):
            send = _logging_send(scope, send)
        try:
            await self._choose(scope)(scope, receive, send)
        except asyncio.CancelledError:
            # Only the end of the grace period cancels a request.
            await _answer_cut_off(send)

    def _choose(self, scope: Scope) -> ASGIApp:
        if self.beside:
            chosen = self._choose_beside(scope)
            if chosen is not None:
                return chosen
        if self.mcp is None:
            return self.rest or _nothing_here
        if self.rest is None:
            return self.mcp
        path = scope["raw_path"]
        if path not in _MCP_PATHS and scope["path"] not in self.mcp.table.door.metadata:
            return self.rest
        return self.rest if self.rest.table.routes.find(scope["method"], path) else self.mcp

    def _choose_beside(self, scope: Scope) -> ASGIApp | None:
        first = scope["raw_path"][1:].partition(b"/")[0]
        if first in self.beside:
            return self.beside[first]
        alone = self.rest is None and self.mcp is None
        for application in self.beside.values():
            if alone or scope["path"] in application.site.door.metadata:
                return application
        return None


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers on connections that outlive the last file of their port."""
    await _send_failure(_GONE, send)


async def _answer_cut_off(send: Send) -> None:
    """Tells the caller of a call that outlasted the grace period; one that has part of its answer
    already sees its connection break."""
    with contextlib.suppress(RuntimeError):
        await _send_failure(_CUT_OFF, send)


async def _send_failure(failure: Failure, send: Send) -> None:
    reply = problem_reply(failure, (b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    await send({"type": "http.response.body", "body": reply.body})


def _logging_send(scope: Scope, send: Send) -> Send:
    """`send`, logging the call once its answer is complete: never its query, headers or body."""
    started = time.perf_counter()
    status = 0

    async def logged(message: Message) -> None:
        nonlocal status
        await send(message)
        if message["type"] == "http.response.start":
            status = message["status"]
        elif not message.get("more_body"):
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            method, path = scope["method"], scope["raw_path"].decode("latin-1")
            log_event(
                logging.DEBUG,
                "call",
                f"{method} {path} {status} {milliseconds} ms",
                method=method,
                path=path,
                status=status,
                milliseconds=milliseconds,
            )

    return logged
