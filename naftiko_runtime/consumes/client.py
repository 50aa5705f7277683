"""Sends requests to upstream APIs.

No cookies are kept, no redirect is followed, no proxy is taken from the environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.consumes.credentials import Logins
from naftiko_runtime.consumes.faults import Exchange, failure_of, label, may_send_again
from naftiko_runtime.consumes.http1.endings import NoAnswer
from naftiko_runtime.consumes.http1.exchange import exchange
from naftiko_runtime.consumes.http1.request_head import write_head
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.consumes.pools import (
    Pools,
    TrustError,
    Upstream,
    UpstreamSettings,
    check_ca_files,
)
from naftiko_runtime.consumes.sessions import session_ended, tells_session_end
from naftiko_runtime.consumes.tracing import send_traced
from naftiko_runtime.consumes.traffic import Traffic
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.plan.calls import method_of
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import RuntimeSettings
from naftiko_runtime.telemetry.spans import current_span


class HttpUpstreams:
    """Implements `Upstreams`. One per process, used from its one event loop, closed at its end.

    Raises TrustError when made with a `--ca` file that cannot be used.
    """

    def __init__(self, settings: UpstreamSettings) -> None:
        check_ca_files(settings.ca_files)
        self._timeout = settings.timeout
        self._pools = Pools(settings)
        self._logins = Logins(self._send)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.traffic = Traffic()

    def adopt(self, settings: RuntimeSettings) -> None:
        """Calls upstreams as the operator's settings say from now on."""
        self._pools.adopt(settings)
        self.traffic.adopt(settings.upstreams)

    def send(self, request: UpstreamRequest) -> Coroutine[None, None, UpstreamResponse]:
        """The answer, whatever its status. Raises CallFailed when there is none."""
        if self.traffic.is_ruled:
            conduct = self.traffic.conduct_of(request)
            if conduct is not None and conduct.login is not None:
                return self._send_in_session(request, conduct.login)
        elif request.login is None:
            return self._attempt(request)
        return self.send_as_is(request)

    def send_as_is(self, request: UpstreamRequest) -> Coroutine[None, None, UpstreamResponse]:
        """As `send`, also where the answer is one of an upstream that nobody is logged in to."""
        if request.login is not None:
            return self._logins.send(request, request.login)
        return self._send(request)

    async def _send_in_session(self, request: UpstreamRequest, login: str) -> UpstreamResponse:
        answer = await self.send_as_is(request)
        if tells_session_end(answer.status, answer.headers, answer.body):
            raise session_ended(request, answer.status, login)
        return answer

    def _send(self, request: UpstreamRequest) -> Coroutine[None, None, UpstreamResponse]:
        """Sends a request that is logged in, if it has to be, as the operator's rules say."""
        conduct = self.traffic.conduct_of(request)
        if conduct is None or not conduct.is_governed:
            return self._attempt(request)
        timeout = self._timeout if conduct.timeout is None else conduct.timeout
        return self.traffic.send(request, conduct, self._attempt, timeout)

    def _attempt(
        self, request: UpstreamRequest, deadline: float | None = None
    ) -> Coroutine[None, None, UpstreamResponse]:
        span = current_span()
        if span is None:
            return self._send_once(request, deadline)
        return send_traced(span, request, partial(self._send_once, deadline=deadline))

    async def _send_once(
        self, request: UpstreamRequest, deadline: float | None
    ) -> UpstreamResponse:
        try:
            address, target = split_url(request.url)
        except AddressError as error:
            raise fail(FailureKind.UPSTREAM_UNREACHABLE, f"{label(request)}: {error}") from error
        try:
            upstream = self._pools.find(request.upstream, address)
        except TrustError as error:
            detail = f"{label(request, address)}: {error}"
            raise fail(FailureKind.UPSTREAM_UNTRUSTED, detail) from error
        content = request.content
        if request.permit is not None:
            await request.permit()
        try:
            length = 0 if content is None else len(content)
            host = address.host_header
            head = write_head(request.method, target, host, request.headers, length)
            return await self._exchange(upstream, request, head, content, deadline)
        except NoAnswer as error:
            exchange = Exchange(request, upstream)
            raise CallFailed(failure_of(error, exchange)) from error

    async def _exchange(
        self,
        upstream: Upstream,
        request: UpstreamRequest,
        head: bytes,
        content: bytes | None,
        deadline: float | None,
    ) -> UpstreamResponse:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        pool = upstream.pool
        if deadline is None:
            deadline = self._loop.time() + upstream.settings.timeout
        limit = upstream.settings.max_response_bytes
        is_head = request.method == "HEAD"
        connection = pool.take() or await pool.obtain(deadline)
        was_idle = connection.is_used
        try:
            return await exchange(connection, head, content, deadline, limit, is_head=is_head)
        except NoAnswer as error:
            if not may_send_again(error, method_of(request), was_idle=was_idle):
                raise
        pool.drop_idle()
        connection = await pool.obtain(deadline)
        return await exchange(connection, head, content, deadline, limit, is_head=is_head)

    async def aclose(self) -> None:
        """Closes all connections; calls in flight fail."""
        await self._logins.aclose()
        self._pools.close()
