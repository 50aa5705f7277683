"""The life of a process that serves tools to one client over standard input and output."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from naftiko_runtime.consumes.pools import TrustError
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.tools import Execute, ToolTable, build_tool_table
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.logs import set_up_logs
from naftiko_runtime.serving.report import Reporter, counted
from naftiko_runtime.serving.settings import ServeSettings
from naftiko_runtime.serving.sources import Sources
from naftiko_runtime.serving.upstreams import open_upstreams

if TYPE_CHECKING:
    from naftiko_runtime.exposes.mcp.server import ToolServer


def run_stdio(settings: ServeSettings) -> int:
    """Serves until the client closes our standard input, or a signal; returns the exit code."""
    set_up_logs(settings.logs)
    return asyncio.run(_StdioProcess(settings).run())


class _StdioProcess:
    """Owns the upstream client and the tool server; they end with `run`."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._reporter = Reporter()
        self._sources = Sources(settings.sources)
        self._server: ToolServer

    async def run(self) -> int:
        try:
            upstreams = open_upstreams(self._settings.upstreams)
        except TrustError as error:
            self._reporter.say(logging.ERROR, "trust", str(error))
            return 1

        async def call(plan: OperationPlan, inputs: Inputs) -> Outcome:
            return await execute(plan, inputs, upstreams)

        try:
            table = self._take(await self._sources.load())
            if not table.tools:
                self._say_no_tools()
                return 1
            await self._serve(table, call)
        finally:
            await upstreams.aclose()
        return 0

    async def _serve(self, table: ToolTable, call: Execute) -> None:
        from naftiko_runtime.exposes.mcp.stdio import serve_stdio, stdio_tool_server

        _end_on_signals()
        self._server = stdio_tool_server(table, call)
        follower = None
        if self._settings.watch:
            follower = asyncio.create_task(self._sources.follow(self._reload))
        message = f"{counted(len(table.tools), 'tool')} on standard input and output"
        self._reporter.say(logging.INFO, "ready", message, tools=len(table.tools))
        await serve_stdio(self._server)
        if follower is not None:
            follower.cancel()
            await asyncio.wait([follower])

    async def _reload(self, before: Collection, now: Collection) -> None:
        self._reporter.reload(before, now)
        await self._server.replace(self._take(now))

    def _take(self, collection: Collection) -> ToolTable:
        """The tools of all adapters of all files, whatever port they name."""
        adapters = [
            (plan.label or plan.file, adapter) for plan in collection.plans for adapter in plan.mcp
        ]
        table, problems = build_tool_table(adapters)
        found: list[Problem] = [*collection.all_problems, *problems]
        self._reporter.problems(found)
        return table

    def _say_no_tools(self) -> None:
        paths = ", ".join(f'"{path}"' for path in self._settings.sources.paths)
        message = f"there are no tools in {paths} - name a file that exposes an adapter of type mcp"
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
