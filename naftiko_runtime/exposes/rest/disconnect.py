"""Gives up a call whose caller has hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from starlette.types import Receive

T = TypeVar("T")

_PATIENCE: Final = 0.05
"""Seconds between two rounds. A call that is seen in two of them is watched: most calls end
sooner, and a task or a timer for each would cost more than the rest of the adapter."""


async def run_while_connected(work: Awaitable[T], receive: Receive) -> T | None:
    """The result of `work`, or None when the caller hung up first; `work` is cancelled then.

    Only for work that may be cut off at any moment: reading, never placing an order.
    """
    rounds, task = _here()
    call = _Call(task, receive)
    rounds.enter(call)
    try:
        return await work
    except asyncio.CancelledError:
        if call.is_gone and task.uncancel() == 0:
            return None
        raise
    finally:
        rounds.leave(call)


class _Call:
    """A call that runs in a task of its own; `is_gone`: its caller has hung up."""

    __slots__ = ("_receive", "_task", "is_gone", "watcher")

    def __init__(self, task: asyncio.Task[object], receive: Receive) -> None:
        self._task = task
        self._receive = receive
        self.watcher: asyncio.Task[None] | None = None
        self.is_gone = False

    async def watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        self._task.cancel()


class _Rounds:
    """Looks at the calls of one event loop now and then, as long as there are any."""

    __slots__ = ("_new", "_old", "_timer", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._new: set[_Call] = set()
        self._old: set[_Call] = set()
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, call: _Call) -> None:
        self._new.add(call)
        if self._timer is None:
            self._timer = self.loop.call_later(_PATIENCE, self._look)

    def leave(self, call: _Call) -> None:
        self._new.discard(call)
        self._old.discard(call)
        if call.watcher is not None:
            call.watcher.cancel()

    def _look(self) -> None:
        for call in self._old:
            call.watcher = self.loop.create_task(call.watch())
        self._old, self._new = self._new, set()
        self._timer = self.loop.call_later(_PATIENCE, self._look) if self._old else None


_latest: _Rounds | None = None
"""Of the one event loop that a process serves in; tests have several."""


def _here() -> tuple[_Rounds, asyncio.Task[object]]:
    global _latest
    rounds = _latest
    task = None if rounds is None else asyncio.current_task(rounds.loop)
    if rounds is None or task is None:
        rounds = _latest = _Rounds(asyncio.get_running_loop())
        task = asyncio.current_task()
    assert task is not None
    return rounds, task
