"""Measures a case: its candidates in turn, several times, so that drift hits all alike."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from benchmarks.candidates import Stage
from benchmarks.cases import Case
from benchmarks.effort import Effort
from benchmarks.rows import Row, Verdict
from benchmarks.sessions import in_session
from benchmarks.wrk import Figures, check, run_wrk


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a candidate. `own` is the processor time of the candidate for each request,
    `around` that of wrk and the upstream together, in seconds."""

    figures: Figures
    own: float
    around: float


Runs: TypeAlias = Mapping[str, Sequence[Run]]
"""The runs of each candidate in the order of the turns, the runtime's first."""


def measure(case: Case, stage: Stage, effort: Effort) -> list[Row]:
    """A row for each candidate, the runtime's first. Raises RuntimeError when one answers wrongly
    or fails a request."""
    return rows_of(case, stage, take_turns(case, stage, effort))


def take_turns(case: Case, stage: Stage, effort: Effort) -> Runs:
    """All runs of a case, after one of each that does not count."""
    names = [name for name in case.candidates if kind_of(name) not in effort.without]
    if case.in_session:
        opened = {name: in_session(stage.port(name), case.candidates[name]) for name in names}
        case = replace(case, candidates=opened)
    for name in names:
        check(stage.port(name), case.candidates[name], case.expected)
    for name in names:
        _run(case, stage, name, 1)
    seconds = max(effort.seconds, case.least_seconds)
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for _ in range(max(effort.repeats, case.least_turns)):
        for name in names:
            runs[name].append(_run(case, stage, name, seconds))
    return runs


def kind_of(candidate: str) -> str:
    return candidate.partition(":")[0]


def rows_of(case: Case, stage: Stage, runs: Runs) -> list[Row]:
    return [_row(case, stage, name, runs) for name in runs]


def ratio_of(case: Case, runs: Runs, peer: str) -> float:
    """What the first candidate is to a peer: the median of what it was in each turn, in which the
    machine was the same for both."""
    first = next(iter(runs))
    return statistics.median(
        _measure_of(case, ours) / _measure_of(case, theirs)
        for ours, theirs in zip(runs[first], runs[peer], strict=True)
    )


def _run(case: Case, stage: Stage, name: str, seconds: float) -> Run:
    request, port = case.candidates[name], stage.port(name)
    own, upstream = stage.cpu_seconds(name), stage.upstream_cpu_seconds()
    figures = run_wrk(port, request, case.connections, seconds, stage.folder)
    own, upstream = stage.cpu_seconds(name) - own, stage.upstream_cpu_seconds() - upstream
    return Run(figures, own / figures.requests, (upstream + figures.cpu) / figures.requests)


def _row(case: Case, stage: Stage, name: str, runs: Runs) -> Row:
    figures = [run.figures for run in runs[name]]
    ratio = ratio_of(case, runs, name) if name != next(iter(runs)) else None
    verdict = None
    if ratio is not None and name in case.targets:
        verdict = Verdict(ratio, case.targets[name], at_most=case.by_latency)
    return Row(
        case.name,
        name,
        [each.rate for each in figures],
        p50=statistics.median(each.p50 for each in figures) / 1000,
        p99=statistics.median(each.p99 for each in figures) / 1000,
        memory=stage.resident_megabytes(name),
        ratio=ratio,
        verdict=verdict,
    )


def _measure_of(case: Case, run: Run) -> float:
    """What the ratio is taken of: the median latency or the throughput."""
    return run.figures.p50 if case.by_latency else run.figures.rate
