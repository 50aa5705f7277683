"""The paper gateway as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from examples.paper_gateway.call import Call, CallRoute
from examples.paper_gateway.calls import (
    accounts,
    contracts,
    control,
    market_data,
    orders,
    portfolio,
    session,
)
from examples.paper_gateway.gate import API, Gate
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue, decode_json, encode_json
from examples.paper_gateway.pages import LOGIN_PATH, login_page
from examples.paper_gateway.refusal import Refusal

CONTROL = "/paper"

LARGEST_BODY = 1_000_000
"""In bytes; a larger one is answered 413."""

_SURFACES = (session, accounts, orders, portfolio, market_data, contracts)


def create_app(gateway: PaperGateway) -> Starlette:
    """The gateway's API below `/v1/api`, the simulator's controls below `/paper`, and a page.

    The application holds no state of its own: all of it is in `gateway`.
    """
    calls = [call for surface in _SURFACES for call in surface.CALLS]
    return Starlette(
        routes=[
            Route("/", _page(gateway)),
            Route(LOGIN_PATH, _page(gateway)),
            Route(f"{CONTROL}/login", _log_in(gateway), methods=["POST"]),
            *(_route(CONTROL, call, gateway) for call in control.CALLS),
            *(_route(API, call, gateway) for call in calls),
        ],
        middleware=[Middleware(Gate, gateway=gateway)],
        max_body_size=LARGEST_BODY,
    )


def _route(prefix: str, call: CallRoute, gateway: PaperGateway) -> Route:
    endpoint = _endpoint(call, gateway, counts_as_use=prefix == API)
    return Route(prefix + call.path, endpoint, methods=list(call.methods))


def _endpoint(
    route: CallRoute, gateway: PaperGateway, *, counts_as_use: bool
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            body = await request.body()
            call = Call(
                request.path_params,
                dict(request.query_params),
                decode_json(body) if body else None,
            )
        except (ValueError, RecursionError):
            return _json(400, {"error": "Bad Request: the body is not JSON"})
        if counts_as_use:
            gateway.session.use()
        gateway.settle()
        try:
            return _json(200, route.handler(gateway, call))
        except Refusal as refusal:
            return _json(refusal.status, {"error": refusal.message})

    return answer


def _page(gateway: PaperGateway) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return login_page(gateway)

    return page


def _log_in(gateway: PaperGateway) -> Callable[[Request], Awaitable[Response]]:
    """What the page's button does; a program gets JSON, a browser the page again."""

    async def log_in(request: Request) -> Response:
        gateway.session.log_in()
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/", status_code=303)
        return _json(200, {"session": gateway.session.state})

    return log_in


def _json(status: int, document: JsonValue) -> Response:
    return Response(encode_json(document), status, media_type="application/json")
