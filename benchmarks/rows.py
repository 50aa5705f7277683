"""The lines of the table that a run prints, and the same as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a target asks for and what was reached: a ratio, or an amount in the unit of its row."""

    reached: float
    target: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        return self.reached <= self.target if self.at_most else self.reached >= self.target

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        return f"{sign} {self.target:g} {'met' if self.is_met else 'MISSED'}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: `values` are those of its runs, in `unit`, and the median counts.

    `p50` and `p99` are latencies in milliseconds, `memory` is resident megabytes afterwards;
    `ratio` is what the runtime is to the candidate of the row.
    """

    case: str
    subject: str
    values: Sequence[float]
    unit: str = "/s"
    p50: float | None = None
    p99: float | None = None
    memory: float | None = None
    ratio: float | None = None
    verdict: Verdict | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)


_HEAD = (
    f"{'case':30} {'of what':38} {'median':>13} {'spread':>17} {'p50 ms':>7} {'p99 ms':>7} "
    f"{'MB':>6} {'ratio':>7}  target"
)


def table(rows: Sequence[Row]) -> str:
    """All rows, a case's name at its first one only."""
    lines = [_HEAD]
    previous = ""
    for row in rows:
        name = "" if row.case == previous else row.case
        previous = row.case
        spread = ""
        if len(row.values) > 1:
            spread = f"{_amount(min(row.values))}-{_amount(max(row.values))}"
        line = (
            f"{name:30} {row.subject:38} {_amount(row.median) + ' ' + row.unit:>13} {spread:>17} "
            f"{_decimal(row.p50, 2):>7} {_decimal(row.p99, 2):>7} {_decimal(row.memory, 0):>6} "
            f"{_decimal(row.ratio, 2):>7}  {row.verdict or ''}"
        )
        lines.append(line.rstrip())
    return "\n".join(lines)


def _amount(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def _decimal(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"


def missed(rows: Sequence[Row]) -> list[str]:
    """The cases with a target that is not met, each once."""
    names = [row.case for row in rows if row.verdict is not None and not row.verdict.is_met]
    return list(dict.fromkeys(names))


def as_json(rows: Sequence[Row]) -> list[Mapping[str, object]]:
    return [_entry(row) for row in rows]


def _entry(row: Row) -> dict[str, object]:
    entry: dict[str, object] = {
        "case": row.case,
        "subject": row.subject,
        "unit": row.unit,
        "values": [round(value, 4) for value in row.values],
    }
    for name, value in (
        ("p50_ms", row.p50),
        ("p99_ms", row.p99),
        ("resident_mb", row.memory),
        ("ratio", row.ratio),
    ):
        if value is not None:
            entry[name] = round(value, 4)
    if row.verdict is not None:
        entry["target"] = {
            "reached": round(row.verdict.reached, 4),
            "wanted": row.verdict.target,
            "at_most": row.verdict.at_most,
            "met": row.verdict.is_met,
        }
    return entry
