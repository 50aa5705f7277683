"""Sends a request whose bodies go through as they come: nothing is held, nothing is changed, and
an answer may be of any size and take any time.

What has a deadline is the head of the answer: it must come in the time that a whole exchange has
otherwise, counted from the last piece of the request that the caller has given.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from math import inf
from typing import Any

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.consumes.conduct import Conduct
from naftiko_runtime.consumes.credentials import Logins
from naftiko_runtime.consumes.credentials.handshake import Send
from naftiko_runtime.consumes.faults import Exchange, failure_of, label, may_send_again
from naftiko_runtime.consumes.http1.endings import NoAnswer
from naftiko_runtime.consumes.http1.request_head import ANYTHING, write_head
from naftiko_runtime.consumes.http1.stream import AnswerStream
from naftiko_runtime.consumes.messages import RequestStream, StreamedResponse, UpstreamResponse
from naftiko_runtime.consumes.pools import Pools, TrustError, UpstreamSettings, check_ca_files
from naftiko_runtime.consumes.sessions import session_ended, tells_session_end
from naftiko_runtime.consumes.tracing import traced
from naftiko_runtime.consumes.traffic import Traffic
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.plan.calls import method_of
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import RuntimeSettings


class HttpStreams:
    """Implements `Streams`. One per process, used from its one event loop, closed at its end. Its
    connections are its own: exchanges that last must not keep calls waiting.

    `send` sends what logging in takes; `traffic` is that of the client for calls, with which what
    is streamed keeps to one pace. It is not sent again: it is not held. Raises TrustError when
    made with a `--ca` file that cannot be used.
    """

    def __init__(
        self, settings: UpstreamSettings, send: Send, traffic: Traffic | None = None
    ) -> None:
        check_ca_files(settings.ca_files)
        self._pools = Pools(settings)
        self._logins = Logins(send)
        self._traffic = traffic or Traffic()

    def adopt(self, settings: RuntimeSettings) -> None:
        """Calls upstreams as the operator's settings say from now on."""
        self._pools.adopt(settings)
        self._traffic.adopt(settings.upstreams)

    @asynccontextmanager
    async def stream(
        self, request: UpstreamRequest, body: RequestStream | None
    ) -> AsyncIterator[StreamedResponse]:
        login = request.login
        ready = request if login is None else await self._logins.authorized(request, login)
        with traced(ready) as (outgoing, note_status):
            exchange, target = self._choose(outgoing)
            conduct = self._traffic.conduct_of(outgoing)
            async with (
                self._in_turn(outgoing, conduct) as note,
                _permitted(outgoing),
                _exchanged(exchange, target, body) as response,
            ):
                note_status(response.status)
                note(response)
                if login is not None and response.status == 401:
                    self._logins.note_refusal(request, login, _challenges(response))
                asked = conduct and conduct.login
                if asked and tells_session_end(response.status, response.headers):
                    raise session_ended(request, response.status, asked)
                yield response

    @asynccontextmanager
    async def _in_turn(
        self, request: UpstreamRequest, conduct: Conduct | None
    ) -> AsyncIterator[Callable[[StreamedResponse], None]]:
        """Waits for a request's turn. The context is given the head of the answer; without it, the
        exchange has failed."""
        lane = conduct and self._traffic.lane(request, conduct)
        if not lane:
            yield lambda response: None
            return
        number = await lane.enter(request, inf)
        heads: list[StreamedResponse] = []

        def note(response: StreamedResponse) -> None:
            heads.append(response)
            lane.note(number, UpstreamResponse(response.status, response.headers, b""))

        try:
            yield note
        except BaseException as error:
            if not heads:
                failure = error.failure if isinstance(error, CallFailed) else None
                lane.leave(number) if failure is None else lane.note(number, failure)
            raise

    def _choose(self, request: UpstreamRequest) -> tuple[Exchange, bytes]:
        try:
            address, target = split_url(request.url)
        except AddressError as error:
            raise fail(FailureKind.UPSTREAM_UNREACHABLE, f"{label(request)}: {error}") from error
        try:
            upstream = self._pools.find(request.upstream, address)
        except TrustError as error:
            detail = f"{label(request, address)}: {error}"
            raise fail(FailureKind.UPSTREAM_UNTRUSTED, detail) from error
        return Exchange(request, upstream), target

    async def aclose(self) -> None:
        """Closes all connections; what is streamed breaks off."""
        await self._logins.aclose()
        self._pools.close()


@asynccontextmanager
async def _permitted(request: UpstreamRequest) -> AsyncIterator[None]:
    if request.permit is not None:
        await request.permit()
    yield


@asynccontextmanager
async def _exchanged(
    exchange: Exchange, target: bytes, body: RequestStream | None
) -> AsyncIterator[StreamedResponse]:
    try:
        stream, sending = await _begin(exchange, target, body)
    except NoAnswer as error:
        raise CallFailed(failure_of(error, exchange)) from error
    try:
        status, headers = stream.head.result()
        async with aclosing(_chunks(stream, exchange)) as chunks:
            yield StreamedResponse(status, headers, chunks, exchange.request.secrets)
    finally:
        await _end(stream, sending)


async def _begin(
    exchange: Exchange, target: bytes, body: RequestStream | None
) -> tuple[AnswerStream, asyncio.Task[None] | None]:
    """The answer, whose head is there, and what still sends the request's body. Raises NoAnswer."""
    request, pool = exchange.request, exchange.upstream.pool
    patience = exchange.upstream.settings.timeout
    length = 0 if body is None else body.length
    host = exchange.upstream.address.host_header
    head = write_head(request.method, target, host, request.headers, length, ANYTHING)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    is_head = request.method == "HEAD"
    connection = pool.take() or await pool.obtain(deadline)
    was_idle = connection.is_used
    stream = AnswerStream(connection, loop)
    stream.begin(head, deadline, is_head=is_head, has_more=body is not None)
    if body is not None:
        sending = loop.create_task(stream.send(body.chunks, body.length, patience))
        await _head_of(stream, sending)
        return stream, sending
    try:
        await _head_of(stream, None)
    except NoAnswer as error:
        if not may_send_again(error, method_of(request), was_idle=was_idle):
            raise
        pool.drop_idle()
        stream = AnswerStream(await pool.obtain(deadline), loop)
        stream.begin(head, deadline, is_head=is_head, has_more=False)
        await _head_of(stream, None)
    return stream, None


async def _head_of(stream: AnswerStream, sending: asyncio.Task[None] | None) -> None:
    """Waits for the head of the answer. Raises NoAnswer, and what ends the request's body early."""
    try:
        if sending is not None:
            both: list[asyncio.Future[Any]] = [stream.head, sending]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        await asyncio.wait([stream.head])
        stream.head.result()
    except BaseException:
        await _end(stream, sending)
        raise


async def _end(stream: AnswerStream, sending: asyncio.Task[None] | None) -> None:
    """Ends an exchange, whether it is complete or not."""
    stream.close()
    if sending is not None:
        sending.cancel()
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.exception()


async def _chunks(stream: AnswerStream, exchange: Exchange) -> AsyncGenerator[bytes]:
    async with aclosing(stream.chunks()) as chunks:
        try:
            async for chunk in chunks:
                yield chunk
        except NoAnswer as error:
            raise CallFailed(failure_of(error, exchange)) from error


def _challenges(response: StreamedResponse) -> list[str]:
    return [value for name, value in response.headers if name == "www-authenticate"]
