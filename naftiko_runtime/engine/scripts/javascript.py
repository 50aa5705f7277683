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
    MiniRacer,
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

    def run(self, task: Task, context: bytes) -> tuple[Reply, bytes]:
        return self._loop.run_until_complete(_run(task, context))


async def _run(task: Task, context: bytes) -> tuple[Reply, bytes]:
    with mini_racer(asyncio.get_running_loop()) as isolate:
        isolate.set_hard_memory_limit(MEMORY)
        try:
            result = await _evaluate(isolate, task, context)
        except JSOOMException:
            return Reply(Ending.MEMORY), b""
        except JSEvalException as error:
            return _failure(str(error), task.sources), b""
    if result is JSUndefined:
        return Reply(Ending.NOTHING), b""
    return with_result(str(result).encode())


async def _evaluate(isolate: MiniRacer, task: Task, context: bytes) -> object:
    await isolate.eval_cancelable(_REALM)
    text = json.dumps(context.decode())
    await isolate.eval_cancelable(f"_naftiko_begin({task.statements}, {text})")
    for source in task.sources:
        await isolate.eval_cancelable(f"{source.text}\n//# sourceURL={source.name}")
    return await isolate.eval_cancelable(_RESULT)


def _failure(text: str, sources: Sequence[Source]) -> Reply:
    """What V8 says of an error: `NAME:LINE: MESSAGE`, the line itself, and the stack."""
    head = _HEAD.match(text)
    message = first_line(head["message"] if head else text)
    ending = Ending.STATEMENTS if STATEMENTS_MARK in message else Ending.ERROR
    names = [source.name for source in sources]
    for frame in (head, *_FRAME.finditer(text)):
        if frame is not None and frame["name"] in names:
            return Reply(ending, message, names.index(frame["name"]), int(frame["line"]))
    if head is None or head["name"] != _REALM_NAME or ending is Ending.STATEMENTS:
        return Reply(ending, message)
    return Reply(Ending.UNFIT, message.partition(": ")[2] or message)
