"""Metrics as Prometheus reads them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.telemetry.metrics import SECONDS, Counter, Gauge, Histogram, write_metrics

_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*)\})? (\S+)')
_LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\.)*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Name and labels of each sample, with its value (text format 0.0.4)."""
    found = {}
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line)
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        labels = tuple(
            (name, re.sub(r'\\[\\"n]', lambda escape: _ESCAPES[escape.group()], value))
            for name, value in _LABEL.findall(match[2] or "")
        )
        assert (match[1], labels) not in found, line
        found[match[1], labels] = float(match[3])
    return found


@given(st.dictionaries(st.text(max_size=20), st.integers(1, 50), max_size=10))
def test_counts_come_back_under_any_label(counts: dict[str, int]) -> None:
    counter = Counter("naftiko.things", "Things.", ("name",))
    for label, count in counts.items():
        for _ in range(count):
            counter.add(label)
    expected = {
        ("naftiko_things_total", (("name", label),)): count for label, count in counts.items()
    }
    assert samples(write_metrics([counter])) == expected


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_a_histogram_counts_every_duration_once_and_cumulates(durations: list[float]) -> None:
    histogram = Histogram("naftiko.step.duration.seconds", "Durations.", ("step",))
    for seconds in durations:
        histogram.observe(seconds, "a")
    found = samples(write_metrics([histogram]))
    if not durations:
        assert found == {}
        return
    name = "naftiko_step_duration_seconds"
    for bound in SECONDS:
        at_most = sum(seconds <= bound for seconds in durations)
        assert found[f"{name}_bucket", (("step", "a"), ("le", str(bound)))] == at_most
    assert found[f"{name}_bucket", (("step", "a"), ("le", "+Inf"))] == len(durations)
    assert found[f"{name}_count", (("step", "a"),)] == len(durations)
    assert abs(found[f"{name}_sum", (("step", "a"),)] - sum(durations)) < 1e-6


def test_a_gauge_forgets_what_is_gone() -> None:
    gauge = Gauge("naftiko.capability.active", "Served.", ("capability",))
    gauge.set_all({("a",): 1, ("b",): 1})
    gauge.set_all({("b",): 1})
    assert samples(write_metrics([gauge])) == {
        ("naftiko_capability_active", (("capability", "b"),)): 1
    }


def test_each_metric_says_its_type() -> None:
    text = write_metrics([Counter("naftiko.request.total", "Requests.", ())])
    assert text == "# HELP naftiko_request_total Requests.\n# TYPE naftiko_request_total counter\n"
