"""The language reference has an entry with a running example for each definition."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from naftiko_runtime.document.schema_check import schema_text
from naftiko_runtime.document.yaml_reader import read_yaml
from tests.docs.language import entries, examples_below, index, target_of

COUNT = 82
"""How many definitions the specification's schema (1.0.0-alpha2) has."""

OWN = {
    "CallReference",
    "Condition",
    "Consumes",
    "Date",
    "Duration",
    "ErrorShape",
    "ErrorShapes",
    "Exposes",
    "FileLocation",
    "FunctionReference",
    "OfficialBehaviour",
    "OfficialReference",
    "OperationStepFail",
    "OperationStepQuestion",
    "OperationStepUnique",
    "OperationStepValue",
    "OutputParameter",
    "Port",
    "QuestionAnswer",
    "Repeat",
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
    lacking = [name for name, section in entries() if not examples_below(section)]
    assert lacking == []


def test_the_index_leads_to_every_entry() -> None:
    assert index() == sorted((name, target_of(section)) for name, section in entries())


def test_definitions_of_the_own_schema_are_explained() -> None:
    own = set(json.loads(schema_text())["$defs"]) - OWN
    assert own <= {name for name, _ in entries()}


@pytest.fixture(scope="module")
def official(shared: Path) -> dict[str, Any]:
    path = shared / "reference" / "schemas" / "naftiko-1.0.0-alpha2.json"
    if not path.is_file():
        pytest.skip("the official schema is not beside this repository")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def test_definitions_are_those_of_the_official_schema(official: dict[str, Any]) -> None:
    assert {name for name, _ in entries()} == set(official["$defs"])


def test_the_examples_of_a_definition_use_it(official: dict[str, Any]) -> None:
    used = {
        example.name: definitions_in(example.capability, official)
        for _, section in entries()
        for example in examples_below(section)
    }
    unused = [
        name
        for name, section in entries()
        if not any(name in used[example.name] for example in examples_below(section))
    ]
    assert unused == []


def definitions_in(text: str, schema: dict[str, Any]) -> set[str]:
    """The definitions that a value of the document is valid against, where the schema asks it."""
    found: set[str] = set()
    plain_ref = jsonschema.Draft202012Validator.VALIDATORS["$ref"]

    def noting_ref(validator: Any, ref: Any, instance: Any, schema: Any) -> Any:
        errors = list(plain_ref(validator, ref, instance, schema))
        if not errors:
            found.add(ref.rpartition("/")[2])
        return errors

    def whole_any_of(validator: Any, branches: Any, instance: Any, schema: Any) -> Any:
        """Asks every branch, where the library stops at the first that is valid."""
        errors = [list(validator.descend(instance, branch)) for branch in branches]
        if all(errors):
            yield from errors[0]

    keywords = {"$ref": noting_ref, "anyOf": whole_any_of}
    plain = jsonschema.Draft202012Validator
    noting = jsonschema.validators.extend(plain, keywords)  # type: ignore[no-untyped-call]
    document, _ = read_yaml(text.encode(), "example")
    assert document is not None
    assert noting(schema).is_valid(document.value)
    return found
