"""What is written down about calls that can change something, as those who write it see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from naftiko_runtime.json_values import JsonValue


class AuditUnavailable(Exception):
    """Nothing can be recorded; the message says why, for the operator."""


class Journal(Protocol):
    """Records that nobody can change or drop unseen. Entries hold no secrets: whoever writes one
    has masked them."""

    async def begin(self, entry: Mapping[str, JsonValue]) -> int:
        """Records what is about to be sent, and returns once that is on the disk. The number names
        the record to `end`. Raises AuditUnavailable: then the call must not be made."""
        ...

    async def refused(self, entry: Mapping[str, JsonValue]) -> None:
        """Records what was not sent, and why. Raises AuditUnavailable."""
        ...

    async def end(self, number: int, entry: Mapping[str, JsonValue]) -> None:
        """Records what became of it. Raises AuditUnavailable; the call has been made by then."""
        ...
