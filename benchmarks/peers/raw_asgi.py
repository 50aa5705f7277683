"""The platform's limit: raw ASGI on uvicorn, calling upstream with aiohttp, nothing else.

`uvicorn benchmarks.peers.raw_asgi:app`, with UPSTREAM in the environment.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

import aiohttp

UPSTREAM = os.environ.get("UPSTREAM", "")
_session: list[aiohttp.ClientSession] = []

Message = MutableMapping[str, Any]


def session() -> aiohttp.ClientSession:
    if not _session:
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=None)
        _session.append(aiohttp.ClientSession(connector=connector, auto_decompress=False))
    return _session[0]


async def first_symbol() -> str:
    """What the second of two steps needs of the first one's answer."""
    async with session().get(f"{UPSTREAM}/orders") as response:
        return str(json.loads(await response.read())["orders"][0]["symbol"])


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    body = None
    if scope["method"] == "POST":
        message = await receive()
        body = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
    headers = {"content-type": "application/json"} if body else None
    url = UPSTREAM + scope["path"]
    if scope["path"] == "/two-steps":
        url = f"{UPSTREAM}/orders?symbol={quote(await first_symbol())}"
    async with session().request(scope["method"], url, data=body, headers=headers) as response:
        content = await response.read()
        start = {
            "type": "http.response.start",
            "status": response.status,
            "headers": [
                (b"content-type", response.headers["content-type"].encode()),
                (b"content-length", str(len(content)).encode()),
            ],
        }
    await send(start)
    await send({"type": "http.response.body", "body": content})
