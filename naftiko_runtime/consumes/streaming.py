"""Sends a request whose bodies go through as they come: nothing is held, nothing is changed, and
an answer may be of any size and take any time.

What has a deadline is the head of the answer: it must come in the time that a whole exchange has
otherwise, counted from the last piece of the request that the caller has given.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import cache
from typing import Final, cast

import anyio
import httpx2

import naftiko_runtime
from naftiko_runtime.consumes.addresses import Address, AddressError, split_url
from naftiko_runtime.consumes.answers import MAX_HEADERS, UnusableAnswer
from naftiko_runtime.consumes.credentials import Logins
from naftiko_runtime.consumes.credentials.handshake import Send
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
from naftiko_runtime.consumes.messages import RequestStream, StreamedResponse
from naftiko_runtime.consumes.pools import Pools, TrustError, UpstreamSettings, check_ca_files
from naftiko_runtime.consumes.tracing import traced
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.plan.operation import UpstreamRequest

_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class HttpStreams:
    """Implements `Streams`. One per process, used from its one event loop, closed at its end. Its
    connections are its own: exchanges that last must not keep calls waiting.

    `send` sends what logging in takes. Raises TrustError when made with a `--ca` file that cannot
    be used.
    """

    def __init__(self, settings: UpstreamSettings, send: Send) -> None:
        check_ca_files(settings.ca_files)
        self._settings = settings
        self._pools = Pools(settings)
        self._logins = Logins(send)

    @asynccontextmanager
    async def stream(
        self, request: UpstreamRequest, body: RequestStream | None
    ) -> AsyncIterator[StreamedResponse]:
        login = request.login
        ready = request if login is None else await self._logins.authorized(request, login)
        with traced(ready) as (outgoing, note_status):
            exchange, target, transport = self._choose(outgoing)
            async with _exchanged(exchange, target, transport, body) as response:
                note_status(response.status)
                if login is not None and response.status == 401:
                    self._logins.note_refusal(request, login, _challenges(response))
                yield response

    def _choose(
        self, request: UpstreamRequest
    ) -> tuple[Exchange, bytes, httpx2.AsyncHTTPTransport]:
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
        return Exchange(request, address, choice, self._settings), target, transport

    async def aclose(self) -> None:
        """Closes all connections; what is streamed breaks off."""
        await self._logins.aclose()
        await self._pools.aclose()


@asynccontextmanager
async def _exchanged(
    exchange: Exchange,
    target: bytes,
    transport: httpx2.AsyncHTTPTransport,
    body: RequestStream | None,
) -> AsyncIterator[StreamedResponse]:
    progress = Progress()
    try:
        response = await _head(exchange, target, transport, body, progress)
    except (*TRANSPORT_ERRORS, UnusableAnswer) as error:
        if body is not None or not may_send_again(error, exchange.request.method, progress):
            raise CallFailed(failure_of(error, exchange, progress)) from error
        progress = Progress()
        try:
            response = await _head(exchange, target, transport, None, progress)
        except (*TRANSPORT_ERRORS, UnusableAnswer) as again:
            raise CallFailed(failure_of(again, exchange, progress)) from again
    try:
        async with aclosing(_chunks(response, exchange, progress)) as chunks:
            yield StreamedResponse(response.status_code, _decoded(response), chunks)
    finally:
        with anyio.CancelScope(shield=True):
            await response.aclose()


async def _head(
    exchange: Exchange,
    target: bytes,
    transport: httpx2.AsyncHTTPTransport,
    body: RequestStream | None,
    progress: Progress,
) -> httpx2.Response:
    """The answer without its body. Raises CallFailed when it takes too long."""
    timeout = exchange.settings.timeout
    with anyio.move_on_after(timeout) as limit:
        outgoing = httpx2.Request(
            exchange.request.method,
            exchange.address.url,
            headers=_headers(exchange.request, exchange.address, body),
            stream=httpx2.ByteStream(b"") if body is None else _Pieces(body, limit, timeout),
            extensions={
                "target": target,
                "timeout": {"connect": exchange.settings.connect_timeout},
                "trace": progress.note,
            },
        )
        response = await transport.handle_async_request(outgoing)
        progress.answered = True
        try:
            _check_head(response)
        except UnusableAnswer:
            await response.aclose()
            raise
        return response
    raise CallFailed(too_slow(exchange, progress))


def _check_head(response: httpx2.Response) -> None:
    if response.status_code < 200:
        raise UnusableAnswer(FailureKind.UPSTREAM_BROKEN, "switches to a protocol not asked for")
    if len(response.headers.raw) > MAX_HEADERS:
        raise UnusableAnswer(FailureKind.UPSTREAM_BROKEN, f"has more than {MAX_HEADERS} headers")


class _Pieces(httpx2.AsyncByteStream):
    """The request's body; while its caller is waited for, the upstream's time stands still."""

    def __init__(self, body: RequestStream, limit: anyio.CancelScope, timeout: float) -> None:
        self._body = body
        self._limit = limit
        self._timeout = timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._limit.deadline = math.inf
        async for chunk in self._body.chunks:
            self._limit.deadline = anyio.current_time() + self._timeout
            yield chunk
            self._limit.deadline = math.inf
        self._limit.deadline = anyio.current_time() + self._timeout


async def _chunks(
    response: httpx2.Response, exchange: Exchange, progress: Progress
) -> AsyncGenerator[bytes]:
    stream = cast(httpx2.AsyncByteStream, response.stream)
    try:
        async with aclosing(cast(AsyncGenerator[bytes], aiter(stream))) as chunks:
            async for chunk in chunks:
                yield chunk
    except TRANSPORT_ERRORS as error:
        raise CallFailed(failure_of(error, exchange, progress)) from error
    if is_soiled(response):
        await response.extensions["network_stream"].aclose()


def _challenges(response: StreamedResponse) -> list[str]:
    return [value for name, value in response.headers if name == "www-authenticate"]


def _decoded(response: httpx2.Response) -> Sequence[tuple[str, str]]:
    return [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in response.headers.raw
    ]


def _headers(
    request: UpstreamRequest, address: Address, body: RequestStream | None
) -> Sequence[tuple[bytes, bytes]]:
    """The headers as given, those that HTTP cannot do without, and no compression that the caller
    has not asked for."""
    given = {name.lower() for name, _ in request.headers}
    headers: list[tuple[bytes, bytes]] = [(b"Host", address.host_header)]
    headers += [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers
    ]
    for name, text in (
        ("user-agent", _user_agent()),
        ("accept", b"*/*"),
        ("accept-encoding", b"identity"),
    ):
        if name not in given:
            headers.append((name.encode(), text))
    if body is not None and body.length is None:
        headers.append((b"Transfer-Encoding", b"chunked"))
    elif body is not None or request.method in _METHODS_WITH_BODY:
        headers.append((b"Content-Length", b"%d" % (0 if body is None else body.length or 0)))
    return headers


@cache
def _user_agent() -> bytes:
    return f"naftiko-runtime/{naftiko_runtime.__version__}".encode()
