"""Journals of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko_runtime.audit.journal import AuditUnavailable
from naftiko_runtime.json_values import JsonValue


@dataclass
class MemoryJournal:
    """A Journal in a list; `broken` makes it one on a disk that is full."""

    begun: list[Mapping[str, JsonValue]] = field(default_factory=list)
    ended: dict[int, Mapping[str, JsonValue]] = field(default_factory=dict)
    refused_calls: list[Mapping[str, JsonValue]] = field(default_factory=list)
    broken: bool = False

    async def begin(self, entry: Mapping[str, JsonValue]) -> int:
        if self.broken:
            raise AuditUnavailable("the disk is full")
        self.begun.append(entry)
        return len(self.begun) - 1

    async def end(self, number: int, entry: Mapping[str, JsonValue]) -> None:
        assert number not in self.ended
        self.ended[number] = entry

    async def refused(self, entry: Mapping[str, JsonValue]) -> None:
        if self.broken:
            raise AuditUnavailable("the disk is full")
        self.refused_calls.append(entry)
