"""The table of a run, and the same as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.cases import Case
from benchmarks.wrk import Figures


@dataclass(frozen=True, slots=True)
class Result:
    """A case's runs by candidate, the first one being the runtime."""

    case: Case
    runs: Mapping[str, Sequence[Figures]]

    def median(self, candidate: str) -> float:
        runs = self.runs[candidate]
        return statistics.median(f.p50 if self.case.by_latency else f.rate for f in runs)

    def ratio(self, peer: str) -> float:
        """What the runtime is to a peer, in the measure of the case."""
        first = next(iter(self.runs))
        return self.median(first) / self.median(peer)

    def is_met(self, peer: str) -> bool:
        target = self.case.targets[peer]
        return self.ratio(peer) <= target if self.case.by_latency else self.ratio(peer) >= target


def table(results: Sequence[Result]) -> str:
    """Medians with their spread, latencies in milliseconds, ratios and the targets."""
    lines = [
        f"{'case':26} {'candidate':24} {'per second':>10} {'spread':>15} {'p50 ms':>8} "
        f"{'p99 ms':>8} {'ratio':>7}  target"
    ]
    for result in results:
        for index, (candidate, runs) in enumerate(result.runs.items()):
            rates = [figures.rate for figures in runs]
            p50 = statistics.median(figures.p50 for figures in runs) / 1000
            p99 = statistics.median(figures.p99 for figures in runs) / 1000
            ratio = f"{result.ratio(candidate):.2f}" if index else ""
            lines.append(
                f"{'' if index else result.case.name:26} {candidate:24} "
                f"{statistics.median(rates):10.0f} {min(rates):7.0f}-{max(rates):<7.0f} "
                f"{p50:8.2f} {p99:8.2f} {ratio:>7}  {_verdict(result, candidate)}"
            )
    return "\n".join(lines)


def _verdict(result: Result, candidate: str) -> str:
    target = result.case.targets.get(candidate)
    if target is None:
        return ""
    sign = "<=" if result.case.by_latency else ">="
    return f"{sign} {target:g} {'met' if result.is_met(candidate) else 'MISSED'}"


def as_json(results: Sequence[Result]) -> list[dict[str, object]]:
    return [
        {
            "case": result.case.name,
            "connections": result.case.connections,
            "candidates": {
                name: {
                    "rate": [round(f.rate, 1) for f in runs],
                    "p50_us": [round(f.p50) for f in runs],
                    "p99_us": [round(f.p99) for f in runs],
                }
                for name, runs in result.runs.items()
            },
            "targets": {
                peer: {
                    "target": target,
                    "ratio": round(result.ratio(peer), 3),
                    "met": result.is_met(peer),
                }
                for peer, target in result.case.targets.items()
                if peer in result.runs
            },
        }
        for result in results
    ]
