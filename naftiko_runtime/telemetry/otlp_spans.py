"""Spans as OpenTelemetry's SDK has them. Imports the SDK: for `otlp` alone, when it is used."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext as SdkContext
from opentelemetry.trace import SpanKind as SdkKind
from opentelemetry.trace import Status, StatusCode, TraceFlags, TraceState

from naftiko_runtime.telemetry.spans import Span

_SERVICE = "service.name"


class SpanConverter:
    """`resource` goes with every span, as far as the environment says nothing else."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        found = Resource.create()
        named = not str(found.attributes[_SERVICE]).startswith("unknown_service")
        added = {
            key: value
            for key, value in resource.items()
            if key not in found.attributes or (key == _SERVICE and not named)
        }
        self._resource = found.merge(Resource(added))
        self._scope = InstrumentationScope("naftiko-runtime")

    def convert(self, span: Span) -> ReadableSpan:
        attributes = dict(span.attributes)
        if span.error is not None:
            attributes["error.type"] = span.error
        return ReadableSpan(
            name=span.name,
            context=_context(span, span.context.span_id),
            parent=_context(span, span.parent, is_remote=span.is_root) if span.parent else None,
            resource=self._resource,
            attributes=attributes,
            kind=SdkKind[span.kind.name],
            status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR),
            start_time=span.started,
            end_time=span.started + span.duration,
            instrumentation_scope=self._scope,
        )


def _context(span: Span, span_id: str, *, is_remote: bool = False) -> SdkContext:
    context = span.context
    members = (member.partition("=") for member in context.state.split(",") if member)
    return SdkContext(
        trace_id=int(context.trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=is_remote,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if context.sampled else 0),
        trace_state=TraceState([(key, value) for key, _, value in members]),
    )
