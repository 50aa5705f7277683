"""The processes that run scripts: at most so many for each language, started when they are needed,
used again after a script that ended by itself, and killed with one that did not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from dataclasses import field
from pathlib import Path
from typing import Final

import msgspec

from naftiko_runtime.engine.scripts.protocol import (
    LARGEST_FRAME,
    LENGTH,
    READY,
    Ending,
    Reply,
    Task,
    decode_reply,
    frames,
)
from naftiko_runtime.lazy_dataclasses import dataclass

_log = logging.getLogger("naftiko.scripts")

MOST: Final = min(4, max(2, os.cpu_count() or 2))
"""How many scripts of one language run at the same time."""

_START_SECONDS: Final = 30.0
_KEPT_VARIABLES: Final = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_ROOT: Final = Path(sys.executable).anchor
"""The working directory of the processes: a folder that is nobody's."""
_ENTRY: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from naftiko_runtime.engine.scripts.worker import main; main(sys.argv[1])"
)


class Busy(Exception):
    """All processes were at work for as long as the script might have run itself."""


class TooSlow(Exception):
    """The script did not end in its time; its process is gone."""


class Died(Exception):
    """The process ended in the middle of the script, or answered what is no reply."""


class NotStarted(Exception):
    """No process could be started."""


class Worker:
    """One process. Whoever runs a task on it has it alone."""

    def __init__(self, process: asyncio.subprocess.Process, language: str) -> None:
        self._process = process
        self._language = language

    @classmethod
    async def start(cls, language: str) -> Worker:
        """A process that has to be greeted before it runs anything."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-c", _ENTRY, language, json.dumps(_import_path())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
            | {"TZ": "UTC"},
            cwd=_ROOT,
            start_new_session=True,
        )
        return cls(process, language)

    async def greet(self) -> None:
        """Waits until the process is ready. Raises NotStarted, and logs why."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                greeting = (await self._read_frame()).decode()
        except (asyncio.IncompleteReadError, OSError, TimeoutError) as error:
            greeting = f"it gave no sign of life: {type(error).__name__}"
        except BaseException:
            self.kill()
            raise
        if greeting != READY:
            self.kill()
            _log.error("no process for scripts in %s: %s", self._language, greeting)
            raise NotStarted

    async def run(self, task: Task, context: bytes) -> tuple[Reply, bytes]:
        """Raises TooSlow or Died; then, and when it is cancelled, the process is gone."""
        try:
            async with asyncio.timeout(task.seconds):
                stdin = self._process.stdin
                assert stdin is not None
                stdin.write(frames(task, context))
                await stdin.drain()
                header = await self._read_frame()
                return decode_reply(header), await self._read_frame()
        except TimeoutError:
            self.kill()
            raise TooSlow from None
        except (asyncio.IncompleteReadError, OSError, msgspec.MsgspecError):
            self.kill()
            raise Died from None
        except BaseException:
            self.kill()
            raise

    async def _read_frame(self) -> bytes:
        length = LENGTH.unpack(await self._read(LENGTH.size))[0]
        if length > LARGEST_FRAME:
            raise OSError("the reply is too large")
        return await self._read(length)

    async def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.readexactly(count)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    def kill(self) -> None:
        """Ends the process, and what it may have started, at once. The number of one that has ended
        may be another's by now."""
        if not self.is_alive:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    async def stop(self) -> None:
        self.kill()
        await self._process.wait()


def _import_path() -> list[str]:
    """Where this process imports from, so that the other one finds the same; there the working
    directory is another."""
    return [path or str(Path.cwd()) for path in sys.path]


@dataclass(slots=True)
class Workers:
    """The processes of one language. Ends with `stop`."""

    language: str
    _idle: list[Worker] = field(default_factory=list)
    _busy: set[Worker] = field(default_factory=set)
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST))

    async def run(self, task: Task, context: bytes) -> tuple[Reply, bytes]:
        """Raises Busy, NotStarted, TooSlow or Died."""
        try:
            async with asyncio.timeout(task.seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            worker = await self._worker()
            reply, result = await worker.run(task, context)
            self._busy.discard(worker)
            if reply.ending is Ending.MEMORY:
                await worker.stop()
            else:
                self._idle.append(worker)
            return reply, result
        finally:
            self._free.release()

    async def _worker(self) -> Worker:
        """One that is alive, among the busy ones from now on."""
        self._busy = {worker for worker in self._busy if worker.is_alive}
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                self._busy.add(worker)
                return worker
        worker = await Worker.start(self.language)
        self._busy.add(worker)
        await worker.greet()
        return worker

    async def stop(self) -> None:
        """Ends all processes and waits until they are gone, also those that a call has left."""
        left = {*self._idle, *self._busy}
        self._idle.clear()
        self._busy.clear()
        for worker in left:
            await worker.stop()
