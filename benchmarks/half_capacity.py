"""Latency at a fixed rate: half of what the runtime can do, for it and for its peer alike."""

from __future__ import annotations

import statistics

from benchmarks.candidates import Stage
from benchmarks.cases import MODERN, REST, Case, call_of
from benchmarks.effort import Effort
from benchmarks.event_loop import run
from benchmarks.fixed_rate import Timed, run_at
from benchmarks.rows import Row
from benchmarks.wrk import Request, run_wrk

CASES = (
    Case("rest-at-half-capacity", dict.fromkeys((REST, "raw-asgi"), Request("/orders")), 32),
    Case(
        "mcp-at-half-capacity",
        dict.fromkeys(
            ("runtime:mcp/0/100/1", "mcp-sdk:100", "toolbox:100"), call_of(MODERN, "tool_99")
        ),
        16,
    ),
)


def measure(case: Case, stage: Stage, effort: Effort) -> list[Row]:
    """Median and 99th percentile of each candidate, which all get the same rate. One that cannot
    keep up with it shows a latency of seconds."""
    first = next(iter(case.candidates))
    port = stage.port(first)
    run_wrk(port, case.candidates[first], case.connections, 1, stage.folder)
    full = run_wrk(port, case.candidates[first], case.connections, effort.seconds, stage.folder)
    rate = full.rate / 2
    names = [name for name in case.candidates if name.partition(":")[0] not in effort.without]
    runs: dict[str, list[Timed]] = {name: [] for name in names}
    for _ in range(effort.repeats):
        for name in names:
            request = case.candidates[name]
            runs[name].append(run(run_at(stage.port(name), request, rate, effort.seconds)))
    return [_row(case.name, stage, name, rate, runs) for name in names]


def _row(case: str, stage: Stage, name: str, rate: float, runs: dict[str, list[Timed]]) -> Row:
    p50 = statistics.median(timed.percentile(0.5) for timed in runs[name])
    first = statistics.median(timed.percentile(0.5) for timed in next(iter(runs.values())))
    return Row(
        case,
        name,
        [rate],
        p50=p50,
        p99=statistics.median(timed.percentile(0.99) for timed in runs[name]),
        memory=stage.resident_megabytes(name),
        ratio=first / p50 if name != next(iter(runs)) else None,
    )
