"""The HTTP protocol of a connection, with the limits that uvicorn leaves to a proxy.

A request head may have so many bytes and so many headers, must be complete within a deadline, and
a body must keep arriving; a caller that exceeds this is told so (RFC 9110, RFC 6585) and its
connection closed. A caller that opens connections and sends nothing holds each for the same
deadline only.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from naftiko_runtime.serving.joined_writes import JoinedWrites

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

HEAD_BYTES = 64 * 1024
HEAD_COUNT = 200
HEAD_SECONDS = 20.0
BODY_SECONDS = 20.0
BODY_BYTES_PER_SECOND = 512
"""A body that arrives more slowly than this over BODY_SECONDS is given up."""

_DETAILS = {
    HTTPStatus.BAD_REQUEST: "the request is not well-formed HTTP/1.1",
    HTTPStatus.REQUEST_TIMEOUT: "the request did not arrive in time",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the request's path and headers are too large",
}


class _HeadTooLarge(Exception):
    """Stops the parser; becomes status 431."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Made and owned by its Listener's server; ends with the connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._in_head = True
        self._head_bytes = 0  # of the head, as the parser reports its parts
        self._head_fed = 0  # of what came while the head was not complete
        self._body_fed = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._head_overdue)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)
        # uvicorn leaves the clock of a connection that was reset running, which keeps all of the
        # connection in memory until the time for the next request is over.
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_fed += len(data)
        else:
            self._body_fed += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._head_fed > HEAD_BYTES:
            # The parser keeps an unfinished header to itself, without a limit.
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._deadline is None and (not self._in_head or self._head_fed):
            self._start_clock()

    # What the parser calls

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + 4)
        if len(self.headers) >= HEAD_COUNT:
            self._too_large()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", JoinedWrites(self.transport, self.loop))

    def on_message_complete(self) -> None:
        self._in_head = True
        self._stop_clock()
        self._head_bytes = self._head_fed = self._body_fed = 0
        super().on_message_complete()

    # Limits

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self._too_large()

    def _too_large(self) -> None:
        self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise _HeadTooLarge

    def _start_clock(self) -> None:
        """Begins to wait for the rest of what has begun; a request that comes in one piece never
        gets here."""
        if self._in_head:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._head_overdue)
        else:
            self._deadline = self.loop.call_later(BODY_SECONDS, self._check_body, self._body_fed)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_overdue(self) -> None:
        if self._head_fed:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _check_body(self, fed_before: int) -> None:
        arrived = self._body_fed - fed_before
        if self.flow.read_paused or arrived >= BODY_BYTES_PER_SECOND * BODY_SECONDS:
            self._start_clock()
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        self._refusal = status
        self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Answers a request that cannot be served at all, and closes the connection."""
        self._stop_clock()
        status = self._refusal
        problem = {"type": "about:blank", "title": status.phrase, "status": status.value}
        body = json.dumps(problem | {"detail": _DETAILS[status]}).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
