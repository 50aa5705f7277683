"""What a process records: its files first, then its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.plan.load import load_file
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.serving.observability import Observability, wanted_settings
from naftiko_runtime.telemetry.context import Propagation
from tests.exposes.skill.skill_files import capability_text


def plan(*observed: Mapping[str, Any] | None) -> CapabilityPlan:
    """A file with a control adapter for each: with that observability, or none."""
    adapters = [
        {"type": "control", "port": 9100 + index}
        | ({} if section is None else {"observability": section})
        for index, section in enumerate(observed)
    ]
    loaded = load_file(Path("a.yaml"), {}, {}, capability_text(*adapters).encode())
    assert loaded.plan is not None
    return loaded.plan


def test_nothing_is_recorded_that_nobody_asks_for() -> None:
    assert wanted_settings([], {}) == (None, [])
    assert wanted_settings([plan(None)], {"OTEL_TRACES_SAMPLER": "always_on"}) == (None, [])


def test_a_file_is_nearer_than_the_environment() -> None:
    variables = {"OTEL_TRACES_SAMPLER": "always_off", "OTEL_PROPAGATORS": "b3"}
    section = {"traces": {"sampling": 0.5, "propagation": "w3c"}}
    said, _ = wanted_settings([plan(section)], variables)
    silent, _ = wanted_settings([plan({})], variables)
    assert said is not None
    assert (said.traces.sampling, said.traces.propagation) == (0.5, Propagation.W3C)
    assert silent is not None
    assert (silent.traces.sampling, silent.traces.propagation) == (0.0, Propagation.B3)


def test_a_sampling_of_nothing_is_not_taken_for_silence() -> None:
    found, _ = wanted_settings([plan({"traces": {"sampling": 0}})], {})
    assert found is not None
    assert found.traces.sampling == 0.0


def test_a_file_can_turn_off_what_the_environment_turns_on() -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    assert wanted_settings([plan({"enabled": False})], variables)[0] is None


def test_as_many_traces_are_kept_as_the_control_port_that_shows_most() -> None:
    def local(size: int, *, shown: bool = True) -> dict[str, Any]:
        return {"traces": {"local": {"buffer-size": size, "enabled": shown}}}

    found, problems = wanted_settings([plan(local(10), local(30), local(90, shown=False))], {})
    assert found is not None
    assert found.buffer == 30
    assert problems == []


@pytest.mark.parametrize(
    "other",
    [
        {"enabled": False},
        {"traces": {"sampling": 0.5}},
        {"traces": {"propagation": "b3"}},
    ],
)
def test_the_first_file_decides_and_another_one_is_named(other: dict[str, Any]) -> None:
    found, problems = wanted_settings([plan({}), plan(None, other)], {})
    assert found == wanted_settings([plan({})], {})[0]
    (problem,) = problems
    assert problem.rule == "observability-conflict"


@pytest.mark.anyio
async def test_a_change_goes_on_with_what_was_counted_and_kept() -> None:
    observability = Observability()
    telemetry = observability.telemetry
    assert telemetry.recorder is None
    await observability.adopt([plan({})], {})
    first = telemetry.recorder
    assert first is not None
    await observability.adopt([plan({})], {})
    assert telemetry.recorder is first
    with first.start("rest.request", None, {}):
        await observability.adopt([plan({"traces": {"local": {"buffer-size": 10}}})], {})
    second = telemetry.recorder
    assert second is not None
    assert (second.metrics, second.traces.size) == (first.metrics, 10)
    await observability.adopt([plan(None)], {})
    assert telemetry.recorder is None
    await observability.close()
