"""Starts and stops the programs of a measurement, on free ports of the loopback interface."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 180.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Running:
    """A started program and the port it answers on."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def wait_for_port(self) -> None:
        """Until the port accepts connections. Raises RuntimeError."""
        self._wait_until(self._accepts, f"port {self.port} was not opened")

    def wait_for_line(self, beginning: str) -> None:
        """Until it prints a line that begins so. Raises RuntimeError."""
        self._wait_until(lambda: self._printed(beginning), f'"{beginning}" was not printed')

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True

    def _printed(self, beginning: str) -> bool:
        lines = self.log.read_text(errors="replace").splitlines()
        return any(line.startswith(beginning) for line in lines)

    def _wait_until(self, condition: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                end = self.log.read_text(errors="replace")[-800:]
                raise RuntimeError(f"{complaint}: {end}")
            time.sleep(0.004)

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def resident_megabytes(self) -> float:
        """Memory of the program and its children."""
        return sum(_resident(pid) for pid in _family(self.process.pid)) / 1e6

    def cpu_seconds(self) -> float:
        """User and system time of the program and its children so far."""
        return sum(_ticks(pid) for pid in _family(self.process.pid)) / _TICKS_A_SECOND


def start(
    command: Sequence[str],
    port: int,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Running:
    """Starts a program and waits until its port accepts connections. Raises RuntimeError with the
    end of what it printed when it does not."""
    running = begin(command, port, log, environment=environment, folder=folder)
    running.wait_for_port()
    return running


def begin(
    command: Sequence[str],
    port: int,
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Running:
    """Starts a program, and does not wait.

    It keeps its compiled modules as any installed program does, whatever this process was told.
    """
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=output,
            env={**inherited, **(environment or {})},
            start_new_session=True,
        )
    return Running(process, port, log)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _ticks(pid: int) -> int:
    """User and system time of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
