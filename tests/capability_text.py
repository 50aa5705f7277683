"""Writes small capability files for tests."""

from __future__ import annotations

from typing import Any

import yaml


def capability(
    name: str,
    base_uri: str,
    *operations: str,
    rest_port: int | None = 8080,
    mcp_port: int | None = 9090,
    address: str | None = None,
    prefix: str | None = None,
) -> str:
    """A capability in the published dialect: for each operation `x` a `GET /NAME/x` towards the
    upstream `/x`, and a tool `NAME-x`. `prefix` replaces `/NAME`; a port of None leaves that
    adapter out."""
    operations = operations or ("ping",)
    prefix = f"/{name}" if prefix is None else prefix
    placed = {} if address is None else {"address": address}
    exposes: list[dict[str, Any]] = []
    if rest_port is not None:
        resources = [
            {
                "path": f"{prefix}/{operation}",
                "name": operation,
                "description": f"Resource {operation}.",
                "operations": [
                    {
                        "method": "GET",
                        "name": operation,
                        "call": f"{name}.{operation}",
                        "outputParameters": [{"type": "object", "mapping": "$."}],
                    }
                ],
            }
            for operation in operations
        ]
        exposes.append(
            {"type": "rest", "namespace": f"{name}-rest", "port": rest_port, **placed}
            | {"resources": resources}
        )
    if mcp_port is not None:
        tools = [
            {
                "name": f"{name}-{operation}",
                "description": f"Does {operation}.",
                "call": f"{name}.{operation}",
                "outputParameters": [{"type": "object", "mapping": "$."}],
            }
            for operation in operations
        ]
        exposes.append(
            {"type": "mcp", "namespace": f"{name}-mcp", "port": mcp_port, **placed}
            | {"transport": "http", "tools": tools}
        )
    consumed = [
        {
            "name": operation,
            "path": f"/{operation}",
            "operations": [{"name": operation, "method": "GET", "outputRawFormat": "json"}],
        }
        for operation in operations
    ]
    document = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": name, "description": f"The {name} capability."},
        "capability": {
            "consumes": [
                {
                    "type": "http",
                    "namespace": name,
                    "baseUri": base_uri,
                    "description": "An upstream.",
                    "resources": consumed,
                }
            ],
            "exposes": exposes,
        },
    }
    return yaml.safe_dump(document, sort_keys=False)
