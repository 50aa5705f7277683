"""Gives up a call whose caller has hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from starlette.types import Receive

T = TypeVar("T")

_PATIENCE: Final = 0.05
"""Seconds before anyone looks whether the caller is still there: most calls end sooner, and a
task per call to wait for a disconnect would cost more than the rest of the adapter."""


async def run_while_connected(work: Awaitable[T], receive: Receive) -> T | None:
    """The result of `work`, or None when the caller hung up first; `work` is cancelled then.

    Only for work that may be cut off at any moment: reading, never placing an order.
    """
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    watcher: asyncio.Task[None] | None = None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    def begin() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    timer = loop.call_later(_PATIENCE, begin)
    try:
        return await work
    except asyncio.CancelledError:
        if gone and task.uncancel() == 0:
            return None
        raise
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
