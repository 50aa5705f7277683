"""Sends requests to upstream APIs over httpx2.

Only httpx2's transport is used, not its client: no cookies are kept, no redirect is followed, no
proxy is taken from the environment, no header is added that is not written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import anyio
import httpx2

import naftiko_runtime
from naftiko_runtime.consumes.addresses import Address, AddressError, split_url
from naftiko_runtime.consumes.answers import UnusableAnswer, read_answer
from naftiko_runtime.consumes.compression import ACCEPTED
from naftiko_runtime.consumes.credentials import Logins
from naftiko_runtime.consumes.faults import (
    TRANSPORT_ERRORS,
    Exchange,
    Progress,
    failure_of,
    label,
    may_send_again,
    too_slow,
)
from naftiko_runtime.consumes.leftovers import is_soiled
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.consumes.pools import Pools, TrustError, UpstreamSettings, check_ca_files
from naftiko_runtime.consumes.tracing import send_traced
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.telemetry.spans import current_span

_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class HttpUpstreams:
    """Implements `Upstreams`. One per process, used from its one event loop, closed at its end.

    Raises TrustError when made with a `--ca` file that cannot be used.
    """

    def __init__(self, settings: UpstreamSettings) -> None:
        check_ca_files(settings.ca_files)
        self._settings = settings
        self._pools = Pools(settings)
        self._logins = Logins(self.send)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, whatever its status. Raises CallFailed when there is none."""
        if request.login is not None:
            return await self._logins.send(request, request.login)
        span = current_span()
        if span is None:
            return await self._send(request)
        return await send_traced(span, request, self._send)

    async def _send(self, request: UpstreamRequest) -> UpstreamResponse:
        try:
            address, target = split_url(request.url)
        except AddressError as error:
            raise fail(FailureKind.UPSTREAM_UNREACHABLE, f"{label(request)}: {error}") from error
        try:
            choice = self._pools.choose(request.upstream, address)
            transport = self._pools.transport(address, choice)
        except TrustError as error:
            detail = f"{label(request, address)}: {error}"
            raise fail(FailureKind.UPSTREAM_UNTRUSTED, detail) from error
        exchange = Exchange(request, address, choice, self._settings)
        progress = Progress()
        with anyio.move_on_after(self._settings.timeout):
            try:
                return await self._attempt(exchange, target, transport, progress)
            except (*TRANSPORT_ERRORS, UnusableAnswer) as error:
                if not may_send_again(error, request.method, progress):
                    raise CallFailed(failure_of(error, exchange, progress)) from error
            progress = Progress()
            try:
                return await self._attempt(exchange, target, transport, progress)
            except (*TRANSPORT_ERRORS, UnusableAnswer) as error:
                raise CallFailed(failure_of(error, exchange, progress)) from error
        raise CallFailed(too_slow(exchange, progress))

    async def _attempt(
        self,
        exchange: Exchange,
        target: bytes,
        transport: httpx2.AsyncHTTPTransport,
        progress: Progress,
    ) -> UpstreamResponse:
        request, address = exchange.request, exchange.address
        outgoing = httpx2.Request(
            request.method,
            address.url,
            headers=_headers(request, address),
            stream=httpx2.ByteStream(request.content or b""),
            extensions={
                "target": target,
                "timeout": {"connect": self._settings.connect_timeout},
                "trace": progress.note,
            },
        )
        response = await transport.handle_async_request(outgoing)
        progress.answered = True
        try:
            answer = await read_answer(response, self._settings.max_response_bytes)
            if is_soiled(response):
                await response.extensions["network_stream"].aclose()
            return answer
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Closes all connections; calls in flight fail."""
        await self._logins.aclose()
        await self._pools.aclose()


def _headers(request: UpstreamRequest, address: Address) -> Sequence[tuple[bytes, bytes]]:
    """The headers as given, and those that HTTP or common servers cannot do without."""
    given = {name.lower() for name, _ in request.headers}
    headers: list[tuple[bytes, bytes]] = []
    if "host" not in given:
        headers.append((b"Host", address.host_header))
    for name, value in request.headers:
        if name.lower() not in _FRAMING:
            headers.append((name.encode(), value.encode()))
    if "user-agent" not in given:
        headers.append((b"User-Agent", _user_agent()))
    if "accept" not in given:
        headers.append((b"Accept", b"application/json, */*;q=0.5"))
    if "accept-encoding" not in given:
        headers.append((b"Accept-Encoding", ACCEPTED.encode()))
    if request.content or request.method in _METHODS_WITH_BODY:
        headers.append((b"Content-Length", b"%d" % len(request.content or b"")))
    return headers


@cache
def _user_agent() -> bytes:
    return f"naftiko-runtime/{naftiko_runtime.__version__}".encode()
