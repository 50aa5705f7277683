"""CPU time from interpreter start until all ports of a set of files are open.

`python -m benchmarks.startup [PATH...]` starts `naftiko serve` several times and prints the median
and the spread. Without paths it serves three files of `capabilities/`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.candidates import Stage
from benchmarks.effort import Effort
from benchmarks.processes import ROOT
from benchmarks.rows import Row, Verdict, table
from benchmarks.served_folder import served

FILES = [
    ROOT / "capabilities" / name
    for name in ("interactive-brokers.yaml", "web-orders.yaml", "web-sessions.yaml")
]
SECONDS = 0.35


def measure(files: list[Path], stage: Stage, effort: Effort) -> list[Row]:
    return rows(stage, files or FILES, 2 * effort.repeats)


def rows(stage: Stage, paths: list[Path], runs: int) -> list[Row]:
    """CPU and wall seconds until all ports accept connections."""
    cpu, wall, memory = [], [], 0.0
    for _ in range(runs):
        begun = time.perf_counter()
        with served(stage, paths, "--no-watch") as (running, _ports):
            cpu.append(running.cpu_seconds())
            wall.append(time.perf_counter() - begun)
            memory = running.resident_megabytes()
    row = Row("start", "CPU until both ports are open", cpu, "s", memory=memory)
    verdict = Verdict(row.median, SECONDS, at_most=True)
    return [
        Row("start", row.subject, cpu, "s", memory=memory, verdict=verdict),
        Row("start", "wall time until both ports are open", wall, "s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="capability files")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder), Path(folder))
        print(table(rows(stage, options.paths or FILES, options.runs)))


if __name__ == "__main__":
    main()
