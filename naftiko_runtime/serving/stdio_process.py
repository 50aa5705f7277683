"""The life of a process that serves one MCP client over standard input and output."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from naftiko_runtime.consumes.pools import TrustError
from naftiko_runtime.engine.scripts import stop_scripts
from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.approving import Approving
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.keep_alive import KeepAlive
from naftiko_runtime.serving.logs import set_up_logs
from naftiko_runtime.serving.observability import Observability
from naftiko_runtime.serving.report import BAD_SETTINGS, Reporter
from naftiko_runtime.serving.settings import ServeSettings
from naftiko_runtime.serving.settings_listeners import SettingsListeners
from naftiko_runtime.serving.sources import Sources
from naftiko_runtime.serving.upstreams import UpstreamSettingsListener, open_upstreams

if TYPE_CHECKING:
    from naftiko_runtime.exposes.mcp.server import McpServer


def run_stdio(settings: ServeSettings) -> int:
    """Serves until the client closes our standard input, or a signal; returns the exit code."""
    set_up_logs(settings.logs)
    return asyncio.run(_StdioProcess(settings).run())


class _StdioProcess:
    """Owns the upstream client and the MCP server; they end with `run`."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._reporter = Reporter()
        self._sources = Sources(settings.sources)
        self._observability = Observability()
        self._listeners = SettingsListeners()
        self._server: McpServer

    async def run(self) -> int:
        try:
            upstreams = open_upstreams(self._settings.upstreams)
        except TrustError as error:
            self._reporter.say(logging.ERROR, "trust", str(error))
            return 1
        keep_alive = KeepAlive(upstreams)
        self._listeners.add(UpstreamSettingsListener(upstreams))
        approving = Approving(
            upstreams, self._reporter, self._settings.guard_key, takes_any_port=True
        )
        self._listeners.add(approving)
        self._listeners.add(keep_alive)

        try:
            collection = await self._sources.load()
            if collection.has_bad_settings:
                self._reporter.problems(collection.all_problems)
                self._reporter.say(logging.ERROR, "settings", BAD_SETTINGS)
                return 1
            self._reporter.settings(collection)
            table = await self._take(collection)
            if table.is_empty:
                self._say_nothing_to_serve()
                return 1
            await self._serve(table, approving)
        finally:
            await keep_alive.aclose()
            await approving.aclose()
            await stop_scripts()
            await self._observability.close()
            await upstreams.aclose()
        return 0

    async def _serve(self, table: McpTable, approving: Approving) -> None:
        from naftiko_runtime.exposes.mcp.stdio import open_stdio_server, serve_stdio

        _end_on_signals()
        telemetry = self._observability.telemetry
        self._server = open_stdio_server(
            table, approving.guarding.call, telemetry=telemetry, asking=approving.asking
        )
        follower = None
        if self._settings.watch:
            follower = asyncio.create_task(self._sources.follow(self._reload))
        message = f"{table.summary} on standard input and output"
        self._reporter.say(logging.INFO, "ready", message, tools=len(table.tools.tools))
        await serve_stdio(self._server)
        if follower is not None:
            follower.cancel()
            await asyncio.wait([follower])

    async def _reload(self, before: Collection, now: Collection) -> None:
        self._reporter.reload(before, now)
        await self._server.replace(await self._take(now))

    async def _take(self, collection: Collection) -> McpTable:
        """What all MCP adapters of all files offer, whatever transport and port they name."""
        adapters = [
            (plan.label or plan.file, adapter) for plan in collection.plans for adapter in plan.mcp
        ]
        table, problems = await asyncio.to_thread(build_mcp_table, adapters)
        problems += await self._observability.adopt(collection.plans, collection.variables)
        problems += await self._listeners.tell(collection)
        found: list[Problem] = [*collection.all_problems, *problems]
        self._reporter.problems(found)
        return table

    def _say_nothing_to_serve(self) -> None:
        paths = ", ".join(f'"{path}"' for path in self._settings.sources.paths)
        message = (
            f"there are no tools, resources or prompts in {paths} - name a file that exposes an "
            "adapter of type mcp"
        )
        self._reporter.say(logging.ERROR, "nothing-to-serve", message)


def _end_on_signals() -> None:
    """A signal ends the process at once: its client is gone, and the thread that waits for
    standard input cannot be woken, so that an orderly end would wait for a line that never
    comes."""

    def end(number: int, frame: object) -> None:
        sys.stderr.flush()
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
