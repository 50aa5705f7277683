"""What the toggles of control adapters mean, and where traces are sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.exposes.control.paths import paths_of
from naftiko_runtime.plan import control
from naftiko_runtime.plan.adapters import ControlAdapterPlan
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.problems import Consequence, Severity
from naftiko_runtime.telemetry.context import Propagation
from tests.exposes.skill.skill_files import capability_text

HEALTH = {("health", "live"), ("health", "ready")}


def load(
    section: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    **root: Any,
) -> LoadedFile:
    text = capability_text({"type": "control", "port": 9100, **(section or {})}, **root)
    return load_file(Path("ships.yaml"), variables or {}, {}, text.encode())


def planned(section: Mapping[str, Any] | None = None) -> ControlAdapterPlan:
    loaded = load(section)
    assert loaded.plan is not None
    assert loaded.problems == ()
    (plan,) = loaded.plan.control
    return plan


@pytest.mark.parametrize(
    ("management", "more"),
    [
        ({}, set()),
        ({"info": True}, {("status",), ("config",)}),
        ({"reload": True}, {("config", "reload")}),
        ({"validate": True}, {("config", "validate")}),
        ({"logs": True}, {("logs",), ("logs", "*"), ("logs", "stream")}),
        ({"logs": False}, set()),
        ({"logs": {}}, {("logs",), ("logs", "*")}),
        ({"logs": {"level-control": False}}, set()),
        ({"logs": {"level-control": False, "stream": True}}, {("logs", "stream")}),
        ({"scripting": {}}, {("scripting",)}),
    ],
)
def test_each_endpoint_is_behind_its_toggle(
    management: dict[str, Any], more: set[tuple[str, ...]]
) -> None:
    assert paths_of(planned({"management": management})) == HEALTH | more


def test_health_can_be_turned_off() -> None:
    assert paths_of(planned({"management": {"health": False}})) == set()


@pytest.mark.parametrize(
    ("observability", "paths"),
    [
        ({}, {("metrics",), ("traces",), ("traces", "*")}),
        ({"enabled": False}, set()),
        ({"metrics": {"local": {"enabled": False}}}, {("traces",), ("traces", "*")}),
        ({"traces": {"local": {"enabled": False}}}, {("metrics",)}),
    ],
)
def test_metrics_and_traces_are_shown_where_the_file_asks_for_observability(
    observability: dict[str, Any], paths: set[tuple[str, ...]]
) -> None:
    assert paths_of(planned({"observability": observability})) == HEALTH | paths


def test_what_a_file_leaves_open_has_the_schemas_defaults() -> None:
    plan = planned({"observability": {}, "management": {"logs": True, "scripting": {"timeout": 5}}})
    assert plan.observability is not None
    assert plan.observability.buffer_size == 100
    assert (plan.observability.sampling, plan.observability.propagation) == (None, None)
    assert plan.management.logs is not None
    assert plan.management.logs.subscribers == 5
    assert plan.management.scripting == {"enabled": True, "timeout": 5, "statementLimit": 100000}


def test_traces_are_sampled_propagated_and_kept_as_the_file_says() -> None:
    traces = {"sampling": 0.25, "propagation": "b3", "local": {"buffer-size": 10}}
    plan = planned({"observability": {"traces": traces}})
    assert plan.observability is not None
    assert plan.observability.sampling == 0.25
    assert plan.observability.propagation is Propagation.B3
    assert plan.observability.buffer_size == 10


def exporting(endpoint: str) -> dict[str, Any]:
    return {"observability": {"exporters": {"otlp": {"endpoint": endpoint}}}}


BINDS = [{"namespace": "env", "keys": {"COLLECTOR": "COLLECTOR"}}]


def test_variables_fill_the_collectors_endpoint_in() -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    section = exporting("http://{{COLLECTOR}}:4318")
    loaded = load(section, {"COLLECTOR": "otel.example.com"}, binds=BINDS)
    assert loaded.plan is not None
    assert loaded.problems == ()
    observed = loaded.plan.control[0].observability
    assert observed is not None
    assert observed.endpoint is not None
    assert observed.endpoint.reveal() == "http://otel.example.com:4318"
    assert "otel.example.com" not in repr(loaded.plan)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://{{COLLECTOR}}:4318", '"COLLECTOR", which is not set'),
        ("http://{{rest.host}}:4318", '"rest.host", which is not set'),
        ("otel:4317", "it is no http:// or https:// URL"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_named_and_the_port_served(
    endpoint: str, said: str
) -> None:
    loaded = load(exporting(endpoint), binds=BINDS)
    assert loaded.plan is not None
    assert loaded.plan.control[0].observability is not None
    (problem,) = [each for each in loaded.problems if each.rule == "otlp-endpoint"]
    assert said in problem.message
    assert problem.consequence is Consequence.NOTHING
    assert problem.path[-1] == "endpoint"


def test_the_port_of_another_protocol_is_warned_of() -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    loaded = load(exporting("http://localhost:4317"))
    (problem,) = loaded.problems
    assert (problem.severity, problem.remedy) == (Severity.WARNING, "try port 4318")
    assert loaded.plan is not None
    observed = loaded.plan.control[0].observability
    assert observed is not None
    assert observed.endpoint is not None


def test_without_the_extra_the_remedy_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(control, "can_export", lambda: False)
    (problem,) = load(exporting("http://localhost:4318")).problems
    assert problem.remedy == "pip install naftiko-runtime[otel]"


def test_a_control_adapter_whose_authentication_cannot_be_asked_is_not_served() -> None:
    section = {"authentication": {"type": "bearer", "token": "{{COLLECTOR}}"}}
    loaded = load(section, binds=BINDS)
    assert loaded.plan is not None
    assert loaded.plan.control == ()
    assert [each.type for each in loaded.plan.unserved] == ["control"]
