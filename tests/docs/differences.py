"""Where the project's schema takes more than the official one, read from its `x-strict`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from naftiko_runtime.document.schema_check import schema_text

_ITSELF = "itself"
_NAMES = ("IdentifierKebab", "IdentifierExtended", "BindingVariableName", "OfficialReference")


def differences() -> set[tuple[str, str, str]]:
    """Each as a definition (or `the file`), the key in it (or `itself`) and the kind."""
    schema = json.loads(schema_text())
    found: set[tuple[str, str, str]] = set()
    for name, definition in schema.pop("$defs").items():
        found |= {(name, *each) for each in _within(definition, _ITSELF)}
    return found | {("the file", *each) for each in _within(schema, _ITSELF)}


def _within(schema: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(schema, list):
        for each in schema:
            yield from _within(each, key)
    if not isinstance(schema, dict):
        return
    if "x-strict" in schema:
        for kind in _kinds(schema["x-strict"]):
            yield key, kind
    for name, inner in schema.get("properties", {}).items():
        yield from _within(inner, name)
    for word, inner in schema.items():
        if word not in ("properties", "x-strict"):
            yield from _within(inner, key)


def _kinds(strict: Any) -> Iterator[str]:
    """What `x-strict` asks beside what is asked anyway."""
    if strict is False:
        yield "key"
        return
    text = json.dumps(strict)
    if any(f"/{name}" in text for name in _NAMES):
        yield "name"
    elif "required" in strict:
        yield "missing"
    elif strict.keys() == {"minItems"}:
        yield "empty"
    elif strict == {"type": "string"}:
        yield "text"
    else:
        yield "own"
