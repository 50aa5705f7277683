"""What the runtime holds in memory, and whether that grows with the calls that it has answered."""

from __future__ import annotations

from pathlib import Path

from benchmarks.candidates import Stage
from benchmarks.cases import HANDSHAKE, MODERN, call_of
from benchmarks.effort import Effort
from benchmarks.rows import Row, Verdict
from benchmarks.served_folder import served
from benchmarks.wrk import Request, run_wrk

_SLICE_SECONDS = 2
_FRESH = "runtime:mcp/0/100/1"
_LEAKING_MEGABYTES = 0.25
"""Less is the allocator's, which takes whole pages, new ones for what has never been in use at the
same time before; of a leak, it would be 2.5 bytes for each call."""


def measure_tools(stage: Stage, effort: Effort) -> list[Row]:
    """Memory with 100 tools after 50,000 calls."""
    stage.stop_one(_FRESH)
    port = stage.port(_FRESH)
    _call_until(stage, port, [call_of(MODERN, "tool_99")], 50_000)
    size = stage.resident_megabytes(_FRESH)
    return [Row("memory-100-tools", "after 50,000 calls", [size], "MB", verdict=_at_most(size, 60))]


def measure_growth(stage: Stage, effort: Effort) -> list[Row]:
    """200,000 calls over MCP and as many over REST, with what the second halves have added. Both
    halves begin with the same kinds of calls, and take them in the same order."""
    stage.stop_one(_FRESH)
    mcp = [call_of(MODERN, "tool_99"), call_of(HANDSHAKE, "tool_0")]
    rest = [Request("/mapped"), Request("/orders")]
    return [
        _growth(stage, "over MCP", _FRESH, mcp),
        _growth(stage, "over REST", "runtime:rest/1/100/1", rest),
    ]


def _growth(stage: Stage, label: str, candidate: str, requests: list[Request]) -> Row:
    port = stage.port(candidate)
    _call_until(stage, port, requests, 100_000)
    half = stage.resident_megabytes(candidate)
    _call_until(stage, port, requests, 100_000)
    whole = stage.resident_megabytes(candidate)
    return Row(
        "memory-200000-calls",
        f"growth over the last 100,000 {label}",
        [whole - half],
        "MB",
        memory=whole,
        verdict=_at_most(whole - half, _LEAKING_MEGABYTES),
    )


def _call_until(stage: Stage, port: int, requests: list[Request], count: int) -> None:
    """At least `count` calls, of all kinds in turn."""
    done = turn = 0
    while done < count:
        request = requests[turn % len(requests)]
        done += run_wrk(port, request, 16, _SLICE_SECONDS, stage.folder).requests
        turn += 1


def measure_corpus(stage: Stage, corpus: Path) -> list[Row]:
    """Memory while a folder of published files is served."""
    with served(stage, [corpus], "--no-watch") as (running, _):
        size = running.resident_megabytes()
    files = sum(1 for path in corpus.rglob("*") if path.suffix in (".yaml", ".yml"))
    return [
        Row(
            "memory-published-files",
            f"{files} files served",
            [size],
            "MB",
            verdict=_at_most(size, 120),
        )
    ]


def _at_most(reached: float, target: float) -> Verdict:
    return Verdict(reached, target, at_most=True)
