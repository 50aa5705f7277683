"""/metrics for Prometheus, and /traces: the last requests and what they consisted of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from naftiko_runtime.exposes.endpoints import Handler, Request, content_reply, json_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.telemetry.buffer import FinishedTrace
from naftiko_runtime.telemetry.metrics import CONTENT_TYPE
from naftiko_runtime.telemetry.recorder import Recorder, Telemetry
from naftiko_runtime.telemetry.spans import Span

_STATUSES: Final = ("OK", "ERROR")


def show_metrics(telemetry: Telemetry) -> Handler:
    async def answer(request: Request) -> Reply:
        text = _recorder(telemetry).metrics.written()
        return content_reply(text.encode(), CONTENT_TYPE.encode())

    return answer


def list_traces(telemetry: Telemetry) -> Handler:
    """The newest first. `operation` and `status` (OK or ERROR) choose some of them."""

    async def answer(request: Request) -> Reply:
        traces = _recorder(telemetry).traces
        wanted = _wanted(request.query)
        shown = [_summary(trace) for trace in traces.latest() if _is_wanted(trace, wanted)]
        return json_reply(
            {"traces": [*shown], "bufferSize": traces.size, "bufferUsed": len(traces)}
        )

    return answer


def show_trace(telemetry: Telemetry) -> Handler:
    async def answer(request: Request) -> Reply:
        trace_id = request.segments[1]
        found = _recorder(telemetry).traces.find(trace_id.lower())
        if not found:
            detail = f'no trace "{trace_id[:64]}" is kept - "/traces" lists those that are'
            raise fail(FailureKind.UNKNOWN_PATH, detail)
        spans = sorted((span for trace in found for span in trace.spans), key=lambda s: s.started)
        return json_reply(
            {"traceId": found[0].trace_id, "spans": [_describe(span) for span in spans]}
        )

    return answer


def _recorder(telemetry: Telemetry) -> Recorder:
    if telemetry.recorder is None:
        raise fail(FailureKind.UNKNOWN_PATH, "nothing is recorded: observability is turned off")
    return telemetry.recorder


def _wanted(query: bytes) -> Mapping[str, str]:
    given = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
    if "status" in given:
        given["status"] = given["status"].upper()
        if given["status"] not in _STATUSES:
            detail = 'the query parameter "status" is neither OK nor ERROR'
            raise fail(FailureKind.INVALID_INPUT, detail, field="status")
    return given


def _is_wanted(trace: FinishedTrace, wanted: Mapping[str, str]) -> bool:
    if "status" in wanted and wanted["status"] != _status(trace.root):
        return False
    return wanted.get("operation") in (None, trace.operation)


def _summary(trace: FinishedTrace) -> JsonValue:
    return {
        "traceId": trace.trace_id,
        "operation": trace.operation,
        "durationMs": _milliseconds(trace.root),
        "status": _status(trace.root),
        "spanCount": len(trace.spans),
        "timestamp": _moment(trace.root),
    }


def _describe(span: Span) -> JsonValue:
    attributes: dict[str, JsonValue] = {**span.attributes}
    if span.error is not None:
        attributes["error.type"] = span.error
    return {
        "spanId": span.context.span_id,
        "parentSpanId": span.parent,
        "name": span.name,
        "kind": span.kind.value,
        "timestamp": _moment(span),
        "durationMs": _milliseconds(span),
        "status": _status(span),
        "attributes": attributes,
    }


def _status(span: Span) -> str:
    return "OK" if span.error is None else "ERROR"


def _milliseconds(span: Span) -> float:
    return round(span.duration / 1e6, 3)


def _moment(span: Span) -> str:
    moment = datetime.fromtimestamp(span.started / 1e9, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
