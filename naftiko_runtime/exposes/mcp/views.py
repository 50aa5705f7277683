"""What each kind of caller of one listener sees: a server of its own for every set of
authentications that callers pass.

Nothing that is shared between two views can then tell one of the other: lists, instructions,
sessions and notices of changes are all of one view. Most listeners have one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync

from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.plan.inbound import InboundPlan

if TYPE_CHECKING:
    from naftiko_runtime.exposes.mcp.transport import HttpTransport


@dataclass(slots=True)
class View:
    """One server, with its table. `streams_end` ends the streams on which its clients wait."""

    table: McpTable
    transport: HttpTransport
    streams_end: anyio.Event


@dataclass(slots=True)
class _Opening:
    """A view from when it is first asked for until nobody uses it any more."""

    streams_end: anyio.Event
    view: View | None = None
    ready: anyio.Event = field(default_factory=anyio.Event)
    end: anyio.Event = field(default_factory=anyio.Event)
    users: int = 0
    retired: bool = False


class Views:
    """Owned by the application. `load` makes a server; it may take long and is called beside the
    event loop. `running()` has to be entered before views are used, once."""

    def __init__(self, table: McpTable, load: Callable[[McpTable], HttpTransport]) -> None:
        self._table = table
        self._load = load
        self._opened: dict[frozenset[InboundPlan], _Opening] = {}
        self._tasks: TaskGroup | None = None
        self._closing = False

    @property
    def table(self) -> McpTable:
        """All that is offered, to whomever."""
        return self._table

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Opens the view of strangers, so that the first caller need not wait for the SDK to be
        imported. Leaving ends all views, with calls that are in flight."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            self._open(frozenset())
            try:
                yield
            finally:
                self._end_streams()
                for opened in self._opened.values():
                    opened.end.set()

    @asynccontextmanager
    async def use(self, plans: frozenset[InboundPlan]) -> AsyncIterator[View]:
        """The view of a caller who has passed these; it stays as long as it is used."""
        opened = self._opened.get(plans) or self._open(plans)
        opened.users += 1
        try:
            await opened.ready.wait()
            assert opened.view is not None
            yield opened.view
        finally:
            opened.users -= 1
            if opened.retired and not opened.users:
                opened.end.set()

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
                opened.view.transport.server.close_listeners()

    def _end_streams(self) -> None:
        self._closing = True
        for opened in self._opened.values():
            opened.streams_end.set()

    def _open(self, plans: frozenset[InboundPlan]) -> _Opening:
        assert self._tasks is not None, "running() has been entered"
        opened = self._opened[plans] = _Opening(anyio.Event())
        if self._closing:
            opened.streams_end.set()
        self._tasks.start_soon(self._run, plans, opened)
        return opened

    async def _run(self, plans: frozenset[InboundPlan], opened: _Opening) -> None:
        whole = self._table
        table = await _seen(whole, plans)
        transport = await run_sync(self._load, table)
        async with transport.running():
            view = opened.view = View(table, transport, opened.streams_end)
            if self._table is not whole and not opened.retired:
                await self._show(view, plans)
            opened.ready.set()
            await opened.end.wait()

    async def _show(self, view: View, plans: frozenset[InboundPlan]) -> None:
        view.table = await _seen(self._table, plans)
        await view.transport.replace(view.table)


async def _seen(table: McpTable, plans: frozenset[InboundPlan]) -> McpTable:
    """What callers see who have passed `plans`; looks into folders of files where it hides any."""
    return await run_sync(table.seen_by, plans) if table.door.plans else table


def _retire(opened: _Opening) -> None:
    opened.retired = True
    opened.streams_end.set()
    if opened.view is not None:
        opened.view.transport.server.close_listeners()
    if not opened.users:
        opened.end.set()
