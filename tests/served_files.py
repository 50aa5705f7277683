"""Serves capability files inside the test's process, on real sockets, with the real engine and the
real upstream client.

    with served(text, base_uris={"up": upstream.url}) as files:
        answered = files.call("GET", "/orders?limit=5")
        result = files.tool("list-orders", {"limit": 5})

The ports that the files declare are moved to free ones of this machine's own address.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, RequestParamsMeta, TextContent, Tool

from naftiko_runtime.audit.journal import Journal
from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.streaming import HttpStreams
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.guards.guards import GuardedStreams, Guards
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import CapabilityPlan, Inputs, OperationPlan
from naftiko_runtime.problems import Problem, Severity
from naftiko_runtime.serving.service import Service
from naftiko_runtime.serving.settings import PortSettings
from naftiko_runtime.serving.tables import build_tables
from naftiko_runtime.settings.model import NO_SETTINGS, RuntimeSettings
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.store import StateStore

SECONDS = 60.0
"""How long a test waits for what should happen at once."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class ServedFiles:
    """Files that are being served; `loaded` is what loading them gave, `problems` all there are."""

    loaded: tuple[LoadedFile, ...]
    problems: tuple[Problem, ...]
    ports: Mapping[int, int]
    loop: asyncio.AbstractEventLoop
    guards: Guards

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity is Severity.ERROR]

    def port(self, declared: int | None = None) -> int:
        """The port opened for a declared one; for the lowest where none is named."""
        return self.ports[min(self.ports) if declared is None else declared]

    def connect(self, declared: int | None = None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port(declared), timeout=SECONDS)

    def call(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
    ) -> Answered:
        """One REST call on a connection of its own; an iterable body is sent in chunks."""
        connection = self.connect(port)
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            named = [(key.lower(), value) for key, value in response.getheaders()]
            return Answered(response.status, named, response.read())
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """All that is answered to these bytes, up to the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.port()), SECONDS) as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answered:
        return self.call("GET", target, None, headers)

    def post(
        self, target: str, value: object, headers: Mapping[str, str] | None = None
    ) -> Answered:
        typed = {"content-type": "application/json", **(headers or {})}
        return self.call("POST", target, json.dumps(value).encode(), typed)

    def tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
        mode: Literal["auto", "legacy"] = "auto",
        meta: Mapping[str, Any] | None = None,
    ) -> CallToolResult:
        """What a tool answers to the official client, which sends these headers."""

        async def call() -> CallToolResult:
            async with self._client(port, headers, mode) as client:
                given = None if meta is None else cast(RequestParamsMeta, dict(meta))
                return await client.call_tool(name, dict(arguments or {}), meta=given)

        return self.run(call())

    def tools(
        self, headers: Mapping[str, str] | None = None, *, port: int | None = None
    ) -> dict[str, Tool]:
        """The tools that the official client is told of, by name."""

        async def tools() -> list[Tool]:
            async with self._client(port, headers) as client:
                return (await client.list_tools()).tools

        return {tool.name: tool for tool in self.run(tools())}

    @asynccontextmanager
    async def _client(
        self,
        port: int | None,
        headers: Mapping[str, str] | None,
        mode: Literal["auto", "legacy"] = "auto",
    ) -> AsyncIterator[Client]:
        url = f"http://127.0.0.1:{self.port(port)}/mcp"
        async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, run beside the server."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(SECONDS)


def tool_text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def tool_value(result: CallToolResult) -> Any:
    """The JSON that a tool answered with."""
    assert not result.is_error, tool_text(result)
    return json.loads(tool_text(result))


@contextmanager
def served(
    *files: Path | str,
    variables: Mapping[str, str] | None = None,
    base_uris: Mapping[str, str] | None = None,
    settings: RuntimeSettings = NO_SETTINGS,
    store: StateStore | None = None,
    journal: Journal | None = None,
) -> Iterator[ServedFiles]:
    """Serves files, given as paths or as text, under an operator's settings."""
    loaded = tuple(_load(file, variables or {}, base_uris or {}) for file in files)
    plans = [file.plan for file in loaded if file.plan is not None]
    ports = PortSettings(host="127.0.0.1", moved=dict.fromkeys(_declared(plans), 0))
    tables, found = build_tables(plans, ports)
    with asyncio.Runner() as runner, _running(runner.get_loop()) as loop:

        def run(work: Coroutine[Any, Any, T]) -> T:
            return asyncio.run_coroutine_threadsafe(work, loop).result(SECONDS)

        upstreams = HttpUpstreams(UpstreamSettings())
        upstreams.adopt(settings)
        streams = HttpStreams(UpstreamSettings(), upstreams.send, upstreams.traffic)
        kept = store or MemoryStore()
        guards = Guards(upstreams, kept)
        guards.adopt(settings, plans, kept, journal)

        def call(plan: OperationPlan, inputs: Inputs) -> Awaitable[Outcome]:
            guarded = guards.for_call(plan, inputs)
            return execute(plan, inputs, upstreams) if guarded is None else guarded.run()

        service = Service(ports, call, grace=0, streams=GuardedStreams(streams, guards))
        applied = run(service.apply(tables))
        try:
            yield ServedFiles(
                loaded,
                (*(p for file in loaded for p in file.problems), *found, *applied.problems),
                {port.plan.declared: port.port for port in applied.ports},
                loop,
                guards,
            )
        finally:
            run(service.stop())
            run(streams.aclose())
            run(upstreams.aclose())


def _load(
    file: Path | str, variables: Mapping[str, str], base_uris: Mapping[str, str]
) -> LoadedFile:
    if isinstance(file, Path):
        return load_file(file, variables, base_uris)
    return load_file(Path("served.yaml"), variables, base_uris, file.encode())


def _declared(plans: Iterable[CapabilityPlan]) -> set[int]:
    ports = [adapter.port for plan in plans for adapter in plan.rest]
    ports += [adapter.port for plan in plans for adapter in plan.mcp if adapter.port is not None]
    ports += [adapter.port for plan in plans for adapter in plan.skills]
    return set(ports)


@contextmanager
def _running(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.AbstractEventLoop]:
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
