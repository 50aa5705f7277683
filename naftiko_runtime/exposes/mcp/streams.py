"""Small ASGI pieces: an input replayed, an output corrected, a stream ended from outside."""

from __future__ import annotations

import anyio
from starlette.types import Message, Receive, Send

from naftiko_runtime.exposes.mcp.json_numbers import restore_numbers


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body which has been read already, then what follows it."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def with_exact_numbers(send: Send) -> Send:
    """A `send` that takes the marks off numbers (see `json_numbers`).

    The SDK sends each JSON answer and each event in one piece. A start with a length is held back
    until the piece that follows it is known.
    """
    held: Message | None = None

    async def send_exact(message: Message) -> None:
        nonlocal held
        if message["type"] == "http.response.start":
            if any(name == b"content-length" for name, _ in message["headers"]):
                held = message
                return
        elif message["type"] == "http.response.body":
            sent = message.get("body", b"")
            body = restore_numbers(sent)
            if held is not None:
                start, held = held, None
                if len(body) != len(sent):
                    start = {**start, "headers": _with_length(start["headers"], len(body))}
                await send(start)
            message = {**message, "body": body}
        await send(message)

    return send_exact


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    return [
        (name, b"%d" % length if name == b"content-length" else value) for name, value in headers
    ]


class EndlessStream:
    """Lets `ended` end a response that goes on until its client hangs up.

    Pass `receive` and `send` to the application in place of the given ones, and `await finish()`
    after it.
    """

    def __init__(self, receive: Receive, send: Send, ended: anyio.Event) -> None:
        self._receive = receive
        self._send = send
        self._ended = ended
        self._open = False

    async def receive(self) -> Message:
        """The next message, or that the client hung up once the stream is to end."""
        message: Message = {"type": "http.disconnect"}
        async with anyio.create_task_group() as tasks:

            async def wait_for_end() -> None:
                await self._ended.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(wait_for_end)
            message = await self._receive()
            tasks.cancel_scope.cancel()
        return message

    async def send(self, message: Message) -> None:
        await self._send(message)
        self._open = message["type"] == "http.response.start" or message.get("more_body", False)

    async def finish(self) -> None:
        """Closes a response that was cut short, so that its connection can be used again."""
        if self._open:
            self._open = False
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
