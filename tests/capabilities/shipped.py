"""The shipped capability files, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "capabilities"
COMBINED = "interactive-brokers"
SURFACES = (
    "web-sessions",
    "web-accounts",
    "web-orders",
    "web-portfolio",
    "web-market-data",
    "web-contracts",
)
ALL = (*SURFACES, COMBINED)
FILES = [FOLDER / f"{name}.yaml" for name in ALL]

Document = dict[str, Any]


def document(path: Path) -> Document:
    read: Document = yaml.safe_load(path.read_text())
    return read


def shipped(name: str) -> Document:
    return document(FOLDER / f"{name}.yaml")


def consumed_operations(doc: Document) -> Iterator[tuple[str, Document, Document]]:
    """Each consumed operation as `namespace.name`, with its resource."""
    for consumes in doc["capability"]["consumes"]:
        for resource in consumes["resources"]:
            for operation in resource["operations"]:
                yield f"{consumes['namespace']}.{operation['name']}", resource, operation


def adapters(doc: Document, kind: str) -> list[Document]:
    return [adapter for adapter in doc["capability"]["exposes"] if adapter["type"] == kind]


def rest_operations(doc: Document) -> Iterator[tuple[str, str, Document]]:
    """Each exposed operation with its method and path."""
    for adapter in adapters(doc, "rest"):
        for resource in adapter["resources"]:
            for operation in resource["operations"]:
                yield operation["method"], resource["path"], operation


def tools(doc: Document) -> list[Document]:
    return [tool for adapter in adapters(doc, "mcp") for tool in adapter["tools"]]
