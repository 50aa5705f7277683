"""Measures the runtime against its peers and prints one table.

`python -m benchmarks [CASE...]` starts everything on the loopback interface, takes the candidates
in turn, several times, so that drift hits all alike, and prints medians, spread and ratios. It
needs wrk and nginx from the system's packages, and npm and pip for the peers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.candidates import Stage
from benchmarks.cases import CASES, Case
from benchmarks.report import Result, as_json, table
from benchmarks.wrk import Figures, check, run_wrk

CACHE = Path(__file__).parent / ".cache"


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(case.name for case in CASES)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"names or their beginnings: {names}")
    parser.add_argument("--seconds", type=float, default=4, help="of each run (default: 4)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser


def main() -> int:
    options = _parser().parse_args()
    wanted = [
        case
        for case in CASES
        if not options.cases or any(case.name.startswith(name) for name in options.cases)
    ]
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="naftiko-benchmarks-") as folder:
        stage = Stage(Path(folder), CACHE)
        try:
            stage.open()
            for case in wanted:
                results.append(_measure(case, stage, options))
                print(table(results[-1:]), flush=True)
        finally:
            stage.stop()
    print("\n" + table(results))
    if options.json:
        options.json.write_text(json.dumps(as_json(results), indent=1) + "\n")
    missed = [r.case.name for r in results for peer in r.case.targets if not _met(r, peer)]
    if missed:
        print(f"\ntargets missed: {', '.join(dict.fromkeys(missed))}", file=sys.stderr)
    return 1 if missed else 0


def _met(result: Result, peer: str) -> bool:
    return peer not in result.runs or result.is_met(peer)


def _measure(case: Case, stage: Stage, options: argparse.Namespace) -> Result:
    """The candidates in turn, `repeats` times, after one short run of each to warm up."""
    names = [n for n in case.candidates if n.partition(":")[0] not in options.without]
    ports = {name: stage.port(name) for name in names}
    for name in names:
        check(ports[name], case.candidates[name], case.expected)
    runs: dict[str, list[Figures]] = {name: [] for name in names}
    for repeat in range(options.repeats + 1):
        for name in names:
            seconds = options.seconds if repeat else 1
            request = case.candidates[name]
            figures = run_wrk(ports[name], request, case.connections, seconds, stage.folder)
            if repeat:
                runs[name].append(figures)
    return Result(case, runs)


if __name__ == "__main__":
    sys.exit(main())
