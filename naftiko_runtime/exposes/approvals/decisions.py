"""What the approval page shows and does."""

from __future__ import annotations

from typing import Protocol

from naftiko_runtime.guards.approval import ParkedCall


class Decisions(Protocol):
    """The parked calls of all who share a state store, and the kill switch. All methods raise
    StateUnavailable."""

    async def now(self) -> float: ...

    async def pending(self) -> list[ParkedCall]: ...

    async def get(self, id_: str) -> ParkedCall | None: ...

    async def decide(self, id_: str, approve: bool, by: str) -> bool: ...

    async def is_halted(self) -> bool | None:
        """None where nothing can be halted."""
        ...

    async def halt(self, on: bool, by: str) -> None:
        """Stops all changes, or lifts that. Raises OSError where the file cannot be written."""
        ...
