"""The line of calls that wait for their turn at one bucket, as arithmetic on a clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from naftiko_runtime.consumes.pacing.bucket import Bucket

T = TypeVar("T", bound=Hashable)


class TooMany(Exception):
    """The line is full, or a turn would come too late. `wait` is in nanoseconds: when a call that
    nobody overtakes would have its turn."""

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


class Line(Generic[T]):
    """Calls have their turn in the order in which they came. One that cannot have it within its
    patience does not wait in vain: it is turned away at once, also where a pause makes it so
    later on. `T` tells calls apart; all times are nanoseconds of one clock."""

    __slots__ = ("_bucket", "_size", "_waiting")

    def __init__(self, bucket: Bucket, size: int) -> None:
        self._bucket = bucket
        self._size = size
        self._waiting: OrderedDict[T, int] = OrderedDict()  # until when each waits

    def __len__(self) -> int:
        return len(self._waiting)

    def pass_by(self, now: int) -> bool:
        """Lets a call go at once, if nobody waits and there is a token."""
        return not self._waiting and self._bucket.take(now)

    def check(self, now: int, patience: int) -> None:
        """Raises TooMany when a call could neither pass by nor join now."""
        opens_at = self._bucket.opens_at(now, len(self._waiting))
        if opens_at == now and not self._waiting:
            return
        if len(self._waiting) >= self._size or opens_at > now + patience:
            raise TooMany(opens_at - now)

    def join(self, call: T, now: int, patience: int) -> None:
        """Puts a call at the end. Raises TooMany."""
        self.check(now, patience)
        self._waiting[call] = now + patience

    def leave(self, call: T) -> None:
        """A call that does not want its turn any more; those behind it move up."""
        self._waiting.pop(call, None)

    def next_at(self, now: int) -> int | None:
        """When the first call has its turn; None when nobody waits."""
        return self._bucket.opens_at(now) if self._waiting else None

    def call(self, now: int, is_gone: Callable[[T], bool] = lambda call: False) -> list[T]:
        """The calls whose turn it is; they are in the line no longer. One that is gone without
        having left gets no turn."""
        called: list[T] = []
        while self._waiting:
            first = next(iter(self._waiting))
            if not is_gone(first):
                if not self._bucket.take(now):
                    break
                called.append(first)
            del self._waiting[first]
        return called

    def pause(self, until: int, now: int) -> list[tuple[T, int]]:
        """Gives nobody a turn before a time. Returns those who then could not have one within
        their patience, with how long they would wait; they are in the line no longer."""
        self._bucket.pause(until)
        return self._turn_away(now)

    def empty_bucket(self, now: int) -> list[tuple[T, int]]:
        """As `pause`, for a bucket whose tokens turn out to be gone."""
        self._bucket.empty(now)
        return self._turn_away(now)

    def change(self, rate: float, burst: int, size: int, now: int) -> list[tuple[T, int]]:
        """As `pause`, for another rate and size. Those who wait already keep their places."""
        self._bucket = self._bucket.changed(rate, burst, now)
        self._size = size
        return self._turn_away(now)

    def _turn_away(self, now: int) -> list[tuple[T, int]]:
        turned_away: list[tuple[T, int]] = []
        ahead = 0
        for call, until in list(self._waiting.items()):
            opens_at = self._bucket.opens_at(now, ahead)
            if opens_at > until:
                del self._waiting[call]
                turned_away.append((call, opens_at - now))
            else:
                ahead += 1
        return turned_away
