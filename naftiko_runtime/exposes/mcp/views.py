"""What each kind of caller of one listener sees: a server of its own for every set of
authentications that callers pass.

Nothing that is shared between two views can then tell one of the other: lists, instructions,
sessions and notices of changes are all of one view. Most listeners have one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import field
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

from naftiko_runtime.exposes.mcp.fast_lane import FastLane
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.inbound import InboundPlan

if TYPE_CHECKING:
    from starlette.types import Scope

    from naftiko_runtime.exposes.mcp.sessions import Session
    from naftiko_runtime.exposes.mcp.transport import HttpTransport

_log = logging.getLogger("naftiko.mcp")


@dataclass(slots=True)
class View:
    """One server, with its table. `streams_end` ends the streams on which its clients wait; the
    SDK is loaded when a request first needs it."""

    table: McpTable
    lane: FastLane
    streams_end: anyio.Event
    transport: HttpTransport | None = None
    wanted: anyio.Event = field(default_factory=anyio.Event)
    loaded: anyio.Event = field(default_factory=anyio.Event)

    async def sdk(self) -> HttpTransport:
        """What answers the requests that are not the lane's; loading it takes half a second. Raises
        CallFailed where it cannot be loaded; the next request tries again."""
        if self.transport is None:
            self.wanted.set()
            await self.loaded.wait()
        if self.transport is None:
            detail = "MCP cannot be served at the moment - the log of the runtime says why"
            raise fail(FailureKind.INTERNAL, detail)
        return self.transport

    def session(self, scope: Scope, principal: str) -> Session | None:
        """The open session that a request names; they are the SDK's."""
        return None if self.transport is None else self.transport.find(scope, principal)

    async def show(self, table: McpTable) -> None:
        self.table = table
        self.lane.adopt(table)
        if self.transport is not None:
            await self.transport.replace(table)

    def close_streams(self) -> None:
        self.streams_end.set()
        if self.transport is not None:
            self.transport.server.close_listeners()


@dataclass(slots=True)
class _Opening:
    """A view from when it is first asked for until nobody uses it any more. Users enter it, which
    `Views.use` has counted them for."""

    streams_end: anyio.Event
    view: View | None = None
    ready: anyio.Event = field(default_factory=anyio.Event)
    end: anyio.Event = field(default_factory=anyio.Event)
    users: int = 0
    retired: bool = False

    def __enter__(self) -> View:
        assert self.view is not None
        return self.view

    def __exit__(self, *_: object) -> None:
        self.users -= 1
        if self.retired and not self.users:
            self.end.set()

    async def first_of_end_and(self, event: anyio.Event) -> None:
        async with anyio.create_task_group() as tasks:

            async def wait(each: anyio.Event) -> None:
                await each.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(wait, event)
            tasks.start_soon(wait, self.end)


class Views:
    """Owned by the application. `open_lane` makes what answers most requests of a view, `load` its
    server; that takes long and is called beside the event loop. `running()` has to be entered
    before views are used, once."""

    def __init__(
        self,
        table: McpTable,
        open_lane: Callable[[McpTable], FastLane],
        load: Callable[[McpTable], HttpTransport],
    ) -> None:
        self._table = table
        self._open_lane = open_lane
        self._load = load
        self._opened: dict[frozenset[InboundPlan], _Opening] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._closing = False

    @property
    def table(self) -> McpTable:
        """All that is offered, to whomever."""
        return self._table

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Leaving ends all views, with calls that are in flight."""
        # Not a group of anyio, which loads much; ports open without that, and views then need it.
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._end_streams()
                for opened in self._opened.values():
                    opened.end.set()

    async def use(self, plans: frozenset[InboundPlan]) -> AbstractContextManager[View]:
        """The view of a caller who has passed these, to be entered at once; it stays until it is
        left."""
        opened = self._opened.get(plans) or self._open(plans)
        opened.users += 1
        if opened.ready.is_set():  # waiting would take another round of the event loop
            return opened
        try:
            await opened.ready.wait()
        except BaseException:
            opened.__exit__()
            raise
        return opened

    async def replace(self, table: McpTable) -> None:
        """Shows `table` from now on, and tells clients whose lists change. A view whose way in is
        not there any more ends with the last call in it."""
        self._table = table
        for plans, opened in list(self._opened.items()):
            if not plans.issubset(table.door.plans):
                del self._opened[plans]
                _retire(opened)
            elif opened.view is not None:
                await self._show(opened.view, plans)

    def close_streams(self) -> None:
        """Ends all streams on which clients wait for changes, now and from now on."""
        self._end_streams()
        for opened in self._opened.values():
            if opened.view is not None:
                opened.view.close_streams()

    def _end_streams(self) -> None:
        self._closing = True
        for opened in self._opened.values():
            opened.streams_end.set()

    def _open(self, plans: frozenset[InboundPlan]) -> _Opening:
        assert self._tasks is not None, "running() has been entered"
        opened = self._opened[plans] = _Opening(anyio.Event())
        if self._closing:
            opened.streams_end.set()
        self._tasks.create_task(self._run(plans, opened))
        return opened

    async def _run(self, plans: frozenset[InboundPlan], opened: _Opening) -> None:
        whole = self._table
        table = await _seen(whole, plans)
        view = opened.view = View(table, self._open_lane(table), opened.streams_end)
        if self._table is not whole and not opened.retired:
            await self._show(view, plans)
        opened.ready.set()
        while not opened.end.is_set():
            await opened.first_of_end_and(view.wanted)
            if view.wanted.is_set():
                await self._run_sdk(view, opened)

    async def _run_sdk(self, view: View, opened: _Opening) -> None:
        table = view.table
        try:
            transport = await run_sync(self._load, table)
        except Exception:
            _log.exception("the MCP library cannot be loaded")
            failed, view.wanted, view.loaded = view.loaded, anyio.Event(), anyio.Event()
            failed.set()
            return
        async with transport.running():
            view.transport = transport
            if view.table is not table:
                await transport.replace(view.table)
            if view.streams_end.is_set():
                view.close_streams()
            view.loaded.set()
            await opened.end.wait()

    async def _show(self, view: View, plans: frozenset[InboundPlan]) -> None:
        await view.show(await _seen(self._table, plans))


async def _seen(table: McpTable, plans: frozenset[InboundPlan]) -> McpTable:
    """What callers see who have passed `plans`; looks into folders of files where it hides any."""
    return await run_sync(table.seen_by, plans) if table.door.plans else table


def _retire(opened: _Opening) -> None:
    opened.retired = True
    opened.streams_end.set()
    if opened.view is not None:
        opened.view.close_streams()
    if not opened.users:
        opened.end.set()
