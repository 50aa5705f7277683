"""CPU time from interpreter start until both ports of a set of files are open.

`python -m benchmarks.startup [PATH...]` starts `naftiko serve` several times and prints the median
and the spread. Without paths it serves a file that it writes, with one REST and one MCP adapter.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = """\
naftiko: 1.0.0-alpha2
info: {label: Startup, description: One operation over REST and MCP}
capability:
  consumes:
    - type: http
      namespace: upstream
      baseUri: http://127.0.0.1:1
      resources:
        - name: items
          path: /items
          operations: [{name: list, method: GET}]
  exposes:
    - type: rest
      namespace: items-rest
      port: 8080
      resources:
        - path: /items
          operations: [{name: list, method: GET, call: upstream.list}]
    - type: mcp
      namespace: items-mcp
      port: 9090
      tools: [{name: list-items, description: All items, call: upstream.list}]
"""
DECLARED = (8080, 9090)
PATIENCE = 30.0


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process so far, its ended children included."""
    text = Path(f"/proc/{process.pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / float(os.sysconf("SC_CLK_TCK"))


def start_once(paths: list[str]) -> tuple[float, float]:
    """CPU and wall seconds until both ports accept connections."""
    ports = {declared: free_port() for declared in DECLARED}
    command = [sys.executable, "-m", "naftiko_runtime", "serve", "--no-watch", *paths]
    for declared, actual in ports.items():
        command += ["--port", f"{declared}={actual}"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for port in ports.values():
            _wait_for(port, process, begun + PATIENCE)
        return cpu_seconds(process), time.perf_counter() - begun
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], deadline: float) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            if process.poll() is not None or time.perf_counter() > deadline:
                raise SystemExit("the runtime did not open its ports") from None
            time.sleep(0.005)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("paths", nargs="*", help="capability files that use ports 8080 and 9090")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        example = Path(folder) / "startup.yaml"
        example.write_text(EXAMPLE)
        paths = options.paths or [str(example)]
        runs = [start_once(paths) for _ in range(options.runs)]
    cpu, wall = ([run[index] for run in runs] for index in (0, 1))
    print(f"CPU   median {statistics.median(cpu):.3f} s  ({min(cpu):.3f} to {max(cpu):.3f})")
    print(f"wall  median {statistics.median(wall):.3f} s  ({min(wall):.3f} to {max(wall):.3f})")


if __name__ == "__main__":
    main()
