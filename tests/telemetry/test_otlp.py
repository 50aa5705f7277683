"""Spans sent to a real collector double over OTLP/HTTP."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is missing")

from naftiko_runtime.telemetry.buffer import TraceBuffer
from naftiko_runtime.telemetry.context import SpanContext
from naftiko_runtime.telemetry.otlp import OtlpExporter, shown_origin, traces_url
from naftiko_runtime.telemetry.recorder import Recorder, TraceSettings
from naftiko_runtime.telemetry.red import CallMetrics
from naftiko_runtime.telemetry.spans import Attribute, SpanKind
from tests.otlp_receiver import OtlpReceiver
from tests.recording_upstream import Reply

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as running:
        yield running


def exporting(exporter: OtlpExporter, sampling: float = 1.0) -> Recorder:
    return Recorder(TraceSettings(sampling), CallMetrics(), TraceBuffer(0), exporter.export)


def test_a_trace_arrives_whole_with_the_last_spans_of_a_process(collector: OtlpReceiver) -> None:
    exporter = OtlpExporter(collector.url, {"service.name": "naftiko-runtime"})
    recorder = exporting(exporter)
    attributes: dict[str, Attribute] = {
        "http.request.method": "GET",
        "http.response.status_code": 200,
    }
    caller = SpanContext(TRACE, SPAN, True, "a=1")
    with (
        recorder.start("rest.request", caller, attributes) as root,
        root.child("http.client.GET", {"naftiko.step.index": 1}, SpanKind.CLIENT) as call,
    ):
        call.error = "upstream-timeout"
    exporter.close(20)
    spans = {span.name: span for span in collector.wait_for_spans(2)}
    server, client = spans["rest.request"], spans["http.client.GET"]
    assert (server.kind, client.kind) == ("SERVER", "CLIENT")
    assert server.trace_id == client.trace_id == TRACE
    assert server.parent_id == SPAN
    assert client.parent_id == server.span_id
    assert server.state == "a=1"
    assert server.attributes == attributes
    assert client.attributes == {"naftiko.step.index": 1, "error.type": "upstream-timeout"}
    assert (server.failed, client.failed) == (False, True)
    assert server.nanoseconds >= client.nanoseconds > 0
    assert server.resource["service.name"] == "naftiko-runtime"
    (post,) = collector.posts
    assert (post.method, post.target) == ("POST", "/v1/traces")
    assert post.header("content-type") == "application/x-protobuf"


def test_what_is_not_sampled_is_not_sent(collector: OtlpReceiver) -> None:
    exporter = OtlpExporter(collector.url, {})
    with exporting(exporter, 0.0).start("unseen", None, {}):
        pass
    with exporting(exporter).start("seen", None, {}):
        pass
    exporter.close(20)
    assert [span.name for span in collector.wait_for_spans(1)] == ["seen"]


def test_the_environment_names_the_service(
    collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "orders")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
    exporter = OtlpExporter(
        collector.url, {"service.name": "naftiko-runtime", "service.version": "1"}
    )
    with exporting(exporter).start("a", None, {}):
        pass
    exporter.close(20)
    (span,) = collector.wait_for_spans(1)
    assert span.resource["service.name"] == "orders"
    assert span.resource["deployment.environment"] == "test"
    assert span.resource["service.version"] == "1"


def test_proxies_of_the_environment_are_not_used(
    collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    exporter = OtlpExporter(collector.url, {})
    with exporting(exporter).start("a", None, {}):
        pass
    exporter.close(20)
    assert len(collector.wait_for_spans(1)) == 1


def test_a_collector_that_refuses_is_named_without_its_credentials(
    collector: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers(Reply(403))
    host = collector.url.removeprefix("http://")
    exporter = OtlpExporter(f"http://user:s3cret-word@{host}/ingest?token=s3cret-word", {})
    with caplog.at_level(logging.WARNING):
        with exporting(exporter).start("a", None, {}):
            pass
        exporter.close(20)
    assert f"spans are lost: the collector at http://{host} does not take them" in caplog.text
    assert "s3cret-word" not in caplog.text
    (post,) = collector.posts
    assert post.target == "/ingest/v1/traces?token=s3cret-word"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
        (" https://otel.example.com/base/ ", "https://otel.example.com/base/v1/traces"),
        ("http://[::1]:4318/v1/traces", "http://[::1]:4318/v1/traces"),
        ("http://h/v1/traces/?k=v#f", "http://h/v1/traces?k=v"),
    ],
)
def test_traces_go_below_the_collectors_base_url(endpoint: str, url: str) -> None:
    assert traces_url(endpoint) == url


@pytest.mark.parametrize(
    "endpoint",
    ["", "localhost:4318", "ftp://h", "http://", "http://h:99999", "http://[::1", "grpc://h"],
)
def test_what_is_no_url_is_refused_without_being_quoted(endpoint: str) -> None:
    with pytest.raises(ValueError, match="URL") as raised:
        traces_url(endpoint)
    assert str(raised.value) == "it is no http:// or https:// URL"


def test_an_endpoint_is_shown_without_what_may_be_secret() -> None:
    assert shown_origin("https://u:p@[::1]:4318/t?k=v") == "https://[::1]:4318"
    assert shown_origin("http://h/token") == "http://h"
