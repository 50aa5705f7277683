"""The language reference has an entry with a running example for each definition."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from naftiko_runtime.document.schema_check import schema_text
from tests.docs.language import entries, index, sections_with_examples, target_of

COUNT = 82
"""How many definitions the specification's schema (1.0.0-alpha2) has."""

HELPERS = {
    "CallReference",
    "Consumes",
    "Date",
    "Exposes",
    "FileLocation",
    "FunctionReference",
    "OfficialBehaviour",
    "OfficialReference",
    "OutputParameter",
    "Port",
    "ScalarText",
    "ValueSchema",
    "ValueType",
}
"""Definitions of the project's own schema that the specification's does not have."""


def test_every_definition_is_explained_once() -> None:
    counts = Counter(name for name, _ in entries())
    assert {name: count for name, count in counts.items() if count > 1} == {}
    assert len(counts) == COUNT


def test_every_definition_has_an_example_that_runs() -> None:
    with_examples = sections_with_examples()
    lacking = [name for name, section in entries() if target_of(section) not in with_examples]
    assert lacking == []


def test_the_index_leads_to_every_entry() -> None:
    assert index() == sorted((name, target_of(section)) for name, section in entries())


def test_definitions_of_the_own_schema_are_explained() -> None:
    own = set(json.loads(schema_text())["$defs"]) - HELPERS
    assert own <= {name for name, _ in entries()}


def test_definitions_are_those_of_the_official_schema(shared: Path) -> None:
    path = shared / "reference" / "schemas" / "naftiko-1.0.0-alpha2.json"
    if not path.is_file():
        pytest.skip("the official schema is not beside this repository")
    official = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    assert {name for name, _ in entries()} == set(official)
