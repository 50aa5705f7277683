"""What of a process's calls is recorded: as its files ask, and else its environment.

Recording is a matter of the process: traces lead through several files. The first control adapter
that has an `observability` section decides; what another one says differently is named.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import naftiko_runtime
from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan, ObservabilityPlan
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Consequence, Problem, Severity
from naftiko_runtime.serving.logs import log_event
from naftiko_runtime.telemetry.buffer import TraceBuffer
from naftiko_runtime.telemetry.context import Propagation
from naftiko_runtime.telemetry.environment import read_environment
from naftiko_runtime.telemetry.otlp import OtlpExporter, can_export, traces_url
from naftiko_runtime.telemetry.recorder import Recorder, Telemetry, TraceSettings
from naftiko_runtime.telemetry.red import CallMetrics

_CLOSE_SECONDS: Final = 3.0
"""How long the last spans may take to reach their collector when a process ends."""


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """What to record. `buffer` is how many traces are kept to be shown."""

    traces: TraceSettings
    buffer: int
    endpoint: Secret | None


def wanted_settings(
    plans: Iterable[CapabilityPlan], variables: Mapping[str, str]
) -> tuple[RecordingSettings | None, list[Problem]]:
    """What the files and the environment ask for, None if nothing; and what contradicts it."""
    asking = [
        (adapter, adapter.observability)
        for plan in plans
        for adapter in plan.control
        if adapter.observability is not None
    ]
    environment = read_environment(variables)
    if not asking and environment.endpoint is None:
        return None, []
    first = asking[0][1] if asking else ObservabilityPlan(metrics=False, traces=False)
    problems = [
        _contradiction(adapter, asking[0][0])
        for adapter, plan in asking
        if _core(plan) != _core(first)
    ]
    if not first.enabled:
        return None, problems
    endpoint = first.endpoint
    if endpoint is None and environment.endpoint is not None:
        endpoint = _usable(environment.endpoint)
    sampling = environment.sampling if first.sampling is None else first.sampling
    propagation = first.propagation or environment.propagation or Propagation.W3C
    settings = RecordingSettings(
        TraceSettings(1.0 if sampling is None else sampling, propagation),
        max((plan.buffer_size for _, plan in asking if plan.traces), default=0),
        endpoint,
    )
    return settings, problems


def _core(plan: ObservabilityPlan) -> tuple[object, ...]:
    """What holds for the process, and not for one control port."""
    return plan.enabled, plan.sampling, plan.propagation, plan.endpoint


def _contradiction(adapter: ControlAdapterPlan, first: ControlAdapterPlan) -> Problem:
    return Problem(
        "observability-conflict",
        adapter.place,
        (),
        f"its observability differs from that of the control adapter at {first.place}, which "
        "holds for the whole process",
        "say the same in both, or leave one out",
        Severity.WARNING,
        Consequence.NOTHING,
    )


def _usable(endpoint: str) -> Secret | None:
    """The collector that the environment names, if spans can be sent there."""
    try:
        traces_url(endpoint)
    except ValueError as error:
        reason = f"{error} - give the base URL of the collector, such as http://localhost:4318"
    else:
        if can_export():
            return Secret(endpoint.strip())
        reason = "the libraries of OpenTelemetry are missing - pip install naftiko-runtime[otel]"
    message = f"no traces are sent to OTEL_EXPORTER_OTLP_ENDPOINT: {reason}"
    log_event(logging.WARNING, "otlp-endpoint", message)
    return None


class Observability:
    """Owns the recorder of a process and the connection to its collector; `telemetry` is what
    everything else holds. Ends with `close`."""

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self._settings: RecordingSettings | None = None
        self._exporter: OtlpExporter | None = None

    async def adopt(
        self, plans: Sequence[CapabilityPlan], variables: Mapping[str, str]
    ) -> list[Problem]:
        """Records as these files ask from now on; calls in flight end as they began."""
        wanted, problems = wanted_settings(plans, variables)
        if wanted != self._settings:
            await self._change(wanted)
            self._settings = wanted
        if self.telemetry.recorder is not None:
            labels = (plan.label or plan.file for plan in plans)
            self.telemetry.recorder.metrics.serves(labels)
        return problems

    async def _change(self, wanted: RecordingSettings | None) -> None:
        before, old_exporter = self._settings, self._exporter
        endpoint = wanted.endpoint if wanted is not None else None
        if endpoint != (before.endpoint if before is not None else None):
            self._exporter = None
            if endpoint is not None:
                text, resource = endpoint.reveal(), _resource()
                self._exporter = await asyncio.to_thread(OtlpExporter, text, resource)
        if wanted is None:
            self.telemetry.recorder = None
        else:
            self.telemetry.recorder = self._recorder(wanted)
        if old_exporter is not None and old_exporter is not self._exporter:
            await asyncio.to_thread(old_exporter.close, _CLOSE_SECONDS)

    def _recorder(self, wanted: RecordingSettings) -> Recorder:
        """A recorder that goes on with what the one before has counted and kept."""
        before = self.telemetry.recorder
        metrics = before.metrics if before is not None else CallMetrics()
        traces = before.traces if before is not None else TraceBuffer(wanted.buffer)
        if traces.size != wanted.buffer:
            traces = traces.resized(wanted.buffer)
        export = None if self._exporter is None else self._exporter.export
        return Recorder(wanted.traces, metrics, traces, export)

    async def close(self) -> None:
        """Sends the last spans; gives up after a few seconds."""
        self.telemetry.recorder = None
        exporter, self._exporter = self._exporter, None
        if exporter is not None:
            await asyncio.to_thread(exporter.close, _CLOSE_SECONDS)


def _resource() -> dict[str, str]:
    return {
        "service.name": "naftiko-runtime",
        "service.version": naftiko_runtime.__version__,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
