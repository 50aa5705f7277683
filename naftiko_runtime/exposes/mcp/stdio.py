"""The MCP server over standard input and output, for desktop clients that start it themselves."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse

from naftiko_runtime.exposes.mcp.json_numbers import restore_numbers
from naftiko_runtime.exposes.mcp.server import McpServer
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.telemetry.recorder import Telemetry


def open_stdio_server(
    table: McpTable,
    execute: Execute,
    *,
    name: str = "naftiko",
    telemetry: Telemetry | None = None,
) -> McpServer:
    """The server to give to `serve_stdio`; `await server.replace(table)` changes what it serves."""
    return McpServer(table, execute, name=name, telemetry=telemetry)


async def serve_stdio(server: McpServer) -> None:
    """Serves one client until it closes our standard input.

    While it runs, standard output carries the protocol alone: whatever else is printed goes to
    standard error.
    """
    async with stdio_server() as (read_stream, write_stream):
        await server.sdk.run(
            read_stream,
            _ExactStream(write_stream),
            server.sdk.create_initialization_options(),
        )


class _ExactResponse(JSONRPCResponse):
    """A response that is written with its numbers exact (see `json_numbers`)."""

    def model_dump_json(self, *args: object, **options: object) -> str:
        text = super().model_dump_json(*args, **options)  # type: ignore[arg-type]
        return restore_numbers(text.encode()).decode()


class _ExactStream:
    """Hands on messages, responses as `_ExactResponse`."""

    def __init__(self, stream: WriteStream[SessionMessage]) -> None:
        self._stream = stream

    async def send(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCResponse):
            exact = _ExactResponse(jsonrpc="2.0", id=message.id, result=message.result)
            item = SessionMessage(exact, item.metadata)
        await self._stream.send(item)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(kind, error, traceback)
