"""Starts `naftiko` in a process that has the imports of `naftiko serve` behind it, 0.4 s of work.

Only Linux can: `can_start_warm()` says whether this machine does.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent


class WarmProcess:
    """What tests use of `subprocess.Popen`, for a process that somebody else is the parent of."""

    def __init__(self, arguments: Sequence[str], report: int, stderr: TextIO) -> None:
        self._arguments = arguments
        self._report = os.fdopen(report)
        self.stderr = stderr
        self.pid = int(self._report.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code (minus the signal's number), or None while it runs."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(self._arguments), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended_within(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], seconds)[0]:
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode


def can_start_warm() -> bool:
    return sys.platform == "linux"


def start_warm(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    added: Mapping[str, str],
    folder: Path | None = None,
) -> WarmProcess:
    """`naftiko ARGUMENTS` without standard input and output, its standard error as text. Python
    has been started with `environment`; `added` are variables that only the command looks at."""
    message = json.dumps(
        {
            "arguments": list(arguments),
            "environment": {**environment, **added},
            "folder": str(folder or Path.cwd()),
        }
    )
    errors, error_end = os.pipe()
    report, report_end = os.pipe()
    nothing = os.open(os.devnull, os.O_RDWR)
    given = [nothing, nothing, error_end, report_end]
    forker = _forker(tuple(environment.items()))
    socket.send_fds(forker, [message.encode()], given)
    for descriptor in {*given}:
        os.close(descriptor)
    return WarmProcess(arguments, report, os.fdopen(errors))


@cache
def _forker(environment: tuple[tuple[str, str], ...]) -> socket.socket:
    """The socket of the process that forks, which is started once and ends with this one."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm_start", str(its.fileno())],
        env=dict(environment),
        cwd=ROOT,
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    its.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
