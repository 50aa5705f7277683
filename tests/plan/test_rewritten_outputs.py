"""Outputs that exchange values, replace text, try several paths, or are left out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.getters import as_text
from naftiko_runtime.plan.operation import OutputPlan, Scope
from tests.loaded_calls import one_call

SIDES = {"B": "BUY", "S": "SELL"}


def plan_of(parameter: dict[str, Any]) -> OutputPlan:
    """The plan of an object with the one member `x`."""
    call = one_call(outputs=({"type": "object", "properties": {"x": parameter}},))
    assert call.problems == (), call.messages
    return call.tool.output


def made(parameter: dict[str, Any], document: Any) -> JsonValue:
    plan = plan_of(parameter)
    assert plan.map is not None
    return plan.map(document, Scope({}))


@pytest.mark.parametrize(
    ("keys", "document", "value"),
    [
        ({"cases": SIDES}, {"a": "B"}, "BUY"),
        ({"cases": SIDES}, {"a": "X"}, "X"),
        ({"cases": SIDES}, {}, None),
        ({"cases": SIDES, "otherwise": "?"}, {"a": "X"}, "?"),
        ({"cases": SIDES, "otherwise": "?"}, {}, "?"),
        ({"cases": SIDES, "otherwise": None}, {"a": "X"}, None),
        ({"cases": {"7": "seven", "true": 1}}, {"a": 7}, "seven"),
        ({"cases": {"7": "seven", "true": 1}}, {"a": True}, 1),
        ({"otherwise": "none"}, {"a": None}, "none"),
        ({"otherwise": "none"}, {"a": "B"}, "B"),
        ({"replace": {"-": " ", ":": ""}}, {"a": "20240115-14:30"}, "20240115 1430"),
        ({"replace": {"-": "S"}, "cases": SIDES}, {"a": "-"}, "SELL"),
        ({"replace": {"x": "1"}, "type": "number"}, {"a": "x.5"}, Decimal("1.5")),
        ({"replace": {"x": "1"}}, {"a": 5}, "5"),
    ],
)
def test_a_value_becomes_what_it_stands_for(
    keys: dict[str, Any], document: Any, value: JsonValue
) -> None:
    parameter = {"type": "string", "mapping": "$.a"} | keys
    assert made(parameter, document) == {"x": value}


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ({"a": 1, "b": 2}, 1),
        ({"a": None, "b": 2}, 2),
        ({"b": 2}, 2),
        ({"a": [], "b": 2}, 2),
        ({"a": False, "b": 2}, False),
        ({}, "none"),
    ],
)
def test_of_several_paths_the_first_counts_that_finds_something(
    document: Any, value: JsonValue
) -> None:
    parameter = {"type": "number", "mapping": ["$.a", "$.b"], "otherwise": "none"}
    assert made(parameter, document) == {"x": value}


def test_an_optional_member_is_left_out_where_there_is_nothing() -> None:
    parameter = {"type": "string", "mapping": "$.a", "optional": True}
    assert made(parameter, {"a": "v"}) == {"x": "v"}
    assert made(parameter, {"a": None}) == {}
    assert made(parameter, {}) == {}


def test_the_schema_says_what_types_the_cases_have() -> None:
    schema = plan_of({"type": "number", "mapping": "$.a", "otherwise": "-", "cases": {"0": True}})
    assert schema.schema is not None
    properties: Any = schema.schema["properties"]
    assert set(properties["x"]["type"]) == {"number", "string", "boolean", "null"}


@given(
    value=st.none() | st.booleans() | st.integers(-20, 20) | st.text("abS17", max_size=2),
    cases=st.dictionaries(
        st.text("abS17", min_size=1, max_size=2), st.integers() | st.text(max_size=2), max_size=3
    ),
)
def test_without_otherwise_nothing_gets_lost(value: Any, cases: dict[str, Any]) -> None:
    found: Any = made({"type": "string", "mapping": "$.a", "cases": cases}, {"a": value})
    shown = None if value is None else as_text(value)
    assert found["x"] == (None if shown is None else cases.get(shown, shown))
