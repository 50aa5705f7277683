"""Two workers against one, and how much more than one there can be on this machine.

Two workers share its processors with wrk and the upstream. Where a call takes `w` seconds of a
worker's processor time and `k` of theirs, `c` processors make no more than `c / (w + k)` calls a
second, so that two workers come to at most `min(2 / w, c / (w + k))`: the target can be out of
reach for a case that is light. What a call takes in two workers, against one, says without this
limit whether they stand in each other's way.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence

from benchmarks import load
from benchmarks.candidates import Stage
from benchmarks.cases import Case
from benchmarks.effort import Effort
from benchmarks.rows import Row


def measure(case: Case, stage: Stage, effort: Effort) -> list[Row]:
    """The rows of a case whose first candidate has two workers, and one of whose peers is the same
    with one; then what limits their ratio."""
    runs = load.take_turns(case, stage, effort)
    two = next(iter(runs))
    one = _with_one_worker(two)
    own, around = _median([run.own for run in runs[one]]), [run.around for run in runs[one]]
    ceiling = ceiling_of(own, _median(around), _processors())
    times = [
        _microseconds(case, "of one worker, for each call", [run.own for run in runs[one]]),
        _microseconds(case, "of two workers, for each call", [run.own for run in runs[two]]),
        _microseconds(case, "of wrk and the upstream", around),
    ]
    share = load.ratio_of(case, runs, one) / ceiling
    return [
        *load.rows_of(case, stage, runs),
        *times,
        Row(case.name, f"most that {_processors()} processors allow", [ceiling], "times"),
        Row(case.name, "reached of that", [100 * share], "%"),
    ]


def ceiling_of(own: float, around: float, processors: int) -> float:
    """The most that two workers can be to one, by the processor time of a call in a worker and
    around it."""
    together = processors / (own + around)
    return min(2 / own, together) / min(1 / own, together)


def _with_one_worker(candidate: str) -> str:
    return f"{candidate.removesuffix('/2')}/1"


def _microseconds(case: Case, subject: str, seconds: Sequence[float]) -> Row:
    return Row(case.name, subject, [each * 1e6 for each in seconds], "us CPU")


def _processors() -> int:
    """Those that this process and what it starts may use."""
    return len(os.sched_getaffinity(0))


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)
