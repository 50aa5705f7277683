"""A folder of capability files served by the runtime, on free ports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.candidates import Stage, serve
from benchmarks.processes import Running, free_port

_PORT = re.compile(r"^\s+port:\s*[\"']?(\d+)", re.MULTILINE)


def declared_ports(paths: list[Path]) -> list[int]:
    """All ports that the files declare, in ascending order."""
    files = [file for path in paths for file in ([path] if path.is_file() else _inside(path))]
    return sorted({int(found) for file in files for found in _PORT.findall(file.read_text())})


def _inside(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml")]


@contextmanager
def served(
    stage: Stage, paths: list[Path], *options: str
) -> Iterator[tuple[Running, dict[int, int]]]:
    """The process, once all its ports are open, and its ports by those that the files declare.

    What follows the ports' opening, such as importing the SDK beside the event loop, goes on."""
    ports = {declared: free_port() for declared in declared_ports(paths)}
    moved = [f"--port={declared}={actual}" for declared, actual in ports.items()]
    running = serve(stage, [*map(str, paths), *moved, *options], next(iter(ports.values())))
    try:
        running.wait_for_line("ready in")
        yield running, ports
    finally:
        running.stop()
