"""The programs that are compared. Each is started when a case first needs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.capabilities import SETTINGS, capability
from benchmarks.peers.toolbox import tools_file
from benchmarks.processes import Running, begin, free_port, start
from benchmarks.published_style import VARIABLES
from benchmarks.upstream import start_upstream

FASTMCP = "fastmcp==4.1.2"
TOOLBOX = "@toolbox-sdk/server@1.12.0"


@dataclass(slots=True)
class Stage:
    """What runs during a measurement. `folder` holds its files, `cache` the peers' environments.
    Whoever makes one calls `stop`."""

    folder: Path
    cache: Path
    upstream: str = ""
    proxy_port: int = 0
    running: dict[str, Running] = field(default_factory=dict)

    def open(self) -> None:
        nginx, self.proxy_port = start_upstream(self.folder)
        self.running["upstream"] = nginx
        self.upstream = f"http://127.0.0.1:{nginx.port}"

    def port(self, name: str) -> int:
        """The port of a candidate, which is started now if it is not running."""
        if name == "nginx":
            return self.proxy_port
        if name not in self.running:
            kind, _, argument = name.partition(":")
            self.running[name] = STARTERS[kind](self, argument)
        return self.running[name].port

    def resident_megabytes(self, name: str) -> float:
        """Memory of a candidate that is running, its children included."""
        return self._running(name).resident_megabytes()

    def cpu_seconds(self, name: str) -> float:
        """Processor time of a candidate that is running, its children included, so far."""
        return self._running(name).cpu_seconds()

    def upstream_cpu_seconds(self) -> float:
        """The same of what all candidates call."""
        return self.running["upstream"].cpu_seconds()

    def _running(self, name: str) -> Running:
        return self.running["upstream" if name == "nginx" else name]

    def log(self, name: str) -> Path:
        return self.folder / f"{name.replace(':', '-').replace('/', '-')}.log"

    def stop_one(self, name: str) -> None:
        """Ends a candidate, so that `port` starts it anew."""
        if name in self.running:
            self.running.pop(name).stop()

    def stop(self) -> None:
        for running in reversed(list(self.running.values())):
            running.stop()


def _uvicorn(module: str) -> Callable[[Stage, str], Running]:
    def run(stage: Stage, argument: str) -> Running:
        port = free_port()
        command = [
            sys.executable, "-m", "uvicorn", f"benchmarks.peers.{module}:app", "--port", str(port),
            "--no-access-log", "--log-level", "warning", "--lifespan", "off",
        ]  # fmt: skip
        environment = {"UPSTREAM": stage.upstream}
        return start(command, port, stage.log(module), environment=environment)

    return run


def _runtime(stage: Stage, argument: str) -> Running:
    """`PROTOCOL/ROUTES/TOOLS/WORKERS`, and `/SETTINGS` for one that works by those."""
    protocol, routes, tools, workers, *settings = argument.split("/")
    file = stage.folder / f"runtime-{argument.replace('/', '-')}.yaml"
    rest_port, mcp_port = free_port(), free_port()
    file.write_text(capability(stage.upstream, rest_port, mcp_port, int(routes), int(tools)))
    port = rest_port if protocol == "rest" else mcp_port
    options = ["--no-watch", "--workers", workers]
    for name in settings:
        by = stage.folder / f"{name}.yaml"
        by.write_text(SETTINGS[name])
        options += ["--settings", str(by)]
    running = serve(stage, [str(file), *options], port)
    running.wait_for_port()
    if workers != "1":  # the others come after the first, which has the ports open already
        running.wait_for_line(f"{workers} workers are serving")
    return running


def serve(stage: Stage, arguments: Sequence[str], port: int) -> Running:
    """Begins a `naftiko serve ARGUMENTS`, which belongs to the caller."""
    command = [sys.executable, "-m", "naftiko_runtime", "serve", *arguments]
    return begin(command, port, stage.log(f"runtime-{port}"), environment=VARIABLES)


def _mcp_sdk(*options: str) -> Callable[[Stage, str], Running]:
    def run(stage: Stage, argument: str) -> Running:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.peers.mcp_sdk", str(port), argument, *options]
        environment = {"UPSTREAM": stage.upstream}
        return start(command, port, stage.log("mcp-sdk"), environment=environment)

    return run


def _fastmcp(stage: Stage, argument: str) -> Running:
    python = stage.cache / "fastmcp" / "bin" / "python"
    if not python.with_name("fastmcp").exists():  # which an installation that broke off lacks
        _install([sys.executable, "-m", "venv", str(stage.cache / "fastmcp")])
        _install([str(python), "-m", "pip", "install", "--quiet", FASTMCP])
    port = free_port()
    script = Path(__file__).parent / "peers" / "fastmcp_openapi.py"
    command = [str(python), str(script), str(port), argument, stage.upstream]
    return start(command, port, stage.log("fastmcp"), folder=stage.folder)


def _toolbox(stage: Stage, argument: str) -> Running:
    home = stage.cache / "toolbox"
    program = home / "node_modules" / ".bin" / "toolbox"
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        _install(["npm", "install", "--silent", "--prefix", str(home), TOOLBOX])
    port = free_port()
    file = stage.folder / f"tools-{argument}.yaml"
    file.write_text(tools_file(stage.upstream, int(argument)))
    command = [str(program), "--config", str(file), "--port", str(port), "--log-level", "ERROR"]
    command += ["--disable-version-check", "--disable-reload"]
    return start(command, port, stage.log("toolbox"), folder=stage.folder)


def _install(command: list[str]) -> None:
    print(f"installing: {' '.join(command[-2:])}", file=sys.stderr, flush=True)
    subprocess.run(command, check=True, stdout=sys.stderr)


STARTERS: dict[str, Callable[[Stage, str], Running]] = {
    "raw-asgi": _uvicorn("raw_asgi"),
    "starlette": _uvicorn("starlette_httpx2"),
    "runtime": _runtime,
    "mcp-sdk": _mcp_sdk(),
    "mcp-sdk-sessions": _mcp_sdk("--sessions"),
    "fastmcp": _fastmcp,
    "toolbox": _toolbox,
}
