"""Begins traces, and keeps or sends on what they end in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeAlias

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.telemetry.buffer import FinishedTrace, TraceBuffer
from naftiko_runtime.telemetry.context import Propagation, SpanContext
from naftiko_runtime.telemetry.red import CallMetrics
from naftiko_runtime.telemetry.spans import (
    Attribute,
    Span,
    SpanKind,
    Trace,
    new_span_id,
    new_trace_id,
)

Export: TypeAlias = Callable[[FinishedTrace], None]

_IDS: Final = 1 << 64
_log = logging.getLogger("naftiko.telemetry")


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """ObservabilityTracesSpec: the share of requests that is sampled, from 0 to 1, and the
    format of the headers that upstreams get."""

    sampling: float = 1.0
    propagation: Propagation = Propagation.W3C


class Recorder:
    """What calls are recorded with. Made again, over the same metrics and buffer, when the
    settings change: a call ends on the one that it began with."""

    def __init__(
        self,
        settings: TraceSettings,
        metrics: CallMetrics,
        traces: TraceBuffer,
        export: Export | None = None,
    ) -> None:
        self.metrics = metrics
        self.traces = traces
        self.propagation = settings.propagation
        self._bound = round(settings.sampling * _IDS)
        self._export = export

    def start(
        self, name: str, caller: SpanContext | None, attributes: dict[str, Attribute]
    ) -> Span:
        """The root of a request's spans. `caller` is the span that the request names as its
        parent: whether that one is sampled decides here, too, so that traces are whole."""
        span_id, trace = new_span_id(), Trace(self, self.propagation)
        if caller is None:
            trace_id = new_trace_id()
            sampled = int(trace_id[16:], 16) < self._bound
            context = SpanContext(trace_id, span_id, sampled)
        else:
            context = SpanContext(caller.trace_id, span_id, caller.sampled, caller.state)
        parent = caller.span_id if caller is not None else None
        return Span(name, SpanKind.SERVER, context, parent, trace, attributes, is_root=True)

    def span_ended(self, span: Span) -> None:
        self.metrics.note(span)

    def trace_ended(self, root: Span, others: tuple[Span, ...]) -> None:
        finished = FinishedTrace(root, others)
        self.traces.keep(finished)
        if self._export is None:
            return
        try:
            self._export(finished)
        except Exception:  # a call must not fail because it cannot be told of
            _log.exception("a trace could not be exported")


class Telemetry:
    """Whether calls are recorded, and with what. One per process, held by everything that
    begins a trace; only its owner sets `recorder`, which is None while nobody has asked for
    traces or metrics."""

    __slots__ = ("recorder",)

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
