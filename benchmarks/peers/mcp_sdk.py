"""The MCP SDK's low-level server, calling upstream with aiohttp: what an expert would write.

`python -m benchmarks.peers.mcp_sdk PORT TOOLS [--sessions]`, with UPSTREAM in the environment.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import uvicorn
from mcp import types as t
from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route

from benchmarks.peers.raw_asgi import UPSTREAM, session

SCHEMA = {"type": "object", "properties": {"symbol": {"type": "string"}}, "required": ["symbol"]}


def build(count: int, *, sessions: bool = False) -> Starlette:
    tools = [
        t.Tool(name=f"tool_{i}", description=f"Orders {i}", input_schema=SCHEMA)
        for i in range(count)
    ]

    async def list_tools(ctx: ServerRequestContext[Any, Any], params: Any) -> t.ListToolsResult:
        return t.ListToolsResult(tools=tools)

    async def call_tool(
        ctx: ServerRequestContext[Any, Any], params: t.CallToolRequestParams
    ) -> t.CallToolResult:
        symbol = (params.arguments or {})["symbol"]
        async with session().get(f"{UPSTREAM}/orders", params={"symbol": symbol}) as response:
            text = await response.text()
        rows = [
            {"id": row["id"], "price": row["price"], "side": row["side"]}
            for row in json.loads(text)["orders"]
        ]
        return t.CallToolResult(
            content=[t.TextContent(text=json.dumps(rows))], structured_content={"items": rows}
        )

    server: Any = Server(
        "peer",
        version="1",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=lambda name: SCHEMA,
    )
    server.middleware.clear()
    manager = StreamableHTTPSessionManager(app=server, json_response=True, stateless=not sessions)
    return Starlette(
        routes=[Route("/mcp", StreamableHTTPASGIApp(manager), methods=["POST"])],
        lifespan=lambda app: manager.run(),
    )


if __name__ == "__main__":
    uvicorn.run(
        build(int(sys.argv[2]), sessions="--sessions" in sys.argv),
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
    )
