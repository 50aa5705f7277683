"""Compiled checks decide as a full validator does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from naftiko_runtime.exposes.mcp.schema_check import compile_check, lazy_check

names = st.sampled_from(["a", "b", "c"])
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.5, 1.0])
    | st.sampled_from("xy")
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def _with_inner(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
            "properties": st.dictionaries(names, inner, max_size=2),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "enum": st.lists(scalars, min_size=1, max_size=3),
            "const": scalars,
            "description": st.just("x"),
            "minLength": st.just(1),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
        },
    )


schemas = st.recursive(
    st.fixed_dictionaries({}, optional={"type": types}), _with_inner, max_leaves=6
).flatmap(lambda schema: _with_inner(st.just(schema)))


@given(schemas, values)
def test_a_compiled_check_accepts_what_a_full_validator_accepts(schema: Any, value: Any) -> None:
    complaint = compile_check(schema)(value)
    assert (complaint is None) == Draft202012Validator(schema).is_valid(value), complaint


def test_a_complaint_says_where_and_what_was_expected() -> None:
    check = compile_check(
        {
            "type": "object",
            "properties": {"orders": {"type": "array", "items": {"type": ["number", "null"]}}},
        }
    )
    assert check({"orders": [1, None, "x"]}) == "$.orders[2]: expected number or null, got string"


def test_exact_numbers_are_numbers() -> None:
    check = compile_check({"type": "array", "items": {"type": "number"}, "maxItems": 3})
    assert check([Decimal("1.10"), Decimal("12345678901234567890.5"), 3]) is None
    assert compile_check({"type": "integer"})(Decimal("2.0")) is None
    assert compile_check({"type": "integer"})(Decimal("2.5")) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://192.0.2.1/schema.json"},
        {"$ref": "#/$defs/absent"},
        {"type": "nonsense"},
        {"pattern": "("},
    ],
)
def test_C4_a_schema_that_cannot_be_used_fails_values_instead_of_raising(schema: Any) -> None:
    assert "schema" in str(lazy_check(schema)("x"))


def test_a_check_is_compiled_once_when_first_asked() -> None:
    schema: dict[str, Any] = {"type": "string"}
    check = lazy_check(schema)
    assert check("x") is None
    schema["type"] = "integer"
    assert check("x") is None
