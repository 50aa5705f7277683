"""Has calls wait for their turn at one bucket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from naftiko_runtime.consumes.pacing.bucket import SECOND, Bucket
from naftiko_runtime.consumes.pacing.line import Line, TooMany
from naftiko_runtime.settings.model import Pacing

_CLOCK_SECONDS = 0.001
"""The finest step that every event loop's timers can tell."""


class Pacer:
    """A bucket and the line before it, for the calls of one event loop. Waits end by themselves,
    none later than the pacing's `wait`; there is nothing to close."""

    __slots__ = ("_alarm", "_clock", "_line", "pacing")

    def __init__(self, pacing: Pacing, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.pacing = pacing
        self._clock = clock
        bucket = Bucket(pacing.rate, pacing.burst)
        self._line: Line[asyncio.Future[None]] = Line(bucket, pacing.queue)
        self._alarm: asyncio.TimerHandle | None = None

    def check(self, most_seconds: float) -> None:
        """Raises TooMany when a call that came now would be turned away."""
        self._line.check(self._clock(), self._patience(most_seconds))

    async def turn(self, most_seconds: float) -> None:
        """Returns when it is the caller's turn, which has then taken its token. Nobody waits
        longer than `most_seconds`, nor than the pacing says. Raises TooMany."""
        now = self._clock()
        if self._line.pass_by(now):
            return
        loop = asyncio.get_running_loop()
        call: asyncio.Future[None] = loop.create_future()
        self._line.join(call, now, self._patience(most_seconds))
        self._set_alarm()
        try:
            await call
        except asyncio.CancelledError:
            self._line.leave(call)
            self._set_alarm()
            raise

    def _patience(self, most_seconds: float) -> int:
        return round(max(0.0, min(self.pacing.wait, most_seconds)) * SECOND)

    def pause(self, seconds: float) -> None:
        """No call has its turn for so long; those who would wait too long are turned away."""
        now = self._clock()
        self._turn_away(self._line.pause(now + round(seconds * SECOND), now))

    def empty(self) -> None:
        """The upstream says that its own bucket is empty."""
        self._turn_away(self._line.empty_bucket(self._clock()))

    def adopt(self, pacing: Pacing) -> None:
        """Goes on at another pace, if it is another."""
        before, self.pacing = self.pacing, pacing
        if pacing != before:
            now = self._clock()
            self._turn_away(self._line.change(pacing.rate, pacing.burst, pacing.queue, now))

    def _turn_away(self, calls: Iterable[tuple[asyncio.Future[None], int]]) -> None:
        for call, wait in calls:
            if not call.done():
                call.set_exception(TooMany(wait))
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self._clock()
        opens_at = self._line.next_at(now)
        if opens_at is not None:
            seconds = max(_CLOCK_SECONDS, (opens_at - now) / SECOND)
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        for call in self._line.call(self._clock(), asyncio.Future.done):
            call.set_result(None)
        self._set_alarm()
