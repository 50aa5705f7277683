"""Sends a request on a connection and waits for its whole answer."""

from __future__ import annotations

import asyncio

from naftiko_runtime.consumes.http1.answer import AnswerReader
from naftiko_runtime.consumes.http1.connection import Connection
from naftiko_runtime.consumes.http1.endings import NoAnswer
from naftiko_runtime.consumes.messages import UpstreamResponse


class _Whole:
    """Takes an answer when it is complete."""

    __slots__ = ("answer",)

    def __init__(self, answer: asyncio.Future[UpstreamResponse]) -> None:
        self.answer = answer

    def fed(self, reader: AnswerReader) -> None:
        if reader.complete:
            response = reader.response()
            if not self.answer.done():
                self.answer.set_result(response)

    def fail(self, error: NoAnswer) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def exchange(
    connection: Connection,
    head: bytes,
    content: bytes | None,
    deadline: float,
    limit: int,
    *,
    is_head: bool,
) -> UpstreamResponse:
    """The answer to a request; `deadline` is in the loop's time, `limit` is the largest body.
    Raises NoAnswer, or CancelledError, which ends the connection."""
    whole = _Whole(connection.loop.create_future())
    connection.begin(whole, head, content, deadline, limit, is_head=is_head)
    try:
        return await whole.answer
    except asyncio.CancelledError:
        connection.give_up(whole)
        raise
