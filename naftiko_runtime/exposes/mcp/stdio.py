"""The MCP server over standard input and output, for desktop clients that start it themselves."""

from __future__ import annotations

import sys

from mcp.server.stdio import stdio_server

from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.server import McpServer
from naftiko_runtime.exposes.mcp.stdio_streams import ExactWriter, Outstanding, PatientReader
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.telemetry.recorder import Telemetry


def open_stdio_server(
    table: McpTable,
    execute: Execute,
    *,
    name: str = "naftiko",
    telemetry: Telemetry | None = None,
    asking: Asking | None = None,
) -> McpServer:
    """The server to give to `serve_stdio`; `await server.replace(table)` changes what it serves."""
    return McpServer(table, execute, name=name, telemetry=telemetry, asking=asking)


async def serve_stdio(server: McpServer) -> None:
    """Serves one client until it closes our standard input; calls in flight are answered still.

    While it runs, standard output carries the protocol alone: whatever else is printed goes to
    standard error.
    """
    outstanding = Outstanding()
    async with stdio_server() as (read_stream, write_stream):
        try:
            await server.sdk.run(
                PatientReader(read_stream, outstanding),
                ExactWriter(write_stream, outstanding),
                server.sdk.create_initialization_options(),
            )
        finally:
            # What was printed may still be in its buffer, and would come out after the protocol.
            sys.stdout.flush()
