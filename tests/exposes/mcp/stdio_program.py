"""A program that serves a tool table over stdio; tests start it as desktop clients do."""

from __future__ import annotations

import asyncio

from naftiko_runtime.exposes.mcp.stdio import open_stdio_server, serve_stdio
from naftiko_runtime.json_values import JsonValue
from tests.exposes.mcp.plans import a_table, a_tool, an_input, echoing

FIRST = a_table(
    a_tool("echo", an_input("who"), an_input("nth", "integer")),
    a_tool("send", accepts_body=True),
    a_tool("reload"),
    a_tool("break"),
)
SECOND = a_table(a_tool("echo", an_input("who")), a_tool("more"))


async def main() -> None:
    async def act(values: dict[str, JsonValue]) -> None:
        print("a stray print must not reach the client")
        if values.get("who") == "reload":
            await server.replace(SECOND)
        if values.get("who") == "slow":
            await asyncio.sleep(0.5)
        if values.get("who") == "bug":
            raise RuntimeError("token=hunter2")

    server = open_stdio_server(FIRST, echoing(act))
    await serve_stdio(server)


asyncio.run(main())
