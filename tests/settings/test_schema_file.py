"""The JSON Schema of settings: sound in itself, and read as jsonschema reads it."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document.yaml_reader import read_yaml
from naftiko_runtime.settings.schema_check import check_settings, settings_schema_text
from tests.settings.reading import FILE, settings_of

SCHEMA: Any = json.loads(settings_schema_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

EVERYTHING: Any = {
    "upstreams": {
        "*": {"timeout": "10s", "pool": 64},
        "web-orders": {
            "base-uri": "https://localhost:5000/v1/api",
            "tls": {"trust": "pinned"},
            "pacing": {"rate": "10/s", "burst": 10, "queue": 5, "wait": "0s"},
            "operations": {"place*": {"pacing": {"rate": "1/5s"}}},
            "retries": {"times": 3, "delay": "100ms", "longest": "1m"},
            "breaker": {"failures": 3, "pause": "30s"},
            "keep-alive": {"call": "web-sessions.tickle", "every": "60s", "safe": True},
            "login": "https://localhost:5000",
        },
    },
    "guards": [
        {
            "match": ["*.placeorder", "a.b"],
            "callers": ["mcp"],
            "mode": "open",
            "approve": {"expires": "5m", "preview": "/whatif"},
            "idempotency": {"key": "$.body.cOID", "window": "1h", "required": True},
            "limits": [
                {"value": "$.body.quantity", "min": 1, "max": 99.5},
                {"value": "$.body.side", "allow": ["BUY", 1, True, None], "optional": True},
            ],
        },
        {"match": "*", "approve": True, "mode": "read-only"},
    ],
    "tools": {"hide": ["delete-*"]},
    "approvals": {"port": 0, "address": "::1", "password": "c4n4ry-c4n4ry", "url": "https://a.b"},
    "audit": {"file": "audit.jsonl"},
    "halt": {"file": "HALT"},
    "state": "redis://localhost",
}
VALUES = st.sampled_from(
    [None, True, 0, -1, 7, 1.5, "", "x", "10s", "0s", "1/s", "memory", "*", [], ["x"], {}, {"x": 1}]
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The paths of all values inside."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in pairs:
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


PLACES = places(EVERYTHING)


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """Settings with some values replaced, removed, or joined by an unknown key."""
    document = copy.deepcopy(EVERYTHING)
    for path in draw(st.lists(st.sampled_from(PLACES), max_size=3)):
        holder = document
        try:
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(holder, str):  # put there before, in place of what had values
            continue
        kind = draw(st.sampled_from(["replace", "remove", "add"]))
        if kind == "replace":
            holder[path[-1]] = draw(VALUES)
        elif kind == "remove":
            del holder[path[-1]]
        elif isinstance(holder, dict):
            holder["unknown"] = draw(VALUES)
    return document


def own_problems(document: Any) -> list[str]:
    text = yaml.safe_dump(document).encode()
    read, problems = read_yaml(text, str(FILE))
    assert read is not None
    assert problems == []
    return [str(problem) for problem in check_settings(read)]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_settings_with_everything_are_sound() -> None:
    assert VALIDATOR.is_valid(EVERYTHING)
    assert settings_of(yaml.safe_dump(EVERYTHING)).guards


@given(changed())
def test_this_runtime_and_jsonschema_agree(document: Any) -> None:
    assert (own_problems(document) == []) == VALIDATOR.is_valid(document)


def described(schema: Any, path: str = "$") -> list[str]:
    """Settings that editors could say nothing about."""
    lacking = []
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        referred = SCHEMA["$defs"].get(child.get("$ref", "").rpartition("/")[2], {})
        if not {**referred, **child}.get("description") and not child.get("properties"):
            lacking.append(here)
        lacking += described(child, here)
    return lacking


@pytest.mark.parametrize("name", ["", *sorted(SCHEMA["$defs"])])
def test_every_setting_is_described(name: str) -> None:
    assert described(SCHEMA["$defs"][name] if name else SCHEMA) == []


@pytest.mark.parametrize("name", sorted(SCHEMA["$defs"]))
def test_examples_and_defaults_are_what_the_schema_allows(name: str) -> None:
    wrong = []
    for key, child in SCHEMA["$defs"][name].get("properties", {}).items():
        validator = VALIDATOR.evolve(schema=child)
        given = [*child.get("examples", []), *([child["default"]] if "default" in child else [])]
        wrong += [(key, value) for value in given if not validator.is_valid(value)]
    assert wrong == []
