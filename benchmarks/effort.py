"""How much time a measurement may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """`seconds` of load in each run, and `repeats` runs of each candidate; `without` are the peers
    to leave out."""

    seconds: float
    repeats: int
    without: frozenset[str] = frozenset()


USUAL = Effort(3, 4)
QUICK = Effort(1, 3)
