"""What the environment says of telemetry: the variables that OpenTelemetry defines.

They stand where a file is silent ("OpenTelemetry Environment Variable Specification").
"""

from __future__ import annotations

from collections.abc import Mapping

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.telemetry.context import Propagation


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """None where the environment is silent. `endpoint` is where traces are sent."""

    endpoint: str | None = None
    sampling: float | None = None
    propagation: Propagation | None = None


def read_environment(variables: Mapping[str, str]) -> EnvironmentSettings:
    """OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER with
    its argument, and OTEL_PROPAGATORS; OTEL_SDK_DISABLED turns all of them off."""
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return EnvironmentSettings()
    endpoint = variables.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or variables.get(
        "OTEL_EXPORTER_OTLP_ENDPOINT"
    )
    return EnvironmentSettings(endpoint or None, _sampling(variables), _propagation(variables))


def _sampling(variables: Mapping[str, str]) -> float | None:
    sampler = variables.get("OTEL_TRACES_SAMPLER", "").strip().lower().removeprefix("parentbased_")
    if sampler != "traceidratio":
        return {"always_on": 1.0, "always_off": 0.0}.get(sampler)
    try:
        share = float(variables.get("OTEL_TRACES_SAMPLER_ARG") or "1")
    except ValueError:
        return 1.0
    return share if 0 <= share <= 1 else 1.0


def _propagation(variables: Mapping[str, str]) -> Propagation | None:
    names = [name.strip().lower() for name in variables.get("OTEL_PROPAGATORS", "").split(",")]
    if "tracecontext" in names:
        return Propagation.W3C
    return Propagation.B3 if "b3" in names else None
