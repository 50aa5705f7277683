"""Measures the runtime against its peers and prints one table of all cases and their targets.

`python -m benchmarks [CASE...]` starts everything on the loopback interface, takes the candidates
in turn, several times, so that drift hits all alike. It needs wrk and nginx from the system's
packages, and npm and pip for the peers. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.candidates import Stage
from benchmarks.effort import QUICK, USUAL, Effort
from benchmarks.plan import Measurement, all_measurements
from benchmarks.requirements import missing
from benchmarks.results import keep
from benchmarks.rows import Row, missed, table

CACHE = Path(__file__).parent / ".cache"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", help="names of cases, or their beginnings")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--seconds", type=float, help=f"of each run (default: {USUAL.seconds:g})")
    parser.add_argument("--repeats", type=int, help=f"runs of each (default: {USUAL.repeats})")
    parser.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    parser.add_argument("--corpus", type=Path, help="a folder of published files to load as well")
    parser.add_argument("--files", type=Path, nargs="+", default=[], help="files to start with")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


def _effort(options: argparse.Namespace) -> Effort:
    usual = QUICK if options.quick else USUAL
    seconds, repeats = options.seconds or usual.seconds, options.repeats or usual.repeats
    return Effort(seconds, repeats, frozenset(options.without))


def main() -> int:
    options = _parser().parse_args()
    every = all_measurements(options.corpus, options.files)
    wanted = [each for each in every if _is_wanted(each, options.cases)]
    if options.list:
        print("\n".join(each.name for each in wanted))
        return 0
    effort = _effort(options)
    absent = missing(without=effort.without)
    if absent:
        print("\n".join(absent), file=sys.stderr)
        return 2
    rows = _measure(wanted, effort)
    print("\n" + table(rows))
    complete = len(wanted) == len(every) and not options.without
    kept = keep(rows, options.json, complete=complete)
    if kept is not None:
        print(f"\nthe figures are in {kept}")
    if missed(rows):
        print(f"\ntargets missed: {', '.join(missed(rows))}", file=sys.stderr)
    return 1 if missed(rows) else 0


def _is_wanted(measurement: Measurement, names: list[str]) -> bool:
    return not names or any(measurement.name.startswith(name) for name in names)


def _measure(wanted: list[Measurement], effort: Effort) -> list[Row]:
    """All rows; what is known already is printed as it comes."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="naftiko-benchmarks-") as folder:
        stage = Stage(Path(folder), CACHE)
        try:
            stage.open()
            for measurement in wanted:
                found = measurement.measure(stage, effort)
                print(table(found), file=sys.stderr, flush=True)
                rows += found
        finally:
            stage.stop()
    return rows


if __name__ == "__main__":
    sys.exit(main())
