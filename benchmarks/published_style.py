"""Capability files in the style in which they are published: one surface of an API, an operation
for each endpoint, each exposed over REST and MCP, all files on the same two ports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PORTS = (8080, 9090)
VARIABLES = {"EXAMPLE_API_KEY": "none"}
"""What the files want to be in the environment."""
_METHODS = {"list": "GET", "create": "POST", "fetch": "GET", "replace": "PUT", "remove": "DELETE"}


def write_files(folder: Path, count: int, upstream: str) -> list[Path]:
    """`count` files, which are some 6 KB each; one answers at `route_of` with what the upstream
    has at `/orders`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"surface-{number:04}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(file_text(f"surface-{number:04}", upstream))
    return paths


def route_of(name: str) -> str:
    return f"/v1/{name}/orders"


def file_text(name: str, upstream: str, also: str = "") -> str:
    """One file, whose namespaces, paths and tools begin with `name`; it answers at the route of
    `also`, too."""
    operations = [_Operation(name, verb, method) for verb, method in _METHODS.items()]
    document: dict[str, Any] = {
        "naftiko": "1.0.0-alpha2",
        "info": {
            "label": f"Example API — {name}",
            "description": f"Example API — {name}. Five operations of one surface, with no shared "
            "references.",
            "tags": ["Example", name],
            "created": "2026-05-19",
            "modified": "2026-05-19",
        },
        "binds": [{"namespace": "env", "keys": {"EXAMPLE_API_KEY": "EXAMPLE_API_KEY"}}],
        "capability": {
            "consumes": [_consumed(name, upstream, operations)],
            "exposes": [_rest(name, operations), _mcp(name, operations)],
        },
    }
    if also:
        surface = document["capability"]["exposes"][0]["resources"]
        surface.append({**surface[0], "path": route_of(also), "name": also})
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True))


class _Operation:
    def __init__(self, file: str, verb: str, method: str) -> None:
        self.name = f"{verb}orders"
        self.tool = f"{file}-{verb}-orders"
        self.method = method
        self.description = f"{verb.capitalize()} orders of {file}"
        self.has_body = method in ("POST", "PUT")
        self.path = "/orders" if verb in ("list", "create") else "/orders/{order}"


def _by_path(operations: list[_Operation]) -> dict[str, list[_Operation]]:
    grouped: dict[str, list[_Operation]] = {}
    for operation in operations:
        grouped.setdefault(operation.path, []).append(operation)
    return grouped


def _consumed(name: str, upstream: str, operations: list[_Operation]) -> dict[str, Any]:
    return {
        "type": "http",
        "namespace": name,
        "baseUri": upstream,
        "description": f"Example API — {name} surface.",
        "resources": [
            {
                "name": path.strip("/").replace("/", "-").replace("{", "").replace("}", ""),
                "path": path,
                "operations": [_consumed_operation(each) for each in group],
            }
            for path, group in _by_path(operations).items()
        ],
    }


def _consumed_operation(operation: _Operation) -> dict[str, Any]:
    inputs: list[dict[str, Any]] = [
        {"name": "fields", "in": "query", "type": "string", "description": "What to return."},
        {"name": "limit", "in": "query", "type": "integer", "description": "How many at most."},
    ]
    if "{" in operation.path:
        inputs.append({"name": "order", "in": "path", "type": "string", "required": True})
    if operation.has_body:
        inputs.append({"name": "body", "in": "body", "type": "object", "required": True})
    return {
        "name": operation.name,
        "method": operation.method,
        "description": operation.description,
        "inputParameters": inputs,
        "outputRawFormat": "json",
        "outputParameters": [{"name": "result", "type": "object", "value": "$."}],
    }


def _exposed(name: str, operation: _Operation, source: str) -> dict[str, Any]:
    given = ["fields", "limit"]
    given += ["order"] if "{" in operation.path else []
    given += ["body"] if operation.has_body else []
    return {
        "call": f"{name}.{operation.name}",
        "with": {each: f"{source}.{each}" for each in given},
        "outputParameters": [{"type": "object", "mapping": "$."}],
    }


def _rest(name: str, operations: list[_Operation]) -> dict[str, Any]:
    return {
        "type": "rest",
        "namespace": f"{name}-rest",
        "port": PORTS[0],
        "description": f"REST adapter of {name}, a resource for each path.",
        "resources": [
            {
                "path": f"/v1/{name}{path}",
                "name": f"{name}-{index}",
                "description": f"REST surface of {path}.",
                "operations": [
                    {"method": each.method, "name": each.name, "description": each.description}
                    | _exposed(name, each, "rest")
                    for each in group
                ],
            }
            for index, (path, group) in enumerate(_by_path(operations).items())
        ],
    }


def _mcp(name: str, operations: list[_Operation]) -> dict[str, Any]:
    return {
        "type": "mcp",
        "namespace": f"{name}-mcp",
        "port": PORTS[1],
        "transport": "http",
        "description": f"MCP adapter of {name}, a tool for each operation.",
        "tools": [
            {
                "name": each.tool,
                "description": each.description,
                "hints": {
                    "readOnly": each.method == "GET",
                    "destructive": each.method == "DELETE",
                    "idempotent": each.method != "POST",
                },
            }
            | _exposed(name, each, "tools")
            for each in operations
        ],
    }
