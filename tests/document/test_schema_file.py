"""The JSON Schema file: sound in itself, and read alike by this runtime and by jsonschema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import referencing
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document.schema_check import schema_path, schema_text
from naftiko_runtime.document.schema_compile import Compiler
from naftiko_runtime.document.schema_keywords import Fault
from tests.document.mutated_documents import EVERY_CONSTRUCT, mutated

SCHEMA: Any = json.loads(schema_text())
PUBLISHED: Any = {
    "naftiko": "1.0.0-alpha2",
    "binds": [{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
    "capability": {
        "consumes": [
            {
                "type": "http",
                "namespace": "orders-api",
                "baseUri": "{{ORDERS_URL}}",
                "authentication": {"type": "bearer", "token": "{{TOKEN}}"},
                "resources": [
                    {
                        "name": "orders/{id}",
                        "path": "/orders/{id}",
                        "operations": [
                            {
                                "name": "get_order",
                                "method": "GET",
                                "inputParameters": [
                                    {
                                        "name": "id",
                                        "in": "path",
                                        "type": "string",
                                        "required": True,
                                    },
                                    {"name": "$select", "in": "query", "enum": ["a"]},
                                ],
                                "body": {"type": "form", "data": None},
                                "outputParameters": [
                                    {"name": "result", "type": "object", "value": "$."}
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
        "exposes": [
            {
                "type": "rest",
                "port": 8080,
                "namespace": "orders",
                "description": "Orders.",
                "resources": [
                    {
                        "path": "/orders/{id}",
                        "operations": [
                            {
                                "method": "GET",
                                "call": "orders-api.get_order",
                                "with": {"id": "rest.id", "flag": True},
                                "inputParameters": [{"name": "id", "mapping": "path.id"}],
                                "outputParameters": [
                                    {
                                        "name": "a",
                                        "type": "integer",
                                        "mapping": "$.",
                                        "maxLength": 3,
                                    }
                                ],
                            }
                        ],
                    }
                ],
            },
            {
                "type": "mcp",
                "transport": "stdio",
                "port": 9090,
                "namespace": "orders-mcp",
                "tools": [{"name": "get_order", "call": "orders-api.get_order"}],
                "prompts": [
                    {
                        "name": "p",
                        "template": [{"role": "user", "content": "{{x}}"}],
                        "arguments": [{"name": "x", "enum": ["a"], "default": "a"}],
                    }
                ],
            },
        ],
    },
}


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema, those of x-strict included."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in ("items", "not", "if", "then", "else", "additionalProperties", "propertyNames"):
        yield from subschemas(schema.get(keyword))
    yield from subschemas(schema.get("x-strict"))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for child in schema.get(keyword, []):
            yield from subschemas(child)
    for keyword in ("properties", "$defs"):
        for child in schema.get(keyword, {}).values():
            yield from subschemas(child)


def official_form(schema: Any) -> Any:
    """The schema with each x-strict made to count, in the terms of JSON Schema alone."""
    if isinstance(schema, list):
        return [official_form(child) for child in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {key: official_form(child) for key, child in schema.items() if key != "x-strict"}
    if "x-strict" not in schema:
        return rest
    definitions = {key: rest.pop(key) for key in ("$schema", "$id", "$defs") if key in rest}
    return {**definitions, "allOf": [rest, official_form(schema["x-strict"])]}


def validator(schema: Any) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema, registry=referencing.Registry())


def faults_of(value: Any, *, strict: bool) -> list[Fault]:
    faults: list[Fault] = []
    CHECKS[strict](value, (), faults)
    return faults


CHECKS = {strict: Compiler(SCHEMA, strict=strict).compile(SCHEMA) for strict in (False, True)}
VALIDATORS = {False: validator(SCHEMA), True: validator(official_form(SCHEMA))}


def test_the_file_is_a_json_schema() -> None:
    assert schema_path().is_file()
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for subschema in subschemas(SCHEMA):
        jsonschema.Draft202012Validator.check_schema(subschema.get("x-strict", True))


def test_every_reference_leads_to_a_definition_and_every_definition_is_used() -> None:
    used = {child["$ref"] for child in subschemas(SCHEMA) if "$ref" in child}
    assert used == {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


def test_every_definition_and_every_key_that_authors_write_is_described() -> None:
    bare = [name for name, schema in SCHEMA["$defs"].items() if not schema.get("description")]
    assert bare == []
    for schema in [SCHEMA, *SCHEMA["$defs"].values()]:
        for key, child in schema.get("properties", {}).items():
            referred = SCHEMA["$defs"].get(child.get("$ref", "").rpartition("/")[2], {})
            assert child.get("description") or referred.get("description"), key


def test_every_pattern_is_explained() -> None:
    for schema in subschemas(SCHEMA):
        if "pattern" in schema:
            assert schema["patternErrorMessage"].startswith("expected ")


@pytest.mark.parametrize("strict", [False, True])
def test_the_examples_are_as_the_runtime_expects(strict: bool) -> None:
    assert faults_of(EVERY_CONSTRUCT, strict=strict) == []
    assert bool(faults_of(PUBLISHED, strict=strict)) == strict


@given(st.data(), st.booleans())
def test_the_compiled_schema_agrees_with_jsonschema(data: st.DataObject, strict: bool) -> None:
    value = data.draw(mutated([EVERY_CONSTRUCT, PUBLISHED]))
    faults = faults_of(value, strict=strict)
    assert (not faults) == VALIDATORS[strict].is_valid(value)
    assert all(fault.beyond for fault in faults) == VALIDATORS[False].is_valid(value)


@pytest.mark.parametrize("unknown", ["patternProperties", "dependentRequired", "x-other"])
def test_a_keyword_that_would_be_ignored_is_an_error(unknown: str) -> None:
    with pytest.raises(ValueError, match=unknown):
        Compiler({}, strict=False).compile({unknown: {}})
