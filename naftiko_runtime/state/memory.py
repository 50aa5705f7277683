"""State of one process, gone when it ends."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

_LEFT_OVER: Final = 64
"""How many outdated ends of keys may be kept besides one for each key."""


def _steady_clock() -> Callable[[], float]:
    """The time since 1970 as it was at the start, going on evenly: a correction of the system's
    clock must not end what was promised to hold for a while."""
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()


@dataclass(frozen=True, slots=True)
class _Kept:
    value: bytes
    until: float


class MemoryStore:
    """A StateStore in a dictionary; each method runs without a pause, so that it is atomic for the
    calls of one event loop. Values that nobody asks for any more are dropped as others are set."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or _steady_clock()
        self._values: dict[str, _Kept] = {}
        self._ends: list[tuple[float, str]] = []

    async def get(self, key: str) -> bytes | None:
        return self._get(key, self._clock())

    async def replace(
        self, key: str, expected: bytes | None, value: bytes | None, seconds: float
    ) -> bool:
        now = self._clock()
        self._drop_expired(now)
        if self._get(key, now) != expected:
            return False
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = _Kept(value, now + seconds)
            heapq.heappush(self._ends, (now + seconds, key))
        return True

    async def keys(self, prefix: str) -> Sequence[str]:
        now = self._clock()
        return [
            key for key, kept in self._values.items() if key.startswith(prefix) and now < kept.until
        ]

    async def now(self) -> float:
        return self._clock()

    async def aclose(self) -> None:
        self._values.clear()
        self._ends.clear()

    def _get(self, key: str, now: float) -> bytes | None:
        kept = self._values.get(key)
        return kept.value if kept is not None and now < kept.until else None

    def _drop_expired(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            kept = self._values.get(key)
            if kept is not None and kept.until <= now:
                del self._values[key]
        if len(self._ends) > 2 * len(self._values) + _LEFT_OVER:
            self._ends = [(kept.until, key) for key, kept in self._values.items()]
            heapq.heapify(self._ends)
