"""What every call of `/v1/api` passes before, and after, it is carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.paper_gateway.faults import Fault, FaultName
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue, encode_json
from examples.paper_gateway.pages import LOGIN_PATH, denial, login_page

API = "/v1/api"

ABORT = "paper_gateway.abort"
"""The key of the scope's extensions under which the server offers to cut the connection."""

_WITHOUT_BROKERAGE = frozenset(
    {"/iserver/auth/status", "/iserver/auth/ssodh/init", "/iserver/reauthenticate"}
)
"""The `/iserver` calls that a user who is logged in may make without a brokerage session."""

_HALF_WAY = 0.01
"""How many seconds the first half of an answer has to get out before the connection is torn."""


class Gate:
    """ASGI middleware: manners of HTTP, pacing, faults and login, in this order."""

    def __init__(self, app: ASGIApp, gateway: PaperGateway) -> None:
        self._app = app
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{API}/"):
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], scope["path"].removeprefix(API)
        turned_away = _bad_manners(method, Headers(scope=scope)) or self._out_of_pace(path)
        if turned_away is not None:
            await turned_away(scope, receive, send)
            return
        fault = self._gateway.faults.strike(method, path)
        answer = self._instead(fault) or self._not_logged_in(path)
        self._gateway.pacing.begin(path)
        try:
            if answer is not None:
                await answer(scope, receive, send)
            elif fault is None:
                await self._app(scope, receive, send)
            else:
                await _with_fault(fault, self._app, scope, receive, send)
        finally:
            self._gateway.pacing.end(path)

    def _out_of_pace(self, path: str) -> Response | None:
        if self._gateway.pacing.admit(path):
            return None
        return _json(429, {"error": "Too many requests"})

    def _instead(self, fault: Fault | None) -> Response | None:
        """The answer of a fault that keeps the call from being carried out."""
        match fault.name if fault is not None else None:
            case FaultName.EXPIRED:
                self._gateway.session.log_out()
                return denial(401)
            case FaultName.TOO_MANY:
                return _json(429, {"error": "Too many requests"})
            case FaultName.UNAVAILABLE:
                return _json(503, {"error": "Service Unavailable", "statusCode": 503})
            case FaultName.LOGIN_PAGE:
                return login_page(self._gateway)
            case FaultName.LOGIN_REDIRECT:
                return RedirectResponse(f"{LOGIN_PATH}?forwardTo=22&RL=1", status_code=302)
        return None

    def _not_logged_in(self, path: str) -> Response | None:
        session = self._gateway.session
        needs_brokerage = path.startswith("/iserver/") and path not in _WITHOUT_BROKERAGE
        if session.authenticated if needs_brokerage else session.logged_in:
            return None
        return denial(401)


def _bad_manners(method: str, headers: Headers) -> Response | None:
    """The refusal of a request without a User-Agent, or of a POST without a length."""
    if not headers.get("user-agent"):
        return denial(403)
    if method in ("POST", "PUT", "PATCH") and "content-length" not in headers:
        return denial(411)
    return None


async def _with_fault(
    fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Carry the call out, unless it is to be dropped, and spoil its answer."""
    answer: list[Message] = []

    async def keep(message: Message) -> None:
        answer.append(message)

    request = await _read(receive)
    if fault.name is FaultName.DROPPED:
        await _cut(scope, receive)
        return
    if fault.name is FaultName.LATE:
        await asyncio.sleep(fault.seconds)

    async def read_again() -> Message:
        return request.pop(0) if request else await receive()

    await app(scope, read_again, keep)
    match fault.name:
        case FaultName.RESET:
            await _cut(scope, receive)
            return
        case FaultName.TORN:
            start, rest = _halved(answer)
            await send(start)
            await send({**rest, "more_body": True})
            await asyncio.sleep(_HALF_WAY)
            await _cut(scope, receive)
            return
        case FaultName.SLOW:
            await asyncio.sleep(fault.seconds)
        case FaultName.MALFORMED:
            start, rest = _halved(answer)
            answer = [_with_length(start, len(rest["body"])), rest]
    for message in answer:
        await send(message)


async def _read(receive: Receive) -> list[Message]:
    """The whole request, so that it can be carried out after its client has gone."""
    request = [await receive()]
    while request[-1].get("more_body"):
        request.append(await receive())
    return request


async def _cut(scope: Scope, receive: Receive) -> None:
    """Tear the connection down, and wait until it is."""
    cut = cast("Callable[[], None]", scope["extensions"][ABORT])
    cut()
    while (await receive())["type"] != "http.disconnect":
        pass


def _halved(answer: list[Message]) -> tuple[Message, Message]:
    """The head of an answer as it is, and the first half of its body."""
    body = b"".join(message.get("body", b"") for message in answer[1:])
    return answer[0], {"type": "http.response.body", "body": body[: len(body) // 2]}


def _with_length(start: Message, length: int) -> Message:
    headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", str(length).encode())]}


def _json(status: int, document: JsonValue) -> Response:
    return Response(encode_json(document), status, media_type="application/json")
