"""Sends traces to an OpenTelemetry collector over OTLP/HTTP, by way of OpenTelemetry's own SDK.

Needs the extra `otel`. The SDK's worker thread sends, in batches, what its bounded queue holds;
while a collector cannot keep up or be reached, spans are lost and calls are not held up.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from naftiko_runtime.telemetry.buffer import FinishedTrace

_TRACES_PATH: Final = "/v1/traces"
_SEND_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 60.0
"""How long nothing more is said of a collector that does not take spans."""

_log = logging.getLogger("naftiko.telemetry")


def can_export() -> bool:
    """Whether the libraries of the extra `otel` are installed."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def traces_url(endpoint: str) -> str:
    """Where traces go, for a collector's base URL (OTLP exporter specification, "Endpoint URLs
    for OTLP/HTTP") or for a URL that ends in the path for traces already.

    Raises ValueError for what is no URL that can be sent to; its text does not quote the URL,
    which may hold a credential.
    """
    try:
        parts = urlsplit(endpoint.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise ValueError("it is no http:// or https:// URL")
    path = parts.path.rstrip("/")
    path = path if path.endswith(_TRACES_PATH) else path + _TRACES_PATH
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def shown_origin(endpoint: str) -> str:
    """Scheme, host and port of an endpoint, for messages."""
    parts = urlsplit(endpoint.strip())
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


class OtlpExporter:
    """One connection to one collector. `export` is called from the event loop; ends with `close`.

    Importing the SDK takes most of a second, so make it beside the event loop.
    """

    def __init__(self, endpoint: str, resource: Mapping[str, str]) -> None:
        """`resource` says who sends, as far as OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME do
        not. Raises ValueError for an endpoint that is no URL."""
        import requests
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        from naftiko_runtime.telemetry.otlp_spans import SpanConverter

        # What the SDK would log quotes the URL, which may hold a credential; see _Reporting.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        url = traces_url(endpoint)
        session = requests.Session()
        session.trust_env = False  # no proxy and no credential that nobody asked for
        sender = OTLPSpanExporter(endpoint=url, session=session, timeout=_SEND_SECONDS)
        self._converter = SpanConverter(resource)
        self._processor = BatchSpanProcessor(_reporting(sender, shown_origin(url)))

    def export(self, trace: FinishedTrace) -> None:
        for span in trace.spans:
            self._processor.on_end(self._converter.convert(span))

    def close(self, seconds: float) -> None:
        """Sends what is waiting, and gives up after a time. Blocks: call it beside the event
        loop."""
        ending = threading.Thread(target=self._processor.shutdown, daemon=True)
        ending.start()
        ending.join(seconds)


def _reporting(sender: SpanExporter, origin: str) -> SpanExporter:
    """The sender, telling the log of what it could not send, once in a while."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Reporting(SpanExporter):
        def __init__(self) -> None:
            self._silent_until = 0.0

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = sender.export(spans)
            now = time.monotonic()
            if result is not SpanExportResult.SUCCESS and now >= self._silent_until:
                self._silent_until = now + _SILENT_SECONDS
                message = "spans are lost: the collector at %s does not take them"
                _log.warning(message, origin, extra={"event": "spans-lost"})
            return result

        def shutdown(self) -> None:
            sender.shutdown()

    return Reporting()
