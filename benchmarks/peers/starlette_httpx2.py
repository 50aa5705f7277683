"""What people write: Starlette with httpx2.

`uvicorn benchmarks.peers.starlette_httpx2:app`, with UPSTREAM in the environment.
"""

from __future__ import annotations

import os

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

UPSTREAM = os.environ.get("UPSTREAM", "")
_client: list[httpx2.AsyncClient] = []


def client() -> httpx2.AsyncClient:
    if not _client:
        _client.append(httpx2.AsyncClient(base_url=UPSTREAM))
    return _client[0]


async def forward(request: Request) -> JSONResponse:
    content = await request.body()
    headers = {"content-type": "application/json"} if content else None
    response = await client().request(
        request.method, request.url.path, content=content or None, headers=headers
    )
    return JSONResponse(response.json(), response.status_code)


async def two_steps(request: Request) -> JSONResponse:
    first = await client().get("/orders")
    symbol = first.json()["orders"][0]["symbol"]
    second = await client().get("/orders", params={"symbol": symbol})
    return JSONResponse(second.json(), second.status_code)


app = Starlette(
    routes=[
        Route("/two-steps", two_steps),
        Route("/{path:path}", forward, methods=["GET", "POST"]),
    ]
)
