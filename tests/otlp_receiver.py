"""A collector for tests: takes OTLP over HTTP and says which spans came.

with OtlpReceiver() as collector:
    ...                                     # something exports to collector.url
    spans = collector.wait_for_spans(2)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.recording_upstream import WAIT_SECONDS, RecordedRequest, RecordingUpstream, Reply


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as the wire had it, with what its sender says of itself. Ids in hexadecimal."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    state: str
    failed: bool
    nanoseconds: int
    attributes: dict[str, object]
    resource: dict[str, object]


class OtlpReceiver:
    """The collector. `posts` are the requests that came."""

    def __init__(self) -> None:
        self._server = RecordingUpstream()
        self._server.answers(self._take)
        self._arrived = threading.Condition()
        self.spans: list[ReceivedSpan] = []
        self.text = b""
        """All that came, to search for what must not have come."""

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def posts(self) -> list[RecordedRequest]:
        return self._server.requests

    def answers(self, reply: Reply) -> None:
        """Refuses what comes from now on."""
        self._server.answers(reply)

    def wait_for_spans(self, count: int) -> list[ReceivedSpan]:
        return self.wait_until(lambda spans: len(spans) >= count)

    def wait_until(self, condition: Callable[[list[ReceivedSpan]], bool]) -> list[ReceivedSpan]:
        with self._arrived:
            held = self._arrived.wait_for(lambda: condition(self.spans), WAIT_SECONDS)
            assert held, f"only these came: {[span.name for span in self.spans]}"
            return list(self.spans)

    def _take(self, request: RecordedRequest) -> Reply:
        message = ExportTraceServiceRequest.FromString(request.body)
        with self._arrived:
            self.text += request.body
            for group in message.resource_spans:
                resource = _values(group.resource.attributes)
                for scope in group.scope_spans:
                    self.spans += [_received(span, resource) for span in scope.spans]
            self._arrived.notify_all()
        return Reply(200, [("content-type", "application/x-protobuf")])

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.__exit__(None, None, None)


def _received(span: Span, resource: dict[str, object]) -> ReceivedSpan:
    return ReceivedSpan(
        span.name,
        Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.trace_state,
        span.status.code == span.status.STATUS_CODE_ERROR,
        span.end_time_unix_nano - span.start_time_unix_nano,
        _values(span.attributes),
        resource,
    )


def _values(pairs: object) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs if isinstance(pair, KeyValue)}  # type: ignore[attr-defined]


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)
