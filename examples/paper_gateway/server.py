"""Serving the paper gateway over HTTPS: in this process's thread, or as a program.

with running_gateway() as running:
    ... running.base_uri, running.certificate.path, running.gateway ...
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from examples.paper_gateway.app import create_app
from examples.paper_gateway.certificate import Certificate, certificate_in
from examples.paper_gateway.gate import ABORT, API
from examples.paper_gateway.gateway import PaperGateway

KEEP_ALIVE_SECONDS = 20
"""An idle connection is closed after this time, as the gateway does."""

STOP_SECONDS = 3
"""How long calls in flight may take when the server stops."""


class _AbortableProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose scope offers to cut the connection, for the fault that needs it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self._reset}  # type: ignore[dict-item]

    def _reset(self) -> None:
        self.transport.abort()


class GatewayServer(uvicorn.Server):
    """A uvicorn server that leaves signals alone and says when it accepts connections."""

    def __init__(self, gateway: PaperGateway, certificate: Certificate) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(gateway),
                http=_AbortableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ssl_certfile=certificate.path,
                ssl_keyfile=certificate.key_path,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self.ready = threading.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises OSError.

    asyncio switches Nagle's algorithm off only for sockets that were made with an explicit
    protocol, so it is done here; connections inherit it. Without it every answer, sent as head
    and body, waits some 40 ms for the client's acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """The address under which the socket's server is reached."""
    host, port = listener.getsockname()[:2]
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


class RunningGateway:
    """A gateway served from a thread of this process until `stop` is called.

    `gateway` is its state, which a test may look into and change between calls.
    """

    def __init__(self, gateway: PaperGateway, *, host: str, port: int, state: Path | None) -> None:
        self.gateway = gateway
        self._folder = tempfile.TemporaryDirectory(prefix="paper-gateway-")
        self.certificate = certificate_in(state or Path(self._folder.name))
        self._listener = listen(host, port)
        self.url = url_of(self._listener)
        self.base_uri = self.url + API
        self._server = GatewayServer(gateway, self.certificate)
        self._thread = threading.Thread(target=self._serve, name="paper-gateway", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(timeout=10):
            self.stop()
            raise RuntimeError("the paper gateway did not start within 10 seconds")

    @property
    def certificate_path(self) -> Path:
        """The PEM file with which clients can verify the gateway."""
        return self.certificate.path

    def stop(self) -> None:
        """Close the port, let calls in flight end, and remove what was created."""
        self._server.should_exit = True
        self._thread.join(timeout=STOP_SECONDS + 5)
        self._listener.close()
        self._folder.cleanup()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))


def start_paper_gateway(
    gateway: PaperGateway | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    state: Path | None = None,
) -> RunningGateway:
    """Serve a gateway from a thread; by default a fresh one without pacing on a free port.

    `state` is the folder in which the certificate is kept; without it, it lives as long as
    the server. Raises OSError when the port is taken.
    """
    return RunningGateway(gateway or PaperGateway(pacing=0), host=host, port=port, state=state)


@contextlib.contextmanager
def running_gateway(
    gateway: PaperGateway | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    state: Path | None = None,
) -> Iterator[RunningGateway]:
    """`start_paper_gateway` for a `with` block, stopped at its end."""
    running = start_paper_gateway(gateway, host=host, port=port, state=state)
    try:
        yield running
    finally:
        running.stop()
