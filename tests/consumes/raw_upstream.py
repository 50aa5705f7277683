"""An upstream that a test plays byte by byte, on a real socket in the test's own event loop.

async def answer(connection: Connection) -> None:
    await connection.request()
    await connection.say(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

async with raw_upstream(answer) as upstream:
    ...                                     # upstream.url, upstream.requests
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

WAIT_SECONDS = 20.0
"""How long a test waits for something that should happen at once, before it fails."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it came: the bytes of its first line, its headers in order, its body."""

    line: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def target(self) -> bytes:
        return self.line.split(b" ")[1]

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(slots=True)
class RawUpstream:
    """What a test sees of its upstream. `connections` counts those accepted."""

    port: int
    scheme: str
    requests: list[RawRequest] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a caller has closed or reset a connection that `until_left` watches."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"


class Connection:
    """One accepted connection, for the test's script to play on."""

    def __init__(
        self,
        upstream: RawUpstream,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: int,
    ) -> None:
        self.upstream = upstream
        self.reader = reader
        self.writer = writer
        self.number = number

    async def request(self) -> RawRequest:
        """The next request. Raises IncompleteReadError when the caller is gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        line, *fields = head[:-4].split(b"\r\n")
        headers = tuple(
            (name, value.strip()) for name, _, value in (f.partition(b":") for f in fields)
        )
        length = next((int(v) for k, v in headers if k.lower() == b"content-length"), 0)
        request = RawRequest(line, headers, await self.reader.readexactly(length))
        self.upstream.requests.append(request)
        return request

    async def say(self, data: bytes) -> None:
        """Raises ConnectionError when the caller is gone."""
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"{}", *headers: bytes, status: bytes = b"200 OK") -> None:
        lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
        await self.say(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def reset(self) -> None:
        """Ends the connection with a TCP reset, unless the caller has ended it."""
        sock = self.writer.get_extra_info("socket")
        if sock is None:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()

    async def until_left(self) -> None:
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.upstream.left.set()


Script = Callable[[Connection], Awaitable[None]]


@asynccontextmanager
async def raw_upstream(
    script: Script, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawUpstream]:
    """Plays `script` on every connection, then closes it."""
    tasks: set[asyncio.Task[None]] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(Connection(upstream, reader, writer, upstream.connections))
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(play(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    upstream = RawUpstream(server.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield upstream
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result


async def answer_all(connection: Connection) -> None:
    """A script: answers every request on the connection with an empty object."""
    while True:
        await connection.request()
        await connection.answer()
