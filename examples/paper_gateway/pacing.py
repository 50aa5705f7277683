"""The gateway's pacing limits, and what happens to those who ignore them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

PENALTY_AFTER = 50
"""This many refused calls within a minute, and the caller is put aside altogether."""

PENALTY_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` calls of the paths that match `path` in any `seconds`."""

    path: str
    calls: int
    seconds: float


LIMITS: tuple[Limit, ...] = (
    Limit("*", 10, 1.0),
    Limit("/iserver/accounts", 1, 5.0),
    Limit("/iserver/account/orders", 1, 5.0),
    Limit("/iserver/account/trades", 1, 5.0),
    Limit("/iserver/account/pnl/partitioned", 1, 5.0),
    Limit("/portfolio/accounts", 1, 5.0),
    Limit("/portfolio/subaccounts", 1, 5.0),
    Limit("/tickle", 1, 1.0),
    Limit("/sso/validate", 1, 60.0),
    Limit("/iserver/marketdata/snapshot", 10, 1.0),
)

HISTORY_PATH = "/iserver/marketdata/history"
HISTORY_AT_ONCE = 5


class Pacing:
    """Counts the calls of one gateway session.

    `scale` makes the limits so many times as generous; 0 switches them off. It may be changed
    at any time.
    """

    def __init__(self, clock: Callable[[], float], scale: float) -> None:
        self._clock = clock
        self.scale = scale
        self._calls: dict[Limit, deque[float]] = {limit: deque() for limit in LIMITS}
        self._refusals: deque[float] = deque()
        self._put_aside_until = 0.0
        self._history_running = 0

    @property
    def refused(self) -> int:
        """How many calls of the last minute came too fast."""
        return len(self._refusals)

    def admit(self, path: str) -> bool:
        """Whether a call of `path` may go ahead now; one that may not still costs nothing."""
        if self.scale == 0:
            return True
        now = self._clock()
        if now < self._put_aside_until:
            return False
        concerned = [limit for limit in LIMITS if fnmatchcase(path, limit.path)]
        full = any(self._count(limit, now) >= limit.calls for limit in concerned)
        if full or (path == HISTORY_PATH and self._history_running >= HISTORY_AT_ONCE):
            self._refuse(now)
            return False
        for limit in concerned:
            self._calls[limit].append(now)
        return True

    def begin(self, path: str) -> None:
        """Note that an admitted call runs; `end` must follow."""
        self._history_running += path == HISTORY_PATH

    def end(self, path: str) -> None:
        self._history_running -= path == HISTORY_PATH

    def _count(self, limit: Limit, now: float) -> int:
        """How many calls of the limit's window there are."""
        calls = self._calls[limit]
        while calls and now - calls[0] >= limit.seconds / self.scale:
            calls.popleft()
        return len(calls)

    def _refuse(self, now: float) -> None:
        self._refusals.append(now)
        while now - self._refusals[0] > 60:
            self._refusals.popleft()
        if len(self._refusals) >= PENALTY_AFTER:
            self._put_aside_until = now + PENALTY_SECONDS
            self._refusals.clear()
