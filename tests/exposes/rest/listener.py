"""A REST application behind a real socket, and the clients that tests call it with."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.rest.application import RestApplication
from naftiko_runtime.exposes.rest.table import build_rest_table
from naftiko_runtime.plan.operation import RestAdapterPlan, RestOperationPlan
from tests.exposes.rest.plans import Engine, adapter, labelled

SECONDS = 60.0
"""How long a test waits for what should happen at once."""


@dataclass(frozen=True)
class Answered:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self, status: int, slug: str) -> dict[str, Any]:
        """The problem document, checked to be one."""
        assert self.status == status, self.body
        assert self.header("content-type") == "application/problem+json"
        document: dict[str, Any] = self.json()
        assert document["status"] == status
        assert document["type"] == f"urn:naftiko:problem:{slug}"
        assert document["title"]
        assert document["detail"]
        return document


@dataclass(frozen=True)
class Listener:
    """A running application. `origin` has no trailing slash."""

    port: int
    application: RestApplication
    engine: Engine

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(
        self,
        method: str,
        target: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """One exchange on a connection of its own; an iterator is sent in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            return Answered(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answered:
        return self.call("GET", target, None, headers)

    def post_json(self, target: str, text: str | bytes) -> Answered:
        body = text.encode() if isinstance(text, str) else text
        return self.call("POST", target, body, {"content-type": "application/json"})

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A bare connection, for what no client library would send."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as opened:
            yield opened

    def raw(self, request: bytes) -> bytes:
        """All that is answered to these bytes; they must make the listener close the connection
        in the end (`Connection: close`, or a request that is refused)."""
        with self.connection() as opened:
            opened.sendall(request)
            answer = b""
            try:
                while piece := opened.recv(65536):
                    answer += piece
            except ConnectionResetError:
                pass
            return answer


@contextmanager
def listening(
    *parts: RestOperationPlan | RestAdapterPlan,
    engine: Engine | None = None,
    hosts: HostPolicy | None = None,
    gatekeeper: Gatekeeper | None = None,
) -> Iterator[Listener]:
    """Serves operations (or whole adapters), in order, on a free port."""
    engine = engine or Engine()
    hosts = hosts or HostPolicy.for_address("127.0.0.1")
    adapters = [part if isinstance(part, RestAdapterPlan) else adapter(part) for part in parts]
    table, _ = build_rest_table(labelled(*adapters))
    application = RestApplication(table, engine.execute, hosts, gatekeeper=gatekeeper)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                http="httptools",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        try:
            _wait_until_started(server)
            yield Listener(bound.getsockname()[1], application, engine)
        finally:
            server.should_exit = True
            thread.join(SECONDS)
            assert not thread.is_alive(), "the listener did not stop"


def _wait_until_started(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + SECONDS
    while not server.started:
        assert time.monotonic() < deadline, "the listener did not start"
        time.sleep(0.005)
