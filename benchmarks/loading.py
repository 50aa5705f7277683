"""CPU time for each of many files, from start until the ports are open."""

from __future__ import annotations

from pathlib import Path

from benchmarks.candidates import Stage
from benchmarks.effort import Effort
from benchmarks.published_style import write_files
from benchmarks.rows import Row, Verdict
from benchmarks.served_folder import served

COUNT = 1000
MILLISECONDS = 8.0


def measure(stage: Stage, effort: Effort) -> list[Row]:
    """1,000 files that were written for this, in the style of published ones."""
    many = write_files(stage.folder / "many", COUNT, stage.upstream)[0].parent
    one = write_files(stage.folder / "one", 1, stage.upstream)[0].parent
    return [_row(stage, f"{COUNT} files, each", many, one, COUNT - 1, min(2, effort.repeats))]


def measure_corpus(stage: Stage, corpus: Path) -> list[Row]:
    """A folder of published files."""
    one = write_files(stage.folder / "one", 1, stage.upstream)[0].parent
    count = sum(1 for path in corpus.rglob("*") if path.suffix in (".yaml", ".yml"))
    return [_row(stage, f"{count} published files, each", corpus, one, count - 1, 2)]


def _row(stage: Stage, subject: str, many: Path, one: Path, more: int, repeats: int) -> Row:
    values = [(_cpu(stage, many) - _cpu(stage, one)) / more * 1000 for _ in range(repeats)]
    row = Row("loading", subject, values, "ms CPU")
    verdict = Verdict(row.median, MILLISECONDS, at_most=True)
    return Row("loading", subject, values, "ms CPU", verdict=verdict)


def _cpu(stage: Stage, folder: Path) -> float:
    with served(stage, [folder], "--no-watch") as (running, _):
        return running.cpu_seconds()
