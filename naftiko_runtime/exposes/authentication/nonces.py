"""Nonces of HTTP Digest: signed when issued, remembered once they have been used.

Nothing is kept for a nonce until a caller has proved with it that he knows the password, so
nobody can fill the memory by asking for challenges.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

SECONDS: Final = 300
"""How long a nonce can be used; a client then gets a new one without asking its user."""

_MOST: Final = 4096
_WINDOW: Final = 128
"""How far counts may arrive out of order: clients number calls that they send at the same time."""
_CLOCK_SECONDS: Final = 2
"""How far a clock that is put right may go back."""

_SIGNATURE: Final = 16
_ISSUED: Final = struct.Struct(">d")
_SIZE: Final = _ISSUED.size + 8 + _SIGNATURE


@dataclass(slots=True)
class _Use:
    """Which counts of a nonce have been seen: the highest, and a bit for each below it."""

    issued: float
    highest: int = 0
    seen: int = 0

    def take(self, count: int) -> bool:
        if count > self.highest:
            ahead = count - self.highest
            kept = self.seen << ahead if ahead < _WINDOW else 0
            self.seen, self.highest = kept & ((1 << _WINDOW) - 1) | 1, count
            return True
        behind = self.highest - count
        if count < 1 or behind >= _WINDOW or self.seen & (1 << behind):
            return False
        self.seen |= 1 << behind
        return True


class Nonces:
    """The nonces of one scheme. Processes that share a port have the same `key`, so that each
    accepts what the others issued; which counts were used is known to each by itself."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock
        self._uses: OrderedDict[str, _Use] = OrderedDict()
        self._forgotten = 0.0

    def issue(self) -> str:
        content = _ISSUED.pack(self._clock()) + secrets.token_bytes(8)
        return base64.urlsafe_b64encode(content + self._sign(content)).decode("ascii")

    def take(self, nonce: str, count: int) -> bool:
        """Whether a nonce can be used with a count: issued here, not too old, and each count once.
        To be asked only for a caller who has proved himself."""
        use = self._uses.get(nonce)
        if use is None:
            issued = self._issued(nonce)
            if issued is None:
                return False
            use = _Use(issued)
        age = self._clock() - use.issued
        if not -_CLOCK_SECONDS <= age <= SECONDS or use.issued <= self._forgotten:
            return False
        self._remember(nonce, use)
        return use.take(count)

    def _issued(self, nonce: str) -> float | None:
        try:
            content = base64.b64decode(nonce.encode("ascii"), b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        if len(content) != _SIZE:
            return None
        content, signature = content[:-_SIGNATURE], content[-_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(content)):
            return None
        issued: float = _ISSUED.unpack(content[: _ISSUED.size])[0]
        return issued

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, "sha256")[:_SIGNATURE]

    def _remember(self, nonce: str, use: _Use) -> None:
        """Keeps the counts of a nonce. What is forgotten for lack of space cannot be told from
        new, so all nonces as old as that are refused from then on."""
        self._uses[nonce] = use
        self._uses.move_to_end(nonce)
        if len(self._uses) > _MOST:
            _, oldest = self._uses.popitem(last=False)
            self._forgotten = max(self._forgotten, oldest.issued)
