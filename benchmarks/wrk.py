"""Drives load with wrk and reads its figures."""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_REPORT = """
done = function(summary, latency, requests)
  io.write(string.format('FIGURES {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, '
    .. '"failed": %d}\\n', summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.connect + summary.errors.read + summary.errors.write
    + summary.errors.status + summary.errors.timeout))
end
"""


NUMBER = "NUMBER"
_NUMBERING = f"""
local body, number = wrk.body, 0
request = function()
  number = number + 1
  wrk.body = string.gsub(body, "{NUMBER}", "%d" .. string.format("%%09d", number))
  return wrk.format()
end
"""
"""wrk's script for bodies with a number; what stands before the numbers of a run is filled in."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent over and over. NUMBER in the body is another number each time."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def encoded(self, port: int) -> bytes:
        """The request as it goes over a connection that stays open."""
        headers = {"Host": f"127.0.0.1:{port}", **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body.encode()))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


@dataclass(frozen=True, slots=True)
class Figures:
    """One run: how many requests, how many per second, latencies in microseconds, and the
    processor seconds that wrk itself took."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu: float


def check(port: int, request: Request, expected: str) -> None:
    """Sends the request once, so that no candidate is fast because it fails. Raises RuntimeError
    when the answer is not 200 or lacks the expected text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            request.method, request.path, request.body or None, dict(request.headers)
        )
        response = connection.getresponse()
        answer = response.read().decode()
    finally:
        connection.close()
    if response.status != 200 or expected not in answer:
        raise RuntimeError(f"port {port}{request.path} answers {response.status}: {answer[:300]}")


def run_wrk(port: int, request: Request, connections: int, seconds: float, folder: Path) -> Figures:
    """One run against a port of this machine. Raises RuntimeError when any request failed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("wrk is not installed: apt-get install wrk")
    script = folder / "request.lua"
    lines = [f"wrk.method = {json.dumps(request.method)}"]
    lines += [f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in request.headers.items()]
    if request.body:
        lines.append(f"wrk.body = [==[{request.body}]==]")
    if NUMBER in request.body:
        lines.append(_NUMBERING % int(time.time() * 1000))
    script.write_text("\n".join(lines) + _REPORT)
    command = [
        wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s",
        "-s", str(script),
        f"http://127.0.0.1:{port}{request.path}",
    ]  # fmt: skip
    before = _cpu_of_children()
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu = _cpu_of_children() - before
    line = next(line for line in output.splitlines() if line.startswith("FIGURES "))
    figures = json.loads(line.removeprefix("FIGURES "))
    if figures["failed"] or not figures["requests"]:
        raise RuntimeError(f"{figures['failed']} requests failed on port {port}{request.path}")
    rate = figures["requests"] / figures["microseconds"] * 1e6
    return Figures(figures["requests"], rate, figures["p50"], figures["p99"], cpu)


def _cpu_of_children() -> float:
    """Processor seconds of the programs that this one has started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
