"""All measurements, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks import (
    half_capacity,
    jsonpath,
    load,
    loading,
    memory,
    reloading,
    scaling,
    startup,
)
from benchmarks.candidates import Stage
from benchmarks.cases import CASES, TWO_WORKERS
from benchmarks.effort import Effort
from benchmarks.rows import Row

Measure: TypeAlias = Callable[[Stage, Effort], list[Row]]


@dataclass(frozen=True, slots=True)
class Measurement:
    name: str
    measure: Measure


def all_measurements(corpus: Path | None, files: list[Path]) -> list[Measurement]:
    """With a folder of published files, also what is measured of those. `files` are started with,
    or else three of the project's own."""
    found = [Measurement(case.name, partial(load.measure, case)) for case in CASES]
    found += [Measurement(case.name, partial(scaling.measure, case)) for case in TWO_WORKERS]
    found += [
        Measurement(case.name, partial(half_capacity.measure, case)) for case in half_capacity.CASES
    ]
    found += [
        Measurement("jsonpath", jsonpath.measure),
        Measurement("start", partial(startup.measure, files)),
        Measurement("loading", loading.measure),
    ]
    if corpus is not None:
        found.append(Measurement("loading-published-files", _of(loading.measure_corpus, corpus)))
    found += [
        Measurement("reload-1-of-1000", reloading.measure),
        Measurement("memory-100-tools", memory.measure_tools),
        Measurement("memory-200000-calls", memory.measure_growth),
    ]
    if corpus is not None:
        found.append(Measurement("memory-published-files", _of(memory.measure_corpus, corpus)))
    return found


def _of(measure: Callable[[Stage, Path], list[Row]], corpus: Path) -> Measure:
    return lambda stage, effort: measure(stage, corpus)
