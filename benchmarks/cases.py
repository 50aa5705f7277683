"""What is measured, of which candidates, and the ratios that are wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.wrk import NUMBER, Request

MODERN = "2026-07-28"
HANDSHAKE = "2025-06-18"
ORDER = json.dumps({"orders": [{"conid": 265598, "side": "BUY", "note": "x" * 930}]})


@dataclass(frozen=True, slots=True)
class Case:
    """One request against several candidates.

    `targets` holds, for a peer, the ratio that the first candidate has to reach: of throughput, or
    of median latency (at most) where `by_latency` is set.
    """

    name: str
    candidates: Mapping[str, Request]
    connections: int
    targets: Mapping[str, float] = field(default_factory=dict)
    by_latency: bool = False
    expected: str = "price"
    """A text that is in every right answer."""
    in_session: bool = False
    """Whether the requests are those of an MCP session, one for each candidate."""
    least_seconds: float = 1
    """Of a run: more where a peer answers only a few requests a second."""
    least_turns: int = 1
    """More where the target is close to what two alike candidates differ by in one turn."""


def call_of(version: str, tool: str) -> Request:
    """A `tools/call` in the form of a protocol version."""
    return _mcp("tools/call", {"name": tool, "arguments": {"symbol": "AAPL"}}, version, tool)


def _mcp(method: str, params: dict[str, object], version: str, name: str = "") -> Request:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
    }
    if version == MODERN:
        headers["Mcp-Method"] = method
        if name:
            headers["Mcp-Name"] = name
        params = params | {
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": version,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "wrk", "version": "4"},
            }
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return Request("/mcp", "POST", headers, json.dumps(message))


def _same(request: Request, *names: str) -> dict[str, Request]:
    return dict.fromkeys(names, request)


_CLOSE = 12
"""Turns where candidates are all but equal."""
REST = "runtime:rest/0/1/1"
_GET = Request("/orders")
_POST = Request("/orders", "POST", {"Content-Type": "application/json"}, ORDER)
_NUMBERED = Request(
    "/orders",
    "POST",
    {"Content-Type": "application/json"},
    json.dumps({"orders": [{"conid": 265598, "number": NUMBER, "note": "x" * 920}]}),
)
_PEERS = ("raw-asgi", "starlette", "nginx")


def _last_of(routes: int) -> dict[str, Request]:
    return {
        f"runtime:rest/{routes}/1/1": Request(f"/route-{routes - 1}/orders"),
        "runtime:rest/1/1/1": Request("/route-0/orders"),
    }


def _calls(version: str, *names: str) -> dict[str, Request]:
    """A call of the last tool of each candidate."""
    return {name: call_of(version, f"tool_{_tools_of(name) - 1}") for name in names}


def _lists(*names: str) -> dict[str, Request]:
    return _same(_mcp("tools/list", {}, MODERN), *names)


def _tools_of(candidate: str) -> int:
    kind, _, argument = candidate.partition(":")
    return int(argument.split("/")[2] if kind == "runtime" else argument)


CASES = (
    Case(
        "rest-identity",
        _same(_GET, REST, *_PEERS),
        32,
        {"raw-asgi": 0.80, "starlette": 4.0},
    ),
    Case(
        "rest-1-connection",
        _same(_GET, REST, "raw-asgi", "starlette"),
        1,
        {"raw-asgi": 1.25},
        by_latency=True,
    ),
    Case("rest-256-connections", _same(_GET, REST, "raw-asgi", "starlette"), 256),
    Case("rest-100-kilobytes", _same(Request("/big"), REST, *_PEERS), 32),
    Case(
        "rest-mapping",
        {REST: Request("/mapped"), "raw-asgi": _GET, "starlette": _GET},
        32,
        {"raw-asgi": 0.65},
    ),
    Case("rest-post", _same(_POST, REST, *_PEERS), 32),
    Case("rest-two-steps", _same(Request("/two-steps"), REST, "raw-asgi", "starlette"), 32),
    Case("rest-last-of-10", _last_of(10), 32),
    Case("rest-last-of-1000", _last_of(1000), 32),
    Case(
        "rest-last-of-10000",
        _last_of(10_000),
        32,
        {"runtime:rest/1/1/1": 0.95},
        least_turns=_CLOSE,
    ),
    Case(
        "rest-settings-elsewhere",
        _same(_GET, f"{REST}/elsewhere-audit", REST),
        32,
        {REST: 0.97},
        least_turns=_CLOSE,
    ),
    Case(
        "rest-post-settings-elsewhere",
        _same(_POST, f"{REST}/elsewhere", REST),
        32,
        {REST: 0.97},
        least_turns=_CLOSE,
    ),
    Case("rest-post-guarded", _same(_NUMBERED, f"{REST}/guarded", REST), 32),
    Case(
        "mcp-call",
        _calls(MODERN, "runtime:mcp/0/100/1", "mcp-sdk:100", "toolbox:100", "fastmcp:100"),
        16,
        {"mcp-sdk:100": 2.0, "toolbox:100": 0.6, "fastmcp:100": 30.0},
    ),
    Case(
        "mcp-call-1000-tools",
        _calls(MODERN, "runtime:mcp/0/1000/1", "runtime:mcp/0/10/1", "toolbox:1000"),
        16,
        {"runtime:mcp/0/10/1": 0.95},
        least_turns=_CLOSE,
    ),
    Case(
        "mcp-call-1000-slow-peer",
        _calls(MODERN, "runtime:mcp/0/1000/1", "fastmcp:1000"),
        16,
        {"fastmcp:1000": 300.0},
        least_seconds=4,
    ),
    Case(
        "mcp-call-handshake",
        _calls(HANDSHAKE, "runtime:mcp/0/100/1", "mcp-sdk:100", "toolbox:100", "fastmcp:100"),
        16,
        {"mcp-sdk:100": 2.0, "fastmcp:100": 8.0},
    ),
    Case(
        "mcp-call-session",
        _calls(HANDSHAKE, "runtime:mcp/0/100/1", "mcp-sdk-sessions:100"),
        16,
        {"mcp-sdk-sessions:100": 2.0},
        in_session=True,
    ),
    Case(
        "mcp-call-1000-handshake",
        _calls(HANDSHAKE, "runtime:mcp/0/1000/1", "runtime:mcp/0/10/1", "toolbox:1000"),
        16,
    ),
    Case(
        "mcp-list-100-tools",
        _lists("runtime:mcp/0/100/1", "mcp-sdk:100", "toolbox:100", "fastmcp:100"),
        16,
        expected="tool_99",
    ),
    Case(
        "mcp-list-1000-tools",
        _lists("runtime:mcp/0/1000/1", "toolbox:1000"),
        16,
        {"toolbox:1000": 5.0},
        expected="tool_999",
    ),
)

TWO_WORKERS = (
    Case("rest-two-workers", _same(_GET, "runtime:rest/0/1/2", REST), 32, {REST: 1.7}),
    Case(
        "rest-mapping-large-two-workers",
        _same(Request("/big-mapped"), "runtime:rest/0/1/2", REST),
        32,
        {REST: 1.7},
    ),
    Case(
        "mcp-call-two-workers",
        _calls(MODERN, "runtime:mcp/0/100/2", "toolbox:100", "runtime:mcp/0/100/1"),
        16,
        {"toolbox:100": 1.0, "runtime:mcp/0/100/1": 1.7},
    ),
)
"""Each with two workers against one: in the light cases wrk and the upstream take their share of
the processors, in the heavy one hardly."""
