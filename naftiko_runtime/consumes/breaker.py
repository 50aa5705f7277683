"""Leaves an origin alone that has failed several times in a row, as a state machine on a clock.

Closed: calls go through, failures in a row are counted. Open: no call goes through for a while.
Then one call goes through to see; if it succeeds, all do again, and if it fails, none for another
while.
"""

from __future__ import annotations

from naftiko_runtime.settings.model import Breaker


class Circuit:
    """All times are seconds of one clock that never goes back.

    What becomes of a call is told with the number that it was admitted under. Calls that were sent
    before the circuit opened say nothing about the time after.
    """

    __slots__ = ("_failures", "_is_probing", "_number", "_open_until", "settings")

    def __init__(self, settings: Breaker) -> None:
        self.settings = settings
        self._failures = 0
        self._open_until: float | None = None
        self._is_probing = False
        self._number = 0

    @property
    def is_open(self) -> bool:
        return self._open_until is not None

    def closed_for(self, now: float) -> float | None:
        """None when a call may go through now, else the seconds after which another try may be
        worth while."""
        if self._open_until is None:
            return None
        if self._is_probing:
            return 1.0
        return self._open_until - now if self._open_until > now else None

    def admit(self, now: float) -> int:
        """The number of a call that goes through: `closed_for` has just returned None."""
        if self._open_until is not None:
            self._is_probing = True
            self._number += 1
        return self._number

    def succeeded(self, number: int) -> None:
        if number == self._number:
            self._failures = 0
            self._open_until = None
            self._is_probing = False

    def failed(self, number: int, now: float) -> None:
        if number != self._number:
            return
        self._failures += 1
        if self._is_probing or self._failures >= self.settings.failures:
            self._failures = 0
            self._is_probing = False
            self._open_until = now + self.settings.pause
            self._number += 1

    def abandoned(self, number: int) -> None:
        """The call was given up before it said anything; another one may probe in its place."""
        if number == self._number:
            self._is_probing = False
