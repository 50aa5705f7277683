"""What stands for state that cannot be kept as the operator wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from naftiko_runtime.state.store import StateUnavailable


class NoStore:
    """A StateStore in which nothing can be kept, so that nothing is sent that would need it."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def get(self, key: str) -> bytes | None:
        self._fail()

    async def replace(
        self, key: str, expected: bytes | None, value: bytes | None, seconds: float
    ) -> bool:
        self._fail()

    async def keys(self, prefix: str) -> Sequence[str]:
        self._fail()

    async def now(self) -> float:
        self._fail()

    async def aclose(self) -> None:
        """Nothing is open."""

    def _fail(self) -> NoReturn:
        raise StateUnavailable(self._reason)
