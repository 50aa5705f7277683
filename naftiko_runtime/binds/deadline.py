"""Runs what waits for a network, from code that does not wait for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")

_GRACE_SECONDS = 0.5


def within(seconds: float, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """What the coroutine gives. Raises what it raises, and TimeoutError when it is not done in
    time. It runs in a thread with an event loop of its own, which is left to itself then: looking
    up a name cannot be interrupted."""
    results: list[_T] = []
    errors: list[BaseException] = []

    async def bounded() -> _T:
        async with asyncio.timeout(seconds):
            return await work()

    def run() -> None:
        try:
            results.append(asyncio.run(bounded()))
        except BaseException as error:  # it is raised in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds + _GRACE_SECONDS)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
