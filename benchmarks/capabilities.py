"""The capability files that the runtime serves in the measurements."""

from __future__ import annotations

from typing import Any

import yaml

FIELDS = (
    "id",
    "symbol",
    "price",
    "quantity",
    "side",
    "status",
    "account",
    "exchange",
    "tif",
    "note",
)

TWO_STEPS = {
    "name": "two-steps",
    "method": "GET",
    "steps": [
        {"type": "call", "name": "first", "call": "up.orders"},
        {
            "type": "call",
            "name": "second",
            "call": "up.find",
            "with": {"symbol": "$.first.orders[0].symbol"},
        },
    ],
}

_ELSEWHERE = """
upstreams:
  "other-*":
    timeout: 10s
    pacing: {rate: 10/s, burst: 10}
    retries: {times: 3}
    breaker: {failures: 5}
guards:
  - match: other.place
    idempotency: {key: "$.headers['idempotency-key']", required: true}
    limits:
      - {value: "$.body.orders[*].quantity", max: 100}
  - match: "other-*.*"
    mode: read-only
"""
SETTINGS = {
    "elsewhere": _ELSEWHERE,
    "elsewhere-audit": _ELSEWHERE + "audit: {file: elsewhere.jsonl}\n",
    "guarded": """
guards:
  - match: up.place
    idempotency: {key: "$.body.orders[*].number", window: 10s, required: true}
audit: {file: guarded.jsonl}
""",
}
"""Settings of the operator, by name: rules that fit nothing of the file below, without and with a
journal of changes, and a guard for its POST."""


def _mapped(fields: tuple[str, ...]) -> list[dict[str, Any]]:
    properties = {
        name: {"type": "string" if name in ("symbol", "side") else "number", "mapping": f"$.{name}"}
        for name in fields
    }
    for name in ("status", "account", "exchange", "tif", "note"):
        if name in properties:
            properties[name]["type"] = "string"
    return [
        {
            "type": "array",
            "mapping": "$.orders",
            "items": {"type": "object", "properties": properties},
        }
    ]


def capability(upstream: str, rest_port: int, mcp_port: int, routes: int, tools: int) -> str:
    """A file with the routes of all cases, `routes` further ones and `tools` tools."""
    symbol = {"name": "symbol", "in": "query"}
    operations = [
        {"name": "orders", "method": "GET", "outputRawFormat": "json"},
        {"name": "place", "method": "POST", "outputRawFormat": "json"},
        {"name": "find", "method": "GET", "inputParameters": [symbol]},
    ]
    exposed: list[dict[str, Any]] = [
        _route("/orders", "GET", "up.orders"),
        _route("/orders", "POST", "up.place", name="place"),
        _route("/big", "GET", "up.big"),
        _route("/mapped", "GET", "up.orders", name="mapped", outputs=_mapped(FIELDS)),
        _route("/big-mapped", "GET", "up.big", name="big-mapped", outputs=_mapped(FIELDS)),
        {"path": "/two-steps", "operations": [TWO_STEPS]},
        *(_route(f"/route-{i}/orders", "GET", "up.orders", name=f"r{i}") for i in range(routes)),
    ]
    document = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": "Benchmark", "description": "What the measurements call"},
        "capability": {
            "consumes": [
                {
                    "type": "http",
                    "namespace": "up",
                    "baseUri": upstream,
                    "resources": [
                        {"name": "orders", "path": "/orders", "operations": operations},
                        {
                            "name": "big",
                            "path": "/big",
                            "operations": [
                                {"name": "big", "method": "GET", "outputRawFormat": "json"}
                            ],
                        },
                    ],
                }
            ],
            "exposes": [
                {"type": "rest", "namespace": "b-rest", "port": rest_port, "resources": exposed},
                {
                    "type": "mcp",
                    "namespace": "b-mcp",
                    "port": mcp_port,
                    "tools": [_tool(i) for i in range(tools)],
                },
            ],
        },
    }
    return str(yaml.dump(document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def _route(
    path: str, method: str, call: str, *, name: str = "", outputs: list[Any] | None = None
) -> dict[str, Any]:
    operation = {"name": name or path.strip("/"), "method": method, "call": call}
    return {
        "path": path,
        "operations": [operation | ({"outputParameters": outputs} if outputs else {})],
    }


def _tool(index: int) -> dict[str, Any]:
    parameter = {"name": "symbol", "type": "string", "description": "Ticker", "required": True}
    return {
        "name": f"tool_{index}",
        "description": f"Orders {index}",
        "inputParameters": [parameter],
        "call": "up.find",
        "with": {"symbol": "b-mcp.symbol"},
        "outputParameters": _mapped(("id", "price", "side")),
    }
