"""Starts the real `naftiko` command for tests.

    with serve(folder, env={"API_KEY": "k"}) as serving:
        httpx2.get(serving.rest(8080) + "/v1/orders")

The ports that the files declare are moved to free ones: `serving.rest(8080)` is where the REST
surface declared for port 8080 answers, `serving.mcp(9090)` the MCP endpoint of port 9090.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.recording_upstream import WAIT_SECONDS
from tests.warm_process import WarmProcess, can_start_warm, start_warm

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "naftiko_runtime")
START_SECONDS = 100.0
WITHOUT = ROOT / "tests" / "without"
"""A folder that, in PYTHONPATH, hides the modules that NAFTIKO_TEST_WITHOUT names."""
_KEPT_VARIABLES = (
    "NAFTIKO_TEST_WITHOUT",
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "SSL_CERT_FILE",
    "SYSTEMROOT",
)

_OF_PYTHON = frozenset(
    ("NAFTIKO_TEST_WITHOUT", "PYTHONPATH", "PYTHONHASHSEED", "PYTHONDEVMODE", "PYTHONWARNINGS")
)


def clean_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without the variables of whoever runs the tests, but for a few."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    kept["PYTHONPATH"] = os.pathsep.join((str(WITHOUT), str(ROOT)))
    return kept | dict(env or {})


def run_naftiko(
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command that ends by itself; its output as text."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=clean_environment(env),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@dataclass
class Serving:
    """A running `naftiko serve`. `events` is what it has logged, one JSON object a line."""

    process: subprocess.Popen[str] | WarmProcess
    events: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._ended = False
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                if line.startswith("{"):
                    self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def log(self) -> str:
        """All that it has printed so far."""
        return "".join(self.lines)

    def wait_until(self, condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Returns once the condition, looked at after each line of the log, holds."""
        with self._changed:
            held = self._changed.wait_for(lambda: condition() or self._ended, seconds)
            assert held, f"it did not come to pass in {seconds} s; the log:\n{self.log}"
            assert condition(), f"the process ended first; its log:\n{self.log}"

    def wait_for_event(self, name: str, count: int = 1, **fields: object) -> dict[str, Any]:
        """The `count`th event of that name with those fields, once it is there."""
        self.wait_until(lambda: len(self.events_of(name, **fields)) >= count)
        return self.events_of(name, **fields)[count - 1]

    def wait_for_log(self, pattern: str) -> str:
        """The first match of a regular expression in the log, once there is one."""
        self.wait_until(lambda: re.search(pattern, self.log) is not None)
        found = re.search(pattern, self.log)
        assert found is not None
        return found.group()

    def events_of(self, name: str, **fields: object) -> list[dict[str, Any]]:
        return [
            event
            for event in list(self.events)
            if event.get("event") == name
            and all(event.get(key) == value for key, value in fields.items())
        ]

    def rest(self, declared: int = 8080) -> str:
        """The base URL of the REST surface that the files declare on a port."""
        return self._url("REST", declared)

    def mcp(self, declared: int = 9090) -> str:
        """The URL of the MCP endpoint that the files declare on a port (it ends in /mcp)."""
        return self._url("MCP", declared)

    def port(self, declared: int) -> int:
        for event in self.events_of("listening", declared=declared):
            return int(event["port"])
        raise AssertionError(f"nothing listens for port {declared}; the log:\n{self.log}")

    def _url(self, protocol: str, declared: int) -> str:
        for event in reversed(self.events_of("listening", declared=declared, protocol=protocol)):
            return str(event["url"])
        raise AssertionError(f"no {protocol} on port {declared}; the log:\n{self.log}")

    def stop(self, with_signal: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Ends the process and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        code = self.process.wait(seconds)
        self._reader.join(WAIT_SECONDS)
        return code


def _start(
    arguments: list[str], env: Mapping[str, str], cwd: Path | None, cold: bool
) -> subprocess.Popen[str] | WarmProcess:
    if can_start_warm() and not cold and not _OF_PYTHON.intersection(env):
        return start_warm(arguments, clean_environment(), env, cwd)
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=clean_environment(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serve(
    *paths: str | Path,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    ports: Sequence[int] = (8080, 9090),
    cwd: Path | None = None,
    wait: bool = True,
    cold: bool = False,
) -> Iterator[Serving]:
    """A `naftiko serve PATHS OPTIONS` that is ready (unless `wait` is false).

    `ports` are the ports that the files declare, each moved to a free one. At the end it gets
    SIGTERM, if the test has not stopped it, and must exit with 0.

    Its process has made the imports before, which are most of the work of a start, unless it is
    to be `cold` or has variables that Python looks at when it starts.
    """
    moved = [f"--port={declared}=0" for declared in ports]
    arguments = ["serve", *map(str, paths), "--log-format=json", *moved, *options]
    process = _start(arguments, env or {}, cwd, cold)
    serving = Serving(process)
    try:
        if wait:
            serving.wait_until(lambda: bool(serving.events_of("ready")), START_SECONDS)
        yield serving
        code = serving.stop()
        assert code == 0, f"naftiko serve ended with {code}; its log:\n{serving.log}"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stderr is not None:
            serving._reader.join(WAIT_SECONDS)
            process.stderr.close()


serve_cold = partial(serve, cold=True)
"""`serve` for tests of the start itself: nothing is done before the command begins."""
