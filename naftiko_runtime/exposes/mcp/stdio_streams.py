"""The two streams of a client over standard input and output, as the SDK's server uses them."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

import anyio
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

from naftiko_runtime.exposes.mcp.json_numbers import restore_numbers

PATIENCE: Final = 10.0
"""Seconds that calls in flight may go on after a client has closed our standard input."""


class Outstanding:
    """The requests that have not been answered yet; shared by the two streams of a client."""

    def __init__(self) -> None:
        self._ids: set[str | int] = set()
        self._none = anyio.Event()
        self._none.set()

    def begin(self, id: str | int) -> None:
        if not self._ids:
            self._none = anyio.Event()
        self._ids.add(id)

    def end(self, id: str | int | None) -> None:
        if id is not None:
            self._ids.discard(id)
        if not self._ids:
            self._none.set()

    async def wait(self) -> None:
        """Until all are answered, for PATIENCE at most."""
        with anyio.move_on_after(PATIENCE):
            await self._none.wait()


class PatientReader:
    """Hands on what a client sends, and its end only once its requests are answered: the server
    gives up what it is doing at the end, and an order must not be cut off halfway."""

    def __init__(
        self, stream: ReadStream[SessionMessage | Exception], outstanding: Outstanding
    ) -> None:
        self._stream = stream
        self._outstanding = outstanding

    async def receive(self) -> SessionMessage | Exception:
        try:
            item = await self._stream.receive()
        except anyio.EndOfStream:
            await self._outstanding.wait()
            raise
        return self._noted(item)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            item = await anext(self._stream)
        except StopAsyncIteration:
            await self._outstanding.wait()
            raise
        return self._noted(item)

    def _noted(self, item: SessionMessage | Exception) -> SessionMessage | Exception:
        message = item.message if isinstance(item, SessionMessage) else None
        # a subscription is answered at the very end alone
        if isinstance(message, JSONRPCRequest) and message.method != "subscriptions/listen":
            self._outstanding.begin(message.id)
        return item

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(kind, error, traceback)


class _ExactResponse(JSONRPCResponse):
    """A response that is written with its numbers exact (see `json_numbers`)."""

    def model_dump_json(self, *args: object, **options: object) -> str:
        text = super().model_dump_json(*args, **options)  # type: ignore[arg-type]
        return restore_numbers(text.encode()).decode()


class ExactWriter:
    """Hands on what the server answers, responses as `_ExactResponse`."""

    def __init__(self, stream: WriteStream[SessionMessage], outstanding: Outstanding) -> None:
        self._stream = stream
        self._outstanding = outstanding

    async def send(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCResponse):
            exact = _ExactResponse(jsonrpc="2.0", id=message.id, result=message.result)
            item = SessionMessage(exact, item.metadata)
        await self._stream.send(item)
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self._outstanding.end(message.id)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await self._stream.__aexit__(kind, error, traceback)
