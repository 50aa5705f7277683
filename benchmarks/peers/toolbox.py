"""The configuration of MCP Toolbox (npm `@toolbox-sdk/server`): HTTP tools like the others'."""

from __future__ import annotations


def tools_file(upstream: str, count: int) -> str:
    lines = ["sources:", "  up:", "    kind: http", f"    baseUrl: {upstream}"]
    lines += ["    allowPrivateNetworks: true", "tools:"]
    for index in range(count):
        lines += [
            f"  tool_{index}:",
            "    kind: http",
            "    source: up",
            "    method: GET",
            "    path: /orders",
            f"    description: Orders {index}",
            "    queryParams:",
            "      - {name: symbol, type: string, description: Ticker}",
        ]
    return "\n".join(lines) + "\n"
