"""Compiles a control adapter: its toggles with their defaults, and where traces are sent."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.document.model import BindReference, ControlAdapter
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.adapters import (
    ControlAdapterPlan,
    LogsPlan,
    ManagementPlan,
    ObservabilityPlan,
)
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.variables import Variables
from naftiko_runtime.problems import Consequence, Problem, Severity
from naftiko_runtime.telemetry.context import Propagation
from naftiko_runtime.telemetry.otlp import can_export, traces_url

_GRPC_PORT = 4317
"""Where collectors speak OTLP over gRPC, as a rule; over HTTP it is 4318."""
_SUBSCRIBERS = 5
"""Default of ControlLogsEndpointSpec `max-subscribers`."""
_ENDPOINT = ("observability", "exporters", "otlp", "endpoint")


class _EndpointError(ValueError):
    """Why no traces are sent; never quotes what a variable gave."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


def compile_control(
    adapter: ControlAdapter, authentication: InboundPlan | None, variables: Variables
) -> tuple[ControlAdapterPlan, list[Problem]]:
    """The plan of a control adapter, which can always be served, and what is wrong with it."""
    problems: list[Problem] = []
    endpoint: Secret | None = None
    if adapter.otlp_endpoint is not None:
        try:
            endpoint = _compile_endpoint(adapter, variables)
            if urlsplit(endpoint.reveal()).port == _GRPC_PORT:
                message = f"traces are sent over HTTP, and port {_GRPC_PORT} is for gRPC as a rule"
                problems.append(_problem(adapter, message, "try port 4318", Severity.WARNING))
        except _EndpointError as error:
            problems.append(_problem(adapter, f"no traces are sent: {error}", error.remedy))
    plan = ControlAdapterPlan(
        adapter.port,
        adapter.address,
        adapter.place,
        _compile_management(adapter.management),
        _compile_observability(adapter.observability, endpoint),
        authentication,
    )
    return plan, problems


def _problem(
    adapter: ControlAdapter, message: str, remedy: str, severity: Severity = Severity.ERROR
) -> Problem:
    path = (*adapter.path, *_ENDPOINT)
    nothing = Consequence.NOTHING
    return Problem("otlp-endpoint", adapter.place, path, message, remedy, severity, nothing)


def _compile_management(section: Mapping[str, JsonValue]) -> ManagementPlan:
    return ManagementPlan(
        _flag(section, "health", default=True),
        _flag(section, "info", default=False),
        _flag(section, "reload", default=False),
        _flag(section, "validate", default=False),
        _compile_logs(section.get("logs")),
        _compile_scripting(section),
    )


def _compile_logs(value: JsonValue) -> LogsPlan | None:
    """`true` turns everything on; in an object the stream is off unless it says otherwise."""
    if isinstance(value, bool):
        return LogsPlan(True, _SUBSCRIBERS) if value else None
    if not isinstance(value, dict):
        return None
    most = value.get("max-subscribers", _SUBSCRIBERS)
    subscribers = most if isinstance(most, int) and _flag(value, "stream", default=False) else 0
    return LogsPlan(_flag(value, "level-control", default=True), subscribers)


def _compile_scripting(section: Mapping[str, JsonValue]) -> Mapping[str, JsonValue] | None:
    """ScriptingManagementSpec with its defaults."""
    if "scripting" not in section:
        return None
    given = _section(section, "scripting")
    return {"enabled": True, "timeout": 60_000, "statementLimit": 100_000, **given}


def _compile_observability(
    section: Mapping[str, JsonValue] | None, endpoint: Secret | None
) -> ObservabilityPlan | None:
    if section is None:
        return None
    enabled = _flag(section, "enabled", default=True)
    traces = _section(section, "traces")
    local = _section(traces, "local")
    metrics = _section(section, "metrics")
    size = local.get("buffer-size", 100)
    sampling = traces.get("sampling")
    propagation = traces.get("propagation")
    return ObservabilityPlan(
        enabled,
        enabled and _flag(_section(metrics, "local"), "enabled", default=True),
        enabled and _flag(local, "enabled", default=True),
        size if isinstance(size, int) else 100,
        None if sampling is None else float(str(sampling)),
        None if propagation is None else Propagation(str(propagation)),
        endpoint,
    )


def _compile_endpoint(adapter: ControlAdapter, variables: Variables) -> Secret:
    assert adapter.otlp_endpoint is not None
    texts: list[str] = []
    for part in adapter.otlp_endpoint.parts:
        if isinstance(part, str):
            texts.append(part)
            continue
        value = variables.find(part) if isinstance(part, BindReference) else None
        if not value:
            message = f'the endpoint needs the variable "{part.text}", which is not set'
            raise _EndpointError(message, "declare it under `binds` and set it")
        texts.append(value)
    text = "".join(texts)
    try:
        traces_url(text)
    except ValueError as error:
        remedy = "give the base URL of the collector, such as http://localhost:4318"
        raise _EndpointError(f"the endpoint is not usable: {error}", remedy) from None
    if not can_export():
        message = "the libraries of OpenTelemetry are not installed"
        raise _EndpointError(message, "pip install naftiko-runtime[otel]")
    return Secret(text.strip())


def _flag(section: Mapping[str, JsonValue], key: str, *, default: bool) -> bool:
    value = section.get(key)
    return value if isinstance(value, bool) else default


def _section(section: Mapping[str, JsonValue], key: str) -> Mapping[str, JsonValue]:
    value = section.get(key)
    return value if isinstance(value, dict) else {}
