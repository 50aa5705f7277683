"""Runs Python in Monty (pydantic-monty), an interpreter of its own in a process of its own, with
a fresh session for each script.

Monty has a part of the language and of the standard library; files, environment, network and
processes are not in it. Sleeping takes no time, what is printed goes nowhere, and `eval` and
`exec` do not run, since such code would not count its statements.

Numbers: integers of any size are integers, numbers that a float stands for are floats, and all
others are Decimals, which Python does not calculate with floats. All are numbers again in the
result.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pydantic_monty import (
    Monty,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    MontySyntaxError,
    ResourceLimits,
)

from naftiko_runtime.engine.scripts.protocol import (
    MEMORY,
    STATEMENTS_MARK,
    Ending,
    Reply,
    Task,
    first_line,
    with_result,
)
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue

_GRACE: Final = 1.0

_PRELUDE: Final = f"""
import decimal as _naftiko_decimal

def _naftiko_count():
    global _naftiko_left
    _naftiko_left -= 1
    if _naftiko_left < 0:
        raise RuntimeError("{STATEMENTS_MARK}")

def _naftiko_plain(value):
    if value is None or isinstance(value, (bool, int, str, _naftiko_decimal.Decimal)):
        return value
    if isinstance(value, float):
        if value != value or value - value != 0:
            raise ValueError(f"result holds {{value}}")
        return value
    if isinstance(value, (list, tuple)):
        return [_naftiko_plain(item) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"result holds the key {{key!r}}, which is no text")
        return {{key: _naftiko_plain(item) for key, item in value.items()}}
    raise TypeError(f"result holds a {{type(value).__name__}}, which is no JSON")

def eval(*arguments, **named):
    raise RuntimeError("eval does not run here: its statements could not be counted")

def exec(*arguments, **named):
    raise RuntimeError("exec does not run here: its statements could not be counted")
"""


class Python:
    """Owns Monty's process, which ends with this one."""

    def __init__(self) -> None:
        self._pool = Monty(max_processes=1).__enter__()

    def run(self, task: Task, context: bytes) -> tuple[Reply, bytes]:
        limits: ResourceLimits = {
            "max_feed_duration_secs": task.seconds + _GRACE,
            "max_memory": MEMORY,
        }
        try:
            with self._pool.checkout(limits=limits, os_policy={"sleep": "zero"}) as session:
                return _Run(session, task).run(context)
        except MontyCrashedError:
            return Reply(Ending.MEMORY), b""


class _Run:
    """One script in its session. Feed 0 is the prelude, feed n the n-th source."""

    def __init__(self, session: MontySession, task: Task) -> None:
        self._session = session
        self._task = task

    def run(self, context: bytes) -> tuple[Reply, bytes]:
        visible = _for_script(decode_json(context))
        inputs = {"context": visible, "_naftiko_left": self._task.statements}
        try:
            self._session.feed_run(_PRELUDE, inputs=inputs, print_callback=_drop)
            for source in self._task.sources:
                self._session.feed_run(source.text, print_callback=_drop)
        except MontyCrashedError:
            raise
        except MontyError as error:
            return _failure(error, len(self._task.sources)), b""
        return self._result()

    def _result(self) -> tuple[Reply, bytes]:
        try:
            value = self._session.feed_run("_naftiko_plain(result)", print_callback=_drop)
            return with_result(encode_json(value))
        except MontyRuntimeError as error:
            inner = error.exception()
            if isinstance(inner, NameError):
                return Reply(Ending.NOTHING), b""
            if isinstance(inner, RecursionError):
                return Reply(Ending.UNFIT, "result is nested too deeply, or holds itself"), b""
            if isinstance(inner, MemoryError):
                return Reply(Ending.MEMORY), b""
            return Reply(Ending.UNFIT, first_line(error.display("msg"))), b""
        except (JsonError, RecursionError) as error:
            return Reply(Ending.UNFIT, f"result is no JSON: {error}"), b""


def _drop(stream: str, text: str) -> None:
    """What a script prints is nobody's."""


def _for_script(value: JsonValue) -> object:
    """A value as scripts get it: a Decimal that a float stands for is that float, whatever zeros
    it was written with, so that it does not depend on them what a script can calculate."""
    if isinstance(value, dict):
        return {key: _for_script(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_for_script(item) for item in value]
    if isinstance(value, Decimal):
        near = float(value)
        return near if Decimal(repr(near)) == value else value
    return value


def _failure(error: MontyError, sources: int) -> Reply:
    if not isinstance(error, MontyRuntimeError | MontySyntaxError):
        return Reply(Ending.ERROR, first_line(str(error)))
    message = first_line(error.display("type-msg"))
    inner = error.exception()
    if STATEMENTS_MARK in message:
        ending = Ending.STATEMENTS
    else:
        ending = Ending.MEMORY if isinstance(inner, MemoryError) else Ending.ERROR
    for frame in reversed(error.traceback()):
        feed = frame.filename.removeprefix("<python-input-").removesuffix(">")
        if feed.isdecimal() and 1 <= int(feed) <= sources:
            return Reply(ending, message, int(feed) - 1, frame.line)
    return Reply(ending, message)
