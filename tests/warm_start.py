"""`python -m tests.warm_start SOCKET`: a process that has imported what `naftiko serve` imports at
its start, and forks one that goes on as that command whenever it is asked to.

A request is one message on the socket: the arguments, environment and working directory as JSON,
and beside it four descriptors: the three standard streams, and a pipe to which the new process's
id is written, and on the next line how it ended (as `os.waitstatus_to_exitcode` puts it). The end
of the socket ends this process, not those that it has started.
"""

from __future__ import annotations

import json
import os
import runpy
import select
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

IMPORTED = ("naftiko_runtime.serving.process", "uvloop")
"""What `naftiko serve` imports once it has read its arguments, and when it makes its loop."""

MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]


def await_request(requests: socket.socket) -> Request | None:
    """Forks for each request and reports the ends of what it forked. Returns the request in the
    new process, and None in this one when nobody can ask any more."""
    running: dict[int, tuple[int, int]] = {}
    waiting = select.poll()
    waiting.register(requests, select.POLLIN)
    while True:
        for descriptor, _ in waiting.poll():
            if descriptor in running:
                waiting.unregister(descriptor)
                _report_end(descriptor, *running.pop(descriptor))
                continue
            message, descriptors, *_ = socket.recv_fds(requests, MOST_BYTES, 4)
            if not message:
                return None
            *streams, report = descriptors
            pid = os.fork()
            if pid == 0:
                return Request(**json.loads(message), streams=streams)
            for stream in streams:
                os.close(stream)
            ending = os.pidfd_open(pid)
            running[ending] = pid, report
            waiting.register(ending, select.POLLIN)
            os.write(report, f"{pid}\n".encode())


def _report_end(ending: int, pid: int, report: int) -> None:
    _, status = os.waitpid(pid, 0)
    with suppress(BrokenPipeError):
        os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os.close(report)
    os.close(ending)


def become(request: Request) -> None:
    """Goes on as `python -m naftiko_runtime ARGUMENTS` would after the imports."""
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv[1:] = request.arguments
    runpy.run_module("naftiko_runtime", run_name="__main__", alter_sys=True)


def main() -> None:
    for name in IMPORTED:
        with suppress(ModuleNotFoundError):
            import_module(name)
    request = await_request(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
