"""A bucket of tokens, as arithmetic on a clock that the caller reads.

Whole nanoseconds keep it exact: in a time of t seconds never more than rate * t + burst calls.
"""

from __future__ import annotations

from math import ceil
from typing import Final

SECOND: Final = 1_000_000_000


class Bucket:
    """`rate` tokens drop into it each second, `burst` fit in, and each call takes one. It is full
    when it is made, and forgets nothing but what would overflow.

    All times are nanoseconds of one clock that never goes back. Kept as the time at which the
    bucket would be full again (the generic cell rate algorithm of ITU-T I.371).
    """

    __slots__ = ("_full_at", "_interval", "_paused_until", "_slack")

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = ceil(SECOND / rate)
        self._slack = (burst - 1) * self._interval
        self._full_at = self._paused_until = 0

    def opens_at(self, now: int, ahead: int = 0) -> int:
        """When a call may take a token that lets `ahead` others go first; `now` if at once."""
        taken = max(self._full_at, now, self._paused_until) + ahead * self._interval
        return max(now, self._paused_until, taken - self._slack)

    def take(self, now: int) -> bool:
        """Takes a token, if there is one."""
        if self.opens_at(now) > now:
            return False
        self._full_at = max(self._full_at, now) + self._interval
        return True

    def pause(self, until: int) -> None:
        """Gives no token before a time, and from then on one by one."""
        self._paused_until = max(self._paused_until, until)
        self._full_at = max(self._full_at, self._paused_until + self._slack)

    def empty(self, now: int) -> None:
        """Takes all tokens out: the upstream counts other calls than these."""
        self._full_at = max(self._full_at, now + self._slack + self._interval)

    def changed(self, rate: float, burst: int, now: int) -> Bucket:
        """A bucket of another rate in place of this one. It starts with one token, so that no
        number of changes lets a burst of bursts through, and keeps a pause."""
        bucket = Bucket(rate, burst)
        bucket.pause(max(now, self._paused_until))
        return bucket
