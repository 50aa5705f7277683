"""The life of one serving process: load, open, serve, reload, stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

from naftiko_runtime.consumes.pools import TrustError
from naftiko_runtime.engine.scripts import stop_scripts
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.guards.guards import GuardedStreams
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.approving import Approving
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.keep_alive import KeepAlive
from naftiko_runtime.serving.logs import set_up_logs
from naftiko_runtime.serving.management import ProcessManagement
from naftiko_runtime.serving.observability import Observability
from naftiko_runtime.serving.report import BAD_SETTINGS, Reporter
from naftiko_runtime.serving.service import Applied, Service
from naftiko_runtime.serving.settings import ServeSettings
from naftiko_runtime.serving.settings_listeners import SettingsListeners
from naftiko_runtime.serving.sharing import open_to_others
from naftiko_runtime.serving.sources import Sources
from naftiko_runtime.serving.tables import PortTables, build_tables
from naftiko_runtime.serving.upstreams import (
    UpstreamSettingsListener,
    open_issuers,
    open_streams,
    open_upstreams,
)

_SWITCH_SECONDS = 0.0005
"""How long loading files beside the event loop may keep calls waiting at a time; Python's own
choice is ten times that, in each round of the loop."""


_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


def run(settings: ServeSettings, ready: Callable[[], None] = lambda: None) -> int:
    """Serves until a signal ends it; returns the exit code. `ready` is called once all ports are
    open."""
    set_up_logs(settings.logs)
    _raise_file_limit()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_Process(settings, ready).run())
    for number in _STOPPING:  # Python forgets its own handlers before the process is gone
        signal.signal(number, signal.SIG_IGN)
    return code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _raise_file_limit() -> None:
    """Asks for as many open files as the system allows: each connection is one."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Process:
    """Owns the upstream client, the ports and the watcher; they end with `run`."""

    def __init__(self, settings: ServeSettings, ready: Callable[[], None]) -> None:
        self._settings = settings
        self._ready = ready
        self._reporter = Reporter(settings.reports)
        self._sources = Sources(settings.sources, self._build)
        self._service: Service
        self._management: ProcessManagement
        self._observability = Observability()
        self._listeners = SettingsListeners()
        self._problems: list[Problem] = []
        self._tables: tuple[PortTables, ...] = ()
        self._table_problems: list[Problem] = []
        self._stop = asyncio.Event()

    async def run(self) -> int:
        self._catch_signals()
        try:
            upstreams = open_upstreams(self._settings.upstreams)
            streams = open_streams(self._settings.upstreams, upstreams)
            issuers = open_issuers(self._settings.upstreams)
        except TrustError as error:
            self._reporter.say(logging.ERROR, "trust", str(error))
            return 1
        keep_alive = KeepAlive(upstreams, idle=not self._settings.reports)
        processes = self._settings.workers
        self._listeners.add(UpstreamSettingsListener(upstreams, streams, processes=processes))
        approving = Approving(
            upstreams,
            self._reporter,
            self._settings.guard_key,
            moved=self._settings.ports.moved,
            idle=not self._settings.reports,
            shares_port=self._settings.workers > 1,
        )
        self._listeners.add(approving)
        self._listeners.add(keep_alive)
        self._management = ProcessManagement(
            self._settings,
            self._sources,
            self._observability.telemetry,
            self._take_over,
            keep_alive.describe,
        )

        gatekeeper = Gatekeeper(issuers, self._settings.guard_key.reveal().encode())
        self._service = Service(
            self._settings.ports,
            approving.guarding.call,
            self._settings.grace,
            gatekeeper,
            self._observability.telemetry,
            self._management,
            GuardedStreams(streams, approving.guarding.guards),
            approving.asking,
        )
        try:
            if not await self._start():
                return 1
            self._ready()
            await self._serve()
        finally:
            await self._service.stop()
            await keep_alive.aclose()
            await approving.aclose()
            await stop_scripts()
            await self._observability.close()
            await streams.aclose()
            await upstreams.aclose()
            await issuers.aclose()
        self._reporter.say(logging.INFO, "stopped", "stopped")
        self._end_by_signals()
        return 0

    async def _start(self) -> bool:
        """Loads everything and opens the ports; False when there is nothing to go on with."""
        started = time.monotonic()
        collection = await self._sources.load()
        if collection.has_bad_settings:
            self._reporter.problems(collection.all_problems)
            self._reporter.say(logging.ERROR, "settings", BAD_SETTINGS)
            return False
        self._reporter.settings(collection)
        applied = await self._apply(collection)
        self._report(applied)
        if not applied.ports and applied.problems:
            self._reporter.say(logging.ERROR, "no-port", "none of the ports can be opened")
            return False
        if not self._service.is_open and not self._may_wait():
            self._say_nothing_to_serve()
            return False
        if self._settings.workers > 1 and any(port.control for port in applied.ports):
            message = (
                "control ports show the worker that answers, one of several: collect traces with "
                "a collector, and read metrics of each worker as one share of the whole"
            )
            self._reporter.say(logging.WARNING, "control-workers", message)
        self._say_ready(time.monotonic() - started)
        return True

    async def _serve(self) -> None:
        watcher = None
        if self._settings.watch:
            watcher = asyncio.create_task(self._sources.follow(self._reload))
        await self._stop.wait()
        grace = f"{self._settings.grace:g} s"
        message = f"stopping; calls in flight have {grace} to finish, a second signal ends them"
        self._reporter.say(logging.INFO, "stopping", message)
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait([watcher])

    def _build(self, collection: Collection) -> None:
        """Makes the tables that `_apply` serves; beside the event loop."""
        self._tables, self._table_problems = build_tables(
            collection.plans, self._settings.ports, self._tables
        )

    async def _apply(self, collection: Collection) -> Applied:
        problems = [*self._table_problems]
        problems += await self._observability.adopt(collection.plans, collection.variables)
        problems += await self._listeners.tell(collection)
        applied = await self._service.apply(self._tables)
        await asyncio.sleep(0)  # callers who have waited come before what is told of the change
        self._problems = [*collection.all_problems, *problems, *applied.problems]
        self._problems += open_to_others(port.plan for port in applied.ports)
        self._management.note(collection, applied, self._problems)
        return applied

    async def _reload(self, before: Collection, now: Collection) -> None:
        applied = await self._apply(now)
        self._reporter.reload(before, now)
        self._report(applied)

    async def _take_over(self, before: Collection, now: Collection) -> None:
        """As `_reload`, for a caller; not any more once the process is to stop."""
        if self._stop.is_set():
            raise fail(FailureKind.SHUTTING_DOWN, "the process is stopping; nothing is reloaded")
        await self._reload(before, now)

    def _report(self, applied: Applied) -> None:
        self._reporter.problems(self._problems)
        self._reporter.ports(applied)

    # Beginning and end, for the operator

    def _may_wait(self) -> bool:
        return self._settings.watch and bool(self._sources.current.folders)

    def _say_nothing_to_serve(self) -> None:
        paths = ", ".join(f'"{path}"' for path in self._settings.sources.paths)
        remedy = (
            "name a capability file, or a folder that has one "
            '("naftiko validate PATH" says what is wrong with a file)'
        )
        if any(plan.mcp for plan in self._sources.current.plans):
            remedy = (
                "what there is is for standard input and output: have a client on this machine "
                'start "naftiko stdio PATH"'
            )
        message = f"nothing to serve in {paths} - {remedy}"
        self._reporter.say(logging.ERROR, "nothing-to-serve", message)

    def _say_ready(self, seconds: float) -> None:
        watched = ", ".join(str(path) for path in self._settings.sources.paths)
        watching = f", watching {watched}" if self._settings.watch else ""
        if self._service.is_open:
            message = f"ready in {seconds:.2f} s{watching} - Ctrl+C stops"
        else:
            message = f"nothing to serve yet{watching} - drop a capability file there"
        self._reporter.say(logging.INFO, "ready", message, waiting=not self._service.is_open)

    # Signals

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _STOPPING:
            try:
                loop.add_signal_handler(number, self._on_signal)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self._on_signal))

    def _end_by_signals(self) -> None:
        """Has a signal end what is left, which is the event loop: by itself it would make a stop
        that went well look like a kill."""
        loop = asyncio.get_running_loop()
        for number in _STOPPING:
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.remove_signal_handler(number)
            signal.signal(number, lambda *_: os._exit(0))

    def _on_signal(self) -> None:
        """The first signal stops gracefully, a second one at once."""
        if self._stop.is_set():
            self._service.hurry()
        self._stop.set()
