"""A recorder whose traces a test can look at."""

from __future__ import annotations

from naftiko_runtime.telemetry.buffer import FinishedTrace, TraceBuffer
from naftiko_runtime.telemetry.recorder import Recorder, TraceSettings
from naftiko_runtime.telemetry.red import CallMetrics


def recorder(settings: TraceSettings | None = None, size: int = 100) -> Recorder:
    return Recorder(settings or TraceSettings(), CallMetrics(), TraceBuffer(size))


def only_trace(recorded: Recorder) -> FinishedTrace:
    (trace,) = recorded.traces.latest()
    return trace
