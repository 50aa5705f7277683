"""What is measured, of which candidates, and the ratios that are wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.wrk import Request

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


def _call(version: str, tool: str) -> Request:
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
            }
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return Request("/mcp", "POST", headers, json.dumps(message))


def _same(request: Request, *names: str) -> dict[str, Request]:
    return dict.fromkeys(names, request)


REST = "runtime:rest/0/1/1"
_GET = Request("/orders")
_POST = Request("/orders", "POST", {"Content-Type": "application/json"}, ORDER)
_PEERS = ("raw-asgi", "starlette", "nginx")

CASES = (
    Case(
        "rest-identity",
        _same(_GET, REST, *_PEERS),
        32,
        {"raw-asgi": 0.80, "starlette": 4.0},
    ),
    Case(
        "rest-latency",
        _same(_GET, REST, "raw-asgi"),
        1,
        {"raw-asgi": 1.25},
        by_latency=True,
    ),
    Case("rest-256-connections", _same(_GET, REST, "raw-asgi"), 256, {"raw-asgi": 0.80}),
    Case("rest-100-kilobytes", _same(Request("/big"), REST, *_PEERS), 32),
    Case(
        "rest-mapping",
        {REST: Request("/mapped"), "raw-asgi": _GET, "starlette": _GET},
        32,
        {"raw-asgi": 0.65},
    ),
    Case("rest-post", _same(_POST, REST, *_PEERS), 32),
    Case(
        "rest-last-of-10000-routes",
        {"runtime:rest/10000/1/1": Request("/route-9999/orders"), REST: _GET},
        32,
        {REST: 0.95},
    ),
    Case(
        "rest-two-workers",
        {"runtime:rest/0/1/2": _GET, REST: _GET},
        32,
        {REST: 1.7},
    ),
    Case(
        "mcp-call",
        {
            "runtime:mcp/0/100/1": _call(MODERN, "tool_99"),
            "mcp-sdk:100": _call(MODERN, "tool_99"),
            "toolbox:100": _call(HANDSHAKE, "tool_99"),
            "fastmcp:100": _call(HANDSHAKE, "tool_99"),
        },
        16,
        {"mcp-sdk:100": 2.0, "toolbox:100": 0.6, "fastmcp:100": 30.0},
    ),
    Case(
        "mcp-call-two-workers",
        {
            "runtime:mcp/0/100/2": _call(MODERN, "tool_99"),
            "toolbox:100": _call(HANDSHAKE, "tool_99"),
        },
        16,
        {"toolbox:100": 1.0},
    ),
    Case(
        "mcp-call-1000-tools",
        {
            "runtime:mcp/0/1000/1": _call(MODERN, "tool_999"),
            "runtime:mcp/0/10/1": _call(MODERN, "tool_9"),
        },
        16,
        {"runtime:mcp/0/10/1": 0.95},
    ),
    Case(
        "mcp-call-handshake",
        {
            "runtime:mcp/0/100/1": _call(HANDSHAKE, "tool_99"),
            "mcp-sdk:100": _call(HANDSHAKE, "tool_99"),
            "fastmcp:100": _call(HANDSHAKE, "tool_99"),
        },
        16,
        {"mcp-sdk:100": 2.0, "fastmcp:100": 8.0},
    ),
    Case(
        "mcp-list-1000-tools",
        {
            "runtime:mcp/0/1000/1": _mcp("tools/list", {}, MODERN),
            "toolbox:1000": _mcp("tools/list", {}, HANDSHAKE),
        },
        16,
        {"toolbox:1000": 5.0},
        expected="tool_999",
    ),
)
