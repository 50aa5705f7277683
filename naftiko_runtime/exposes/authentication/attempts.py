"""Slows down whoever tries credentials one after the other."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from naftiko_runtime.exposes.authentication.sealed import seal

BURST: Final = 20
"""Wrong tries that a peer has free; forgotten at SECONDS_EACH."""
SECONDS_EACH: Final = 3.0

_MOST_PEERS: Final = 4096
_MOST_GOOD: Final = 1024


@dataclass(slots=True)
class _Bucket:
    tries: float
    at: float


class Attempts:
    """How many wrong tries each peer has left.

    Credentials that have passed lately are judged whatever their peer has done: behind one
    address (a proxy, this very machine) one caller with a wrong key must not lock out the others.
    Both memories are bounded; what falls out of them begins anew.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def seconds_to_wait(self, peer: str, given: bytes) -> float:
        """0 when the credentials may be judged now."""
        bucket = self._buckets.get(peer)
        if bucket is None or seal(given) in self._good:
            return 0.0
        left = self._left(bucket)
        return 0.0 if left >= 1 else (1 - left) * SECONDS_EACH

    def passed(self, given: bytes) -> None:
        key = seal(given)
        self._good[key] = None
        self._good.move_to_end(key)
        if len(self._good) > _MOST_GOOD:
            self._good.popitem(last=False)

    def failed(self, peer: str, given: bytes) -> bool:
        """Whether this was the last try that the peer had."""
        self._good.pop(seal(given), None)
        bucket = self._buckets.setdefault(peer, _Bucket(BURST, self._clock()))
        self._buckets.move_to_end(peer)
        if len(self._buckets) > _MOST_PEERS:
            self._buckets.popitem(last=False)
        bucket.tries, bucket.at = max(self._left(bucket) - 1, 0.0), self._clock()
        return bucket.tries < 1

    def _left(self, bucket: _Bucket) -> float:
        return min(BURST, bucket.tries + (self._clock() - bucket.at) / SECONDS_EACH)
