"""Counters, gauges and histograms, and how Prometheus reads them.

Text format 0.0.4. Names are written as OpenTelemetry's are in Prometheus: dots become underscores.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels: TypeAlias = tuple[str, ...]
"""A value for each label name of a metric, in its order."""

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Bounds of durations, as OpenTelemetry's conventions for HTTP advise."""


class Counter:
    """A number of events per combination of labels. `name` is dotted, without a suffix."""

    kind = "counter"

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.help_text = help_text
        self._labels = labels
        self._values: dict[Labels, float] = {}

    def add(self, *labels: str, amount: float = 1) -> None:
        self._values[labels] = self._values.get(labels, 0) + amount

    def samples(self, name: str) -> Iterator[str]:
        for labels, value in sorted(self._values.items()):
            yield f"{name}{_written(self._labels, labels)} {_number(value)}"


class Gauge(Counter):
    """A state per combination of labels, set whole."""

    kind = "gauge"

    def set_all(self, values: dict[Labels, float]) -> None:
        self._values = dict(values)


class Histogram:
    """Durations in seconds per combination of labels."""

    kind = "histogram"

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.help_text = help_text
        self._labels = labels
        self._values: dict[Labels, _Distribution] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        found = self._values.get(labels)
        if found is None:
            found = self._values[labels] = _Distribution()
        found.add(seconds)

    def samples(self, name: str) -> Iterator[str]:
        for labels, found in sorted(self._values.items(), key=lambda entry: entry[0]):
            total = 0
            for bound, count in zip((*SECONDS, "+Inf"), found.counts, strict=True):
                total += count
                written = _written((*self._labels, "le"), (*labels, str(bound)))
                yield f"{name}_bucket{written} {total}"
            written = _written(self._labels, labels)
            yield f"{name}_sum{written} {_number(found.sum)}"
            yield f"{name}_count{written} {total}"


class _Distribution:
    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.sum += seconds


Metric: TypeAlias = Counter | Histogram


def write_metrics(metrics: Iterable[Metric]) -> str:
    """The metrics as Prometheus scrapes them."""
    lines: list[str] = []
    for metric in metrics:
        name = metric.name.replace(".", "_")
        if metric.kind == "counter" and not name.endswith("_total"):
            name += "_total"
        lines += [f"# HELP {name} {metric.help_text}", f"# TYPE {name} {metric.kind}"]
        lines += metric.samples(name)
    return "\n".join(lines) + "\n"


def _written(names: tuple[str, ...], values: Labels) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
