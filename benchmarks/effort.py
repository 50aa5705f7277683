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


USUAL = Effort(1, 12)
QUICK = Effort(1, 4)
"""Many short runs rather than a few long ones: what else happens on the machine then hits all
candidates alike, and hits few runs of any."""
