"""Slows down whoever tries credentials one after the other."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from naftiko_runtime.exposes.authentication.sealed import seal
from naftiko_runtime.lazy_dataclasses import dataclass

BURST: Final = 20
"""Wrong tries that a peer has free; forgotten at SECONDS_EACH."""
SECONDS_EACH: Final = 3.0

_MOST_PEERS: Final = 4096
_MOST_CREDENTIALS: Final = 1024


@dataclass(slots=True)
class _Bucket:
    tries: float
    at: float


class Attempts:
    """How many wrong tries each peer has left.

    Behind one address (a proxy, this very machine) one caller with a wrong key must not lock out
    the others: credentials that have passed lately are judged whatever their peer has done, and
    the same wrong ones count once, as nobody guesses the same twice. All memories are bounded;
    what falls out of them begins anew.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._wrong: OrderedDict[bytes, None] = OrderedDict()

    def seconds_to_wait(self, peer: str, given: bytes) -> float:
        """0 when the credentials may be judged now."""
        bucket = self._buckets.get(peer)
        if bucket is None or seal(given) in self._good:
            return 0.0
        left = self._left(bucket)
        return 0.0 if left >= 1 else (1 - left) * SECONDS_EACH

    def passed(self, given: bytes) -> None:
        """Takes note of what identifies credentials that were right."""
        _remember(self._good, seal(given))

    def failed(self, peer: str, given: bytes, whole: bytes) -> bool:
        """Takes note of wrong credentials: what identifies them, and all of what was given. Whether
        this was the last try that the peer had."""
        self._good.pop(seal(given), None)
        if not _remember(self._wrong, seal(peer.encode() + b"\n" + whole)):
            return False
        bucket = self._buckets.setdefault(peer, _Bucket(BURST, self._clock()))
        self._buckets.move_to_end(peer)
        if len(self._buckets) > _MOST_PEERS:
            self._buckets.popitem(last=False)
        bucket.tries, bucket.at = max(self._left(bucket) - 1, 0.0), self._clock()
        return bucket.tries < 1

    def _left(self, bucket: _Bucket) -> float:
        return min(BURST, bucket.tries + (self._clock() - bucket.at) / SECONDS_EACH)


def _remember(memory: OrderedDict[bytes, None], key: bytes) -> bool:
    """Whether a key is new; it is the last to be forgotten."""
    is_new = key not in memory
    memory[key] = None
    memory.move_to_end(key)
    if len(memory) > _MOST_CREDENTIALS:
        memory.popitem(last=False)
    return is_new
