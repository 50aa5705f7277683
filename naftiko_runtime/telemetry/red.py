"""Rate, errors and durations: the metrics that are made of ended spans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from naftiko_runtime.telemetry.metrics import Counter, Gauge, Histogram, Metric, write_metrics
from naftiko_runtime.telemetry.spans import Span, SpanKind

_REQUEST: Final = ("adapter", "capability", "operation")
_STEP: Final = ("operation", "step", "type")
_CLIENT: Final = ("namespace", "method")


class CallMetrics:
    """The metrics of one process, from its start on. Labels are what files declare and the
    protocols know, so that callers cannot make up new ones."""

    def __init__(self) -> None:
        self._requests = Counter(
            "naftiko.request.total",
            "Requests that callers made, by how they ended.",
            (*_REQUEST, "status"),
        )
        self._errors = Counter(
            "naftiko.request.errors", "Requests that ended in an error.", (*_REQUEST, "error")
        )
        self._durations = Histogram(
            "naftiko.request.duration.seconds", "How long requests took.", _REQUEST
        )
        self._steps = Histogram(
            "naftiko.step.duration.seconds", "How long the steps of operations took.", _STEP
        )
        self._calls = Counter(
            "naftiko.http.client.total", "Requests to upstreams.", (*_CLIENT, "status")
        )
        self._call_durations = Histogram(
            "naftiko.http.client.duration.seconds", "How long upstreams took.", _CLIENT
        )
        self._active = Gauge(
            "naftiko.capability.active", "Capabilities that are being served.", ("capability",)
        )

    def note(self, span: Span) -> None:
        if span.is_root:
            self._note_request(span)
        elif span.kind is SpanKind.CLIENT:
            self._note_call(span)
        elif span.name.startswith("step."):
            self._note_step(span)

    def serves(self, capabilities: Iterable[str]) -> None:
        """Says which capabilities are being served now, by label."""
        self._active.set_all({(label,): 1 for label in capabilities})

    def written(self) -> str:
        """Everything in the format of Prometheus."""
        metrics: tuple[Metric, ...] = (
            self._requests,
            self._errors,
            self._durations,
            self._steps,
            self._calls,
            self._call_durations,
            self._active,
        )
        return write_metrics(metrics)

    def _note_request(self, span: Span) -> None:
        labels = (
            _text(span, "naftiko.adapter.type"),
            _text(span, "naftiko.capability"),
            _text(span, "naftiko.operation.id") or _text(span, "mcp.method.name"),
        )
        status = _text(span, "http.response.status_code") or ("error" if span.error else "ok")
        self._requests.add(*labels, status)
        self._durations.observe(span.duration / 1e9, *labels)
        if span.error is not None:
            self._errors.add(*labels, span.error)

    def _note_step(self, span: Span) -> None:
        operation, step = _text(span, "naftiko.operation.id"), _text(span, "naftiko.step.name")
        kind = span.name.removeprefix("step.")
        self._steps.observe(span.duration / 1e9, operation, step, kind)

    def _note_call(self, span: Span) -> None:
        labels = (_text(span, "naftiko.namespace"), _text(span, "http.request.method"))
        status = _text(span, "http.response.status_code") or span.error or "none"
        self._calls.add(*labels, status)
        self._call_durations.observe(span.duration / 1e9, *labels)


def _text(span: Span, attribute: str) -> str:
    value = span.attributes.get(attribute)
    return "" if value is None else str(value)
