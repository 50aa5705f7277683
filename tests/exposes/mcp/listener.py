"""The application on a real socket, and ways to talk to it."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from mcp import Client

from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.mcp.application import McpApplication
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import Execute

HANDSHAKE = "legacy"
MODERN = "2026-07-28"
ERAS = (HANDSHAKE, MODERN)
"""Modes of the official client: one for each era of the protocol."""


@dataclass(frozen=True, slots=True)
class Listener:
    app: McpApplication
    port: int
    http: httpx2.AsyncClient

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def client(self, mode: str, **options: Any) -> Client:
        return Client(self.url, mode=mode, **options)

    async def request(
        self,
        method: str = "POST",
        path: str = "/mcp",
        *,
        content: bytes | str | None = None,
        message: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        sent = {"accept": "application/json, text/event-stream"}
        if message is not None:
            content = json.dumps(message)
        if content is not None:
            sent["content-type"] = "application/json"
        return await self.http.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            content=content,
            headers={**sent, **(headers or {})},
        )


def call_message(name: str, arguments: Mapping[str, Any], id: int | str = 1) -> dict[str, Any]:
    params = {"name": name, "arguments": dict(arguments)}
    return {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}


def modern(message: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A request as clients of 2026-07-28 send it: with its envelope and its headers."""
    envelope = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {**message.get("params", {}), "_meta": envelope}
    headers = {"mcp-protocol-version": MODERN, "mcp-method": message["method"]}
    if "name" in params:
        headers["mcp-name"] = params["name"]
    return {**message, "params": params}, headers


@asynccontextmanager
async def listening(
    table: McpTable, execute: Execute, *, send_buffer: int = 2**18, **options: Any
) -> AsyncIterator[Listener]:
    app = McpApplication(table, execute, HostPolicy.for_address("127.0.0.1"), **options)
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=5)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # asyncio switches Nagle's algorithm off only where the protocol is named.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listener.bind(("127.0.0.1", 0))
        async with app.running(), httpx2.AsyncClient(timeout=60) as http:
            await server.startup([listener])
            try:
                yield Listener(app, listener.getsockname()[1], http)
            finally:
                await app.close_streams()
                await server.shutdown([listener])
