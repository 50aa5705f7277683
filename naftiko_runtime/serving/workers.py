"""Several serving processes on the same ports, and the parent that looks after them.

Each worker is a complete process of its own: it loads and watches the files itself, and the
kernel spreads the connections over the workers' sockets (SO_REUSEPORT). They share nothing, so
the sessions of MCP clients with a handshake belong to the worker that began them.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from dataclasses import field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.serving.logs import log_event, set_up_logs
from naftiko_runtime.serving.program import run_program
from naftiko_runtime.serving.settings import ServeSettings

_BACKOFF_SECONDS = (0.1, 0.5, 2.0, 5.0, 10.0)
_SETTLED_SECONDS = 60.0
"""A worker that lived this long before it died is restarted as if it were its first death."""
_AFTER_GRACE_SECONDS = 5.0


@dataclass(slots=True)
class _Worker:
    number: int
    process: BaseProcess
    ready: Connection
    is_ready: bool = False
    deaths: int = 0
    started: float = field(default_factory=time.monotonic)
    restart_at: float | None = None


def can_share_ports() -> bool:
    """Whether this system lets several processes listen on one port."""
    return hasattr(socket, "SO_REUSEPORT")


def run_workers(settings: ServeSettings) -> int:
    """Serves with `settings.workers` processes until a signal ends them; returns the exit code.

    The first worker says what there is to say, and opens the ports before the others start: if it
    cannot, its exit code is the result.
    """
    set_up_logs(settings.logs)
    return _Supervisor(settings).run()


def _work(settings: ServeSettings, ready: Connection) -> None:
    """The body of a worker process. Ctrl+C at a terminal is for the parent alone, which passes it
    on; when the parent is gone, there is nobody left to stop for."""
    os.setpgid(0, 0)
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker is started by its supervisor"
    threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()
    raise SystemExit(run_program(settings, ready=lambda: ready.send(True)))


def _follow(parent: int) -> None:
    wait([parent])
    os.kill(os.getpid(), signal.SIGTERM)


class _Supervisor:
    """Owns the worker processes, from `run` to its end."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._signals = 0
        self._complete = False
        self._wake, self._waker = self._context.Pipe(duplex=False)

    def run(self) -> int:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._on_signal)
        first = self._start(0, claim=True)
        self._workers.append(first)
        while not self._signals and not first.is_ready:
            self._wait_for_news(None)
            if not first.process.is_alive() and not first.is_ready:
                return first.process.exitcode or 0
        for number in range(1, self._settings.workers):
            self._workers.append(self._start(number))
        while not self._signals:
            self._wait_for_news(self._next_restart())
            self._restart_the_dead()
            self._say_when_complete()
        return self._stop()

    def _start(self, number: int, claim: bool = False) -> _Worker:
        ports = replace(self._settings.ports, shared=True, claim=claim)
        settings = replace(self._settings, ports=ports, reports=number == 0)
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_work, args=(settings, sender), name=f"naftiko worker {number}"
        )
        process.start()
        sender.close()
        return _Worker(number, process, receiver)

    def _wait_for_news(self, seconds: float | None) -> None:
        """Until a worker is ready or dead, a signal came, or the time is over."""
        starting = {w.ready: w for w in self._workers if w.restart_at is None and not w.is_ready}
        running = [w.process.sentinel for w in self._workers if w.restart_at is None]
        for news in wait([self._wake, *starting, *running], seconds):
            if news is self._wake:
                self._wake.recv()
            elif isinstance(news, Connection) and news in starting:
                _note_ready(starting[news])

    def _next_restart(self) -> float | None:
        times = [w.restart_at for w in self._workers if w.restart_at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _restart_the_dead(self) -> None:
        now = time.monotonic()
        for index, worker in enumerate(self._workers):
            if worker.restart_at is None and not worker.process.is_alive():
                if now - worker.started > _SETTLED_SECONDS:
                    worker.deaths = 0
                pause = _BACKOFF_SECONDS[min(worker.deaths, len(_BACKOFF_SECONDS) - 1)]
                worker.deaths += 1
                worker.restart_at = now + pause
                _say_died(worker, pause)
            elif worker.restart_at is not None and worker.restart_at <= now:
                worker.ready.close()
                self._workers[index] = self._start(worker.number)
                self._workers[index].deaths = worker.deaths

    def _say_when_complete(self) -> None:
        complete = all(worker.is_ready and worker.restart_at is None for worker in self._workers)
        if complete and not self._complete:
            number = len(self._workers)
            log_event(logging.INFO, "workers", f"{number} workers are serving", workers=number)
        self._complete = complete

    def _on_signal(self, number: int, frame: object) -> None:
        self._signals += 1
        self._waker.send(None)
        if self._signals > 1:
            self._pass_on(signal.SIGTERM)

    def _pass_on(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process.is_alive() and worker.process.pid is not None:
                os.kill(worker.process.pid, number)

    def _stop(self) -> int:
        """Stops the workers; those that do not end by themselves are killed."""
        self._pass_on(signal.SIGTERM)
        end = time.monotonic() + self._settings.grace + _AFTER_GRACE_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        return 0


def _note_ready(worker: _Worker) -> None:
    try:
        worker.is_ready = bool(worker.ready.recv())
    except EOFError:
        worker.is_ready = False


def _say_died(worker: _Worker, pause: float) -> None:
    code = worker.process.exitcode
    message = f"worker {worker.number} ended with {code}; it is started again in {pause:g} s"
    log_event(logging.ERROR, "worker-died", message, worker=worker.number, exit_code=code)
