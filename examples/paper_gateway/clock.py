"""Time as the gateway sees it, so that tests and the control endpoint can move it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class AdjustableClock:
    """Seconds since the epoch: those of `source`, plus everything `advance` was given.

    With `frozen_at` the clock stands still there and moves by `advance` alone, which makes
    prices, fills and expiries reproducible.
    """

    def __init__(
        self, source: Callable[[], float] = time.time, *, frozen_at: float | None = None
    ) -> None:
        self._source = source if frozen_at is None else lambda: frozen_at
        self._offset = 0.0

    def __call__(self) -> float:
        return self._source() + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward; time never runs backwards, so a negative value raises ValueError."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._offset += seconds


def milliseconds(at: float) -> int:
    return int(at * 1000)


def utc_text(at: float, form: str) -> str:
    """`at` in UTC in a `strftime` form; the gateway writes dates in several."""
    return datetime.fromtimestamp(at, UTC).strftime(form)
