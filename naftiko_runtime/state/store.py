"""The one operation on shared state that everything else is made of: compare and set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class StateUnavailable(Exception):
    """The store cannot be reached; the message says which and why, without a password."""


class StateStore(Protocol):
    """Values by key, each with a time to live. All methods raise StateUnavailable."""

    async def get(self, key: str) -> bytes | None:
        """The value, None where there is none or its time is over."""
        ...

    async def replace(
        self, key: str, expected: bytes | None, value: bytes | None, seconds: float
    ) -> bool:
        """Sets a key to `value` for `seconds` if it holds `expected` (None: nothing), at once for
        everybody who shares the store; None as value removes it. False when it holds something
        else, and then nothing is changed."""
        ...

    async def keys(self, prefix: str) -> Sequence[str]:
        """The keys that begin so and have not expired."""
        ...

    async def now(self) -> float:
        """The time by the store's clock, in seconds since 1970: one clock for all who share it."""
        ...

    async def aclose(self) -> None: ...
