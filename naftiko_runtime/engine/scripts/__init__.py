"""Runs scripts, in processes of their own.

JavaScript runs in V8 and Python in Monty: neither has anything that reaches outside, and both are
maintained and come as wheels for every Python this runtime supports. (QuickJS starts faster,
but knows the language of 2020, has no wheels from Python 3.13 on, and a regular expression in it
cannot be interrupted.) A process of its own is what makes their limits hold: V8 ends its process
when memory is short in the wrong place, and some single operations look at no clock, so that only
killing stops them for sure. The event loop goes on meanwhile.

One set of processes belongs to each event loop; `stop_scripts` ends that of the running one.
"""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from naftiko_runtime.engine.scripts.protocol import MEMORY, Ending, Reply, Source, Task
from naftiko_runtime.engine.scripts.workers import Busy, Died, NotStarted, TooSlow, Workers
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.operation import ScriptStepPlan

_RAISE: Final = " - management.scripting.{} of the control adapter sets the limit"
_workers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Workers]] = WeakKeyDictionary()


async def run_script(step: ScriptStepPlan, context: dict[str, JsonValue]) -> MaybeJson:
    """What the script assigned to `result`, MISSING if it assigned nothing. Raises CallFailed
    (SCRIPT_FAILED), which names the file and the line as far as they are known."""
    of_loop = _workers.setdefault(asyncio.get_running_loop(), {})
    workers = of_loop.get(step.language)
    if workers is None:
        workers = of_loop[step.language] = Workers(step.language)
    sources = tuple(Source(source.name, source.text) for source in step.sources)
    task = Task(sources, step.statements, step.timeout)
    try:
        content = encode_json(context)
        reply, result = await workers.run(task, content)
        if reply.ending is Ending.RESULT:
            return decode_json(result)
    except JsonError as error:
        words = f"cannot be run: a value that it sees or gives is no JSON: {error}"
        raise _failed(step, words) from None
    except (Busy, Died, NotStarted, TooSlow) as error:
        raise _failed(step, _explained(error, step)) from None
    if reply.ending is Ending.NOTHING:
        return MISSING
    raise _failed(step, _words(reply, step))


async def stop_scripts() -> None:
    """Ends the processes of the running event loop."""
    for workers in _workers.pop(asyncio.get_running_loop(), {}).values():
        await workers.stop()


def _explained(error: Exception, step: ScriptStepPlan) -> str:
    if isinstance(error, TooSlow):
        return f"was stopped: it ran longer than {step.timeout:g} s{_RAISE.format('timeout')}"
    if isinstance(error, Busy):
        return f"did not run: all of its processes were busy for {step.timeout:g} s"
    if isinstance(error, NotStarted):
        return "did not run: its process cannot be started - the log of the runtime says why"
    return f"was stopped: it used up its memory ({MEMORY // 2**20} MiB), or broke its engine"


def _words(reply: Reply, step: ScriptStepPlan) -> str:
    place = _place(reply, step)
    if reply.ending is Ending.STATEMENTS:
        limit = f"{step.statements} statements{_RAISE.format('statementLimit')}"
        return f"was stopped{place}: it executed more than {limit}"
    if reply.ending is Ending.MEMORY:
        return f"was stopped{place}: it used up its memory ({MEMORY // 2**20} MiB)"
    if reply.ending is Ending.UNFIT:
        return f"gave no JSON: {reply.message}"
    return f"failed{place}: {reply.message}"


def _place(reply: Reply, step: ScriptStepPlan) -> str:
    if reply.source is None or reply.line is None or not 0 <= reply.source < len(step.sources):
        return ""
    source = step.sources[reply.source]
    line = reply.line
    if source.lines:
        line = source.lines[min(max(line, 1), len(source.lines)) - 1]
    return f" at line {line}" if source.name == step.file else f' in "{source.name}" at line {line}'


def _failed(step: ScriptStepPlan, words: str) -> CallFailed:
    for secret in step.secrets:
        words = words.replace(secret, "***")
    return fail(FailureKind.SCRIPT_FAILED, f'the script "{step.file}" {words}')
