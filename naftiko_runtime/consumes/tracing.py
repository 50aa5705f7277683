"""Makes each request to an upstream a span, and tells the upstream which one it is part of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.telemetry.spans import Attribute, Span, SpanKind, current_span

if TYPE_CHECKING:
    from naftiko_runtime.consumes.messages import UpstreamResponse
    from naftiko_runtime.plan.operation import UpstreamRequest


async def send_traced(
    parent: Span,
    request: UpstreamRequest,
    send: Callable[[UpstreamRequest], Awaitable[UpstreamResponse]],
) -> UpstreamResponse:
    """The answer of `send`, to which the request goes with the headers of its span."""
    attributes = _attributes(request)
    with parent.child(f"http.client.{request.method}", attributes, SpanKind.CLIENT) as span:
        response = await send(with_context(request, span))
        attributes["http.response.status_code"] = response.status
        if response.status >= 400:
            span.error = str(response.status)
        return response


@contextmanager
def traced(request: UpstreamRequest) -> Iterator[UpstreamRequest]:
    """A span around an exchange, where the call has one: the request with its headers."""
    parent = current_span()
    if parent is None:
        yield request
        return
    name = f"http.client.{request.method}"
    with parent.child(name, _attributes(request), SpanKind.CLIENT) as span:
        yield with_context(request, span)


def with_context(request: UpstreamRequest, span: Span) -> UpstreamRequest:
    """The request with the headers of a span; a header that the file itself gives stays."""
    given = {name.lower() for name, _ in request.headers}
    added = [pair for pair in span.headers() if pair[0] not in given]
    return replace(request, headers=[*request.headers, *added])


def _attributes(request: UpstreamRequest) -> dict[str, Attribute]:
    """OpenTelemetry's conventions for HTTP clients, without the URL: paths and queries hold what
    callers gave."""
    attributes: dict[str, Attribute] = {
        "http.request.method": request.method,
        "naftiko.namespace": request.upstream,
        "naftiko.operation.id": request.operation,
    }
    try:
        address, _ = split_url(request.url)
    except AddressError:
        return attributes  # `send` says so
    return attributes | {"server.address": address.host, "server.port": address.port}
