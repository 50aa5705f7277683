"""One open port: its socket, its connections, and what answers on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from email.utils import formatdate

from uvicorn.config import Config
from uvicorn.server import ServerState

from naftiko_runtime.serving.guarded_protocol import GuardedProtocol
from naftiko_runtime.serving.port_application import PortApplication

_KEEP_ALIVE_SECONDS = 75
_LOOK_SECONDS = 0.01
_CUT_OFF_SECONDS = 1.0


class Listener:
    """Owned by the Service, which makes it on a listening socket, has it accept and stop once.

    The port is uvicorn's HTTP protocol on our own socket, without uvicorn's server: that one ends
    the process on a port in use and takes over its signals.
    """

    def __init__(self, opened: socket.socket) -> None:
        self.port = int(opened.getsockname()[1])
        self._socket = opened
        self.application = PortApplication()
        self._state = ServerState()
        self._config = Config(
            self.application,
            http=GuardedProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._server: asyncio.Server | None = None
        self._clock: asyncio.TimerHandle | None = None

    async def accept(self) -> None:
        """Begins to answer; connections that came earlier have waited."""
        loop = asyncio.get_running_loop()

        def connect() -> GuardedProtocol:
            return GuardedProtocol(self._config, self._state, {}, loop)

        self._tick()
        self._server = await loop.create_server(connect, sock=self._socket)

    def stop_accepting(self) -> None:
        """Closes the socket; connections that are open stay."""
        if self._server is not None:
            self._server.close()
        self._socket.close()

    async def stop(self, grace: float, hurry: asyncio.Event) -> None:
        """Closes the port. Calls in flight have `grace` seconds to finish, or until `hurry` is
        set; then their callers are told that the call may have been executed."""
        self.stop_accepting()
        if self._clock is not None:
            self._clock.cancel()
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._wait_for_calls(grace, hurry)
        late = set(self._state.tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_CUT_OFF_SECONDS)
        for connection in list(self._state.connections):
            connection.transport.close()

    async def _wait_for_calls(self, grace: float, hurry: asyncio.Event) -> None:
        end = time.monotonic() + grace
        while self._state.connections or self._state.tasks:
            left = end - time.monotonic()
            if left <= 0 or hurry.is_set():
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(hurry.wait(), min(_LOOK_SECONDS, left))

    def _tick(self) -> None:
        """Keeps the Date header right (RFC 9110 section 6.6.1)."""
        now = formatdate(usegmt=True).encode("ascii")
        self._state.default_headers = [(b"date", now)]
        self._clock = asyncio.get_running_loop().call_later(1, self._tick)
