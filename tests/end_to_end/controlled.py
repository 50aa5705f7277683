"""Capability files with a control adapter, and what its port says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import yaml

from tests.capability_text import capability
from tests.serving_process import Serving

CONTROL = 9100
PORTS = (8080, 9090, CONTROL)
EVERYTHING: Mapping[str, Any] = {
    "management": {"info": True, "reload": True, "validate": True, "logs": True},
    "observability": {},
}


def controlled(
    base_uri: str,
    *operations: str,
    control: Mapping[str, Any] | None = None,
    name: str = "orders",
    **more: Any,
) -> str:
    """`capability(...)` with a control adapter on port 9100; `more` goes to the file's root."""
    document = yaml.safe_load(capability(name, base_uri, *operations))
    adapter = {"type": "control", "port": CONTROL, **(EVERYTHING if control is None else control)}
    document["capability"]["exposes"].append(adapter)
    return yaml.safe_dump(document | more, sort_keys=False)


def write(folder: Path, text: str, name: str = "orders.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def control_url(serving: Serving, path: str = "") -> str:
    return f"http://127.0.0.1:{serving.port(CONTROL)}{path}"


def ask(serving: Serving, path: str, method: str = "GET", **options: Any) -> httpx2.Response:
    """One request to the control port."""
    return httpx2.request(method, control_url(serving, path), timeout=60, **options)
