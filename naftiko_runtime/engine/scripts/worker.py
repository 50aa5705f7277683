"""The process that runs scripts, one at a time, each in a fresh sandbox.

It is started with an empty environment, gives up what it does not need, and ends with its
parent: when its standard input closes, or at the latest when the time of its script is over.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO, Protocol

from naftiko_runtime.engine.scripts.protocol import (
    READY,
    Reply,
    Task,
    decode_task,
    frames,
    read_frame,
    text_frame,
)

_OWN_DATA = 512 * 1024 * 1024
"""Bytes that the process may have altogether, where the system counts them: the last line, behind
the engines' own limits."""
_ORPHAN_SECONDS = 5.0
"""How long after a script's time the process ends itself, should its parent not have done so."""


class Engine(Protocol):
    """Runs scripts of one language."""

    def run(self, task: Task, context: bytes) -> tuple[Reply, bytes]:
        """How a script with this `context` (JSON) ended, and its result (JSON)."""
        ...


def _javascript() -> Engine:
    from naftiko_runtime.engine.scripts.javascript import JavaScript

    return JavaScript()


def _python() -> Engine:
    from naftiko_runtime.engine.scripts.python import Python

    return Python()


ENGINES: dict[str, Callable[[], Engine]] = {"javascript": _javascript, "python": _python}
"""What runs the scripts of each language."""


def main(language: str) -> None:
    """Serves its parent until standard input closes. Never returns."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - what an engine prints is nobody's
        for descriptor in (0, 1, 2):
            os.dup2(nothing.fileno(), descriptor)
    _give_up()
    try:
        engine = ENGINES[language]()
    except Exception as error:
        _send(sink, text_frame(f"{type(error).__name__}: {error}"))
        os._exit(1)
    _send(sink, text_frame(READY))
    try:
        _serve(engine, source, sink)
    finally:
        os._exit(0)  # the engines' own threads would make an orderly end hang


def _serve(engine: Engine, source: BinaryIO, sink: BinaryIO) -> None:
    while (header := read_frame(source)) is not None:
        context = read_frame(source) or b""
        task = decode_task(header)
        _end_after(task.seconds + _ORPHAN_SECONDS)
        reply, result = engine.run(task, context)
        _end_after(0)
        _send(sink, frames(reply, result))


def _send(sink: BinaryIO, message: bytes) -> None:
    sink.write(message)
    sink.flush()


def _give_up() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_DATA: _OWN_DATA,
    }
    for limit, most in limits.items():
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))


def _end_after(seconds: float) -> None:
    """Has the system end this process after that time, 0 for never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main(sys.argv[1])
