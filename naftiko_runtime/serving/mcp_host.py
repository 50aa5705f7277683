"""Keeps an MCP application running as long as its port offers anything."""

from __future__ import annotations

import asyncio
from typing import Self

from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.mcp.application import McpApplication
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import Execute
from naftiko_runtime.telemetry.recorder import Telemetry


class McpHost:
    """An McpApplication and the task that holds its `running()` open, since that must be left by
    the task that entered it. Owned by a port; ends with `stop`."""

    def __init__(self, application: McpApplication) -> None:
        self.application = application
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def start(
        cls,
        table: McpTable,
        execute: Execute,
        hosts: HostPolicy,
        *,
        keep_sessions: bool,
        telemetry: Telemetry | None = None,
        gatekeeper: Gatekeeper | None = None,
        asking: Asking | None = None,
    ) -> Self:
        """A host whose application answers already."""
        host = cls(
            McpApplication(
                table,
                execute,
                hosts,
                keep_sessions=keep_sessions,
                telemetry=telemetry,
                gatekeeper=gatekeeper,
                asking=asking,
            )
        )
        await host._ready
        return host

    async def _run(self) -> None:
        try:
            async with self.application.running():
                self._ready.set_result(None)
                await self._stop.wait()
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def stop(self) -> None:
        """Ends every session and stream."""
        self._stop.set()
        await self._task
