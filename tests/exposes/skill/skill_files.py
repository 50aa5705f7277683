"""Capability files with skills, in a folder of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CANARY = "canary-that-no-answer-may-hold"


def skill_adapter(*skills: Mapping[str, Any], port: int = 8081, **more: Any) -> dict[str, Any]:
    return {"type": "skill", "namespace": "ops-skills", "port": port, "skills": [*skills], **more}


def skill(name: str = "ops", *tools: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    given = {"name": name, "description": f"How to {name}.", **fields}
    return given | ({"tools": [*tools]} if tools else {})


def from_tool(name: str, namespace: str, action: str) -> dict[str, Any]:
    source = {"sourceNamespace": namespace, "action": action}
    return {"name": name, "description": f"Does {name}.", "from": source}


def instruction(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "description": f"Tells of {name}.", "instruction": path}


REST = {
    "type": "rest",
    "namespace": "ships-rest",
    "port": 8080,
    "resources": [
        {
            "path": "/ships",
            "operations": [{"method": "GET", "name": "list-ships", "call": "up.list"}],
        }
    ],
}
MCP = {
    "type": "mcp",
    "namespace": "ships-mcp",
    "port": 9090,
    "tools": [{"name": "get-ship", "description": "One ship.", "call": "up.list"}],
}


def capability_text(*adapters: Mapping[str, Any], **root: Any) -> str:
    operation = {"name": "list", "method": "GET", "outputRawFormat": "json"}
    consumes = {
        "type": "http",
        "namespace": "up",
        "baseUri": "http://127.0.0.1:9",
        "resources": [{"name": "ships", "path": "/ships", "operations": [operation]}],
    }
    document = {
        "naftiko": "1.0.0-alpha2",
        "info": {"label": "Ships", "description": "Ships."},
        **root,
        "capability": {"consumes": [consumes], "exposes": [*adapters]},
    }
    return yaml.safe_dump(document, sort_keys=False)


def write_capability(folder: Path, *adapters: Mapping[str, Any], **root: Any) -> Path:
    path = folder / "ships.yaml"
    path.write_text(capability_text(*adapters, **root))
    return path


def fill_folder(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files by their relative paths, and one beside the folder that no answer may hold."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (folder.parent / "canary.md").write_text(CANARY)
    return folder
