"""Measures a case: its candidates in turn, several times, so that drift hits all alike."""

from __future__ import annotations

import statistics

from benchmarks.candidates import Stage
from benchmarks.cases import Case
from benchmarks.effort import Effort
from benchmarks.rows import Row, Verdict
from benchmarks.wrk import Figures, check, run_wrk


def measure(case: Case, stage: Stage, effort: Effort) -> list[Row]:
    """A row for each candidate, the runtime's first. Raises RuntimeError when one answers wrongly
    or fails a request."""
    names = [name for name in case.candidates if kind_of(name) not in effort.without]
    ports = {name: stage.port(name) for name in names}
    for name in names:
        check(ports[name], case.candidates[name], case.expected)
    runs: dict[str, list[Figures]] = {name: [] for name in names}
    for repeat in range(effort.repeats + 1):
        for name in names:
            seconds = max(effort.seconds if repeat else 1, case.least_seconds)
            request = case.candidates[name]
            figures = run_wrk(ports[name], request, case.connections, seconds, stage.folder)
            if repeat:
                runs[name].append(figures)
    return [_row(case, stage, name, runs) for name in names]


def kind_of(candidate: str) -> str:
    return candidate.partition(":")[0]


def _row(case: Case, stage: Stage, name: str, runs: dict[str, list[Figures]]) -> Row:
    first = next(iter(runs))
    ratio = None
    if name != first:
        ratio = _measure_of(case, runs[first]) / _measure_of(case, runs[name])
    verdict = None
    if ratio is not None and name in case.targets:
        verdict = Verdict(ratio, case.targets[name], at_most=case.by_latency)
    return Row(
        case.name,
        name,
        [figures.rate for figures in runs[name]],
        p50=statistics.median(figures.p50 for figures in runs[name]) / 1000,
        p99=statistics.median(figures.p99 for figures in runs[name]) / 1000,
        memory=stage.resident_megabytes(name),
        ratio=ratio,
        verdict=verdict,
    )


def _measure_of(case: Case, runs: list[Figures]) -> float:
    """What the ratio is taken of: the median latency or the median throughput."""
    if case.by_latency:
        return statistics.median(figures.p50 for figures in runs)
    return statistics.median(figures.rate for figures in runs)
