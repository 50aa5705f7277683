"""Makes each request to an upstream a span, and tells the upstream which one it is part of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
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
    with _client_span(parent, request) as span:
        response = await send(with_context(request, span))
        _note_status(span, response.status)
        return response


@contextmanager
def traced(request: UpstreamRequest) -> Iterator[tuple[UpstreamRequest, Callable[[int], None]]]:
    """A span around an exchange, where the call has one: the request with its headers, and whom
    to tell the status of the answer."""
    parent = current_span()
    if parent is None:
        yield request, lambda status: None
        return
    with _client_span(parent, request) as span:
        yield with_context(request, span), partial(_note_status, span)


def _client_span(parent: Span, request: UpstreamRequest) -> Span:
    name = f"http.client.{request.method}"
    return parent.child(name, _attributes(request), SpanKind.CLIENT)


def _note_status(span: Span, status: int) -> None:
    span.attributes["http.response.status_code"] = status
    if status >= 400:
        span.error = str(status)


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
