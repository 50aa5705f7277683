"""Runs JavaScript in V8 (mini-racer), a new isolate for each script.

V8 has no function that reads files, connects or starts programs unless its host adds one, and
none is added. It interprets only (`--jitless`), which also takes WebAssembly away, and compiles no
text at run time (`eval`, `Function`), since such code would not count its statements.

Numbers: integers beyond 2^53 arrive as BigInt, and others that no JavaScript number stands for,
such as 0.1000000000000000055, as `JSON.rawJSON` objects, which calculate to an error and keep
every digit when they are passed on. Both are numbers again in the result.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from py_mini_racer import (
    JSEvalException,
    JSOOMException,
    JSUndefined,
    init_mini_racer,
    mini_racer,
)

from naftiko_runtime.engine.scripts.protocol import (
    MEMORY,
    STATEMENTS_MARK,
    Ending,
    Reply,
    Source,
    Task,
    first_line,
    with_result,
)

_FLAGS: Final = ("--single-threaded", "--jitless", "--disallow-code-generation-from-strings")
_REALM: Final = Path(__file__).with_name("realm.js").read_text(encoding="utf-8")
_NAMELESS: Final = "<anonymous>"
_REALM_NAME: Final = "naftiko:realm"
_RESULT: Final = '_naftiko_result(typeof result === "undefined" ? undefined : result)'
_HEAD: Final = re.compile(r"(?P<name>\S+?):(?P<line>\d+): (?P<message>.*)", re.DOTALL)
_FRAME: Final = re.compile(r"(?:\(|\bat )(?P<name>[^\s():]+):(?P<line>\d+):\d+\)?$", re.MULTILINE)


class JavaScript:
    """Owns the event loop that V8's answers arrive on."""

    def __init__(self) -> None:
        init_mini_racer(flags=_FLAGS)
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(_run(Task((), 0, 0), b"{}"))
        _open_no_more()

    def run(self, task: Task, context: bytes) -> tuple[Reply, bytes]:
        return self._loop.run_until_complete(_run(task, context))


def _open_no_more() -> None:
    """From now on this process can open no file and no connection, whatever the script did to the
    engine; what is open already stays so."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


async def _run(task: Task, context: bytes) -> tuple[Reply, bytes]:
    with mini_racer(asyncio.get_running_loop()) as isolate:
        isolate.set_hard_memory_limit(MEMORY)
        begin = f"_naftiko_begin({task.statements}, {json.dumps(context.decode())})"
        result: object = None
        running = -2
        try:
            for code in (_REALM, begin, *map(_evaluable, task.sources), _RESULT):
                result = await isolate.eval_cancelable(code)
                running += 1
        except JSOOMException:
            return Reply(Ending.MEMORY), b""
        except JSEvalException as error:
            return _failure(str(error), task.sources, running), b""
    if result is JSUndefined:
        return Reply(Ending.NOTHING), b""
    return with_result(str(result).encode())


def _evaluable(source: Source) -> str:
    """A source under its name, and with a value that Python can have: it would wait without end
    for one that it cannot, such as half a surrogate pair."""
    return f"{source.text}\n;0\n//# sourceURL={source.name}"


def _failure(text: str, sources: Sequence[Source], running: int) -> Reply:
    """What V8 says of an error: `NAME:LINE: MESSAGE`, the line itself, and the stack. It has no
    name for a text that it could not parse: the one that was to run."""
    head = _HEAD.match(text)
    message = first_line(head["message"] if head else text)
    ending = Ending.STATEMENTS if STATEMENTS_MARK in message else Ending.ERROR
    names = [source.name for source in sources]
    for frame in (head, *_FRAME.finditer(text)):
        if frame is not None and frame["name"] in names:
            return Reply(ending, message, names.index(frame["name"]), int(frame["line"]))
    if head is not None and head["name"] == _NAMELESS and 0 <= running < len(sources):
        return Reply(ending, message, running, int(head["line"]))
    if head is None or head["name"] != _REALM_NAME or ending is Ending.STATEMENTS:
        return Reply(ending, message)
    return Reply(Ending.UNFIT, message.partition(": ")[2] or message)
