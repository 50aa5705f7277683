"""The log of this process as control ports show it: its levels, and its lines as they are written.

Followers get what the operator gets, as JSON, but for tracebacks and for links that let in whoever
has them: those are for whoever reads the log on the machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Mapping
from typing import Final

from naftiko_runtime.serving.logs import LOGGER, is_private, log_document

_MOST_WAITING: Final = 1000
"""Lines that wait for a follower who reads slowly; the oldest make room."""
_HEARTBEAT_SECONDS: Final = 15.0
_HEARTBEAT: Final = b": still here\n\n"


class LogSubscription:
    """One follower: a Stream of server-sent events, `log` for each line and `dropped` for lines
    that went by unsent. Used from the event loop; ends with `close`."""

    content_type = b"text/event-stream"

    def __init__(self, hub: LogHub) -> None:
        self._hub = hub
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._dropped = 0
        self._news = asyncio.Event()
        self._is_open = True

    def take(self, line: bytes) -> None:
        if len(self._waiting) == _MOST_WAITING:
            self._dropped += 1
        self._waiting.append(line)
        self._news.set()

    async def next(self) -> bytes | None:
        while self._is_open:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return _event("dropped", json.dumps({"lines": dropped}).encode())
            if self._waiting:
                return _event("log", self._waiting.popleft())
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), _HEARTBEAT_SECONDS)
            except TimeoutError:
                return _HEARTBEAT
        return None

    def close(self) -> None:
        self._is_open = False
        self._news.set()
        self._hub.leave(self)


class LogHub(logging.Handler):
    """The log of the process, with its followers. Made on the event loop, which alone calls what
    is not part of `logging`; records may come from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._followers: set[LogSubscription] = set()

    # Levels

    def levels(self) -> Mapping[str, str]:
        names = [LOGGER.name, *(name for name in logging.root.manager.loggerDict if _is_ours(name))]
        loggers = (logging.getLogger(name) for name in names)
        return {
            logger.name: logging.getLevelName(logger.getEffectiveLevel()).lower()
            for logger in loggers
        }

    def set_level(self, logger: str, level: str) -> None:
        logging.getLogger(logger).setLevel(level.upper())

    # Followers

    def subscribe(self, most: int) -> LogSubscription | None:
        if len(self._followers) >= most:
            return None
        subscription = LogSubscription(self)
        self._followers.add(subscription)
        LOGGER.addHandler(self)
        return subscription

    def leave(self, subscription: LogSubscription) -> None:
        self._followers.discard(subscription)
        if not self._followers:
            LOGGER.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if is_private(record):
            return
        line = json.dumps(log_document(record), ensure_ascii=True, default=str).encode()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._publish, line)

    def _publish(self, line: bytes) -> None:
        for follower in self._followers:
            follower.take(line)


def _is_ours(name: str) -> bool:
    """Not those of libraries, which may log what they send, credentials included."""
    return name.startswith(f"{LOGGER.name}.")


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
