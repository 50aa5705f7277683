"""What OpenTelemetry's environment variables say."""

from __future__ import annotations

import pytest

from naftiko_runtime.telemetry.context import Propagation
from naftiko_runtime.telemetry.environment import EnvironmentSettings, read_environment

URL = "http://localhost:4318"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, EnvironmentSettings()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": URL}, EnvironmentSettings(endpoint=URL)),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, EnvironmentSettings()),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://elsewhere",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": URL,
            },
            EnvironmentSettings(endpoint=URL),
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": URL, "OTEL_SDK_DISABLED": "TRUE"},
            EnvironmentSettings(),
        ),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, EnvironmentSettings(sampling=0.0)),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_on"}, EnvironmentSettings(sampling=1.0)),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
            EnvironmentSettings(sampling=0.25),
        ),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, EnvironmentSettings(sampling=1.0)),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "much"},
            EnvironmentSettings(sampling=1.0),
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "7"},
            EnvironmentSettings(sampling=1.0),
        ),
        ({"OTEL_TRACES_SAMPLER": "mine"}, EnvironmentSettings()),
        ({"OTEL_PROPAGATORS": "b3"}, EnvironmentSettings(propagation=Propagation.B3)),
        (
            {"OTEL_PROPAGATORS": "b3,tracecontext,baggage"},
            EnvironmentSettings(propagation=Propagation.W3C),
        ),
        ({"OTEL_PROPAGATORS": "none"}, EnvironmentSettings()),
    ],
)
def test_the_environment_says_what_files_leave_open(
    variables: dict[str, str], expected: EnvironmentSettings
) -> None:
    assert read_environment(variables) == expected
