"""Sends the head of an answer together with the beginning of its body.

uvicorn writes them one after the other, each a packet and a system call, and the second costs more
than making the answer.
"""

from __future__ import annotations

import asyncio
from typing import Final

_JOINED: Final = 64 * 1024
"""Bodies up to so many bytes are copied behind the head."""


class JoinedWrites:
    """Stands for the transport in one exchange of uvicorn, which writes to it and closes it.

    What is written first is held until the next write, or until the loop comes round where there
    is no next one at once: an answer that streams is not kept waiting.
    """

    __slots__ = ("_held", "_is_begun", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None
        self._is_begun = False

    def write(self, data: bytes) -> None:
        if not self._is_begun:
            self._is_begun = True
            self._held = data
            self._loop.call_soon(self._flush)
            return
        held = self._held
        if held is None:
            self._transport.write(data)
        elif len(data) <= _JOINED:
            self._held = None
            self._transport.write(held + data)
        else:
            self._flush()
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._transport.write(held)
