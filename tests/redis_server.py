"""Starts a real Redis server of the system's packages for tests.

with RedisServer(tmp_path) as redis:
    open_store(Secret(redis.url))
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A server on a free loopback port with an empty memory, which `start` and `stop` may turn off
    and on; the test is skipped where no `redis-server` is installed. `options` are lines of its
    configuration, such as `requirepass secret`."""

    def __init__(self, folder: Path, options: Sequence[str] = (), keeps: bool = False) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip('no "redis-server" is installed here (package redis-server)')
        self._program = program
        self._folder = folder
        self._options = options
        self._keeps = keeps
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        settings = self._folder / f"redis-{self.port}.conf"
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {self._folder}",
            'save ""',
            f"appendonly {'yes' if self._keeps else 'no'}",
            "appendfsync always",
            "maxmemory-policy noeviction",
            *self._options,
        ]
        settings.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen([self._program, settings], stdout=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, "redis-server ended at once"
            assert time.monotonic() < end, f"redis-server did not start in {START_SECONDS} s"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it at once, as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _is_ready(self) -> bool:
        """Whether it answers, be it that it wants a password, and is not loading any more."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(100)
        except OSError:
            return False
        return bool(answer) and not answer.startswith(b"-LOADING")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
