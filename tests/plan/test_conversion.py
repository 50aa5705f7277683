"""Checks of callers' values, and their types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.document.model import ParameterType
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.conversion import compile_conversion
from tests.loaded_calls import one_call, query


def converted(type_: str | None, value: JsonValue, textual: bool, **schema: JsonValue) -> JsonValue:
    kind = None if type_ is None else ParameterType(type_)
    return compile_conversion("x", kind, schema)(value, textual)


def refused(type_: str | None, value: JsonValue, textual: bool, **schema: JsonValue) -> str:
    with pytest.raises(CallFailed) as raised:
        converted(type_, value, textual, **schema)
    failure = raised.value.failure
    assert (failure.kind, failure.field) == (FailureKind.INVALID_INPUT, "x")
    return failure.detail


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("string", "5", "5"),
        ("integer", "5", 5),
        ("integer", "-0", 0),
        ("integer", "+12", 12),
        ("integer", "123456789012345678901234567890", 123456789012345678901234567890),
        ("number", "1.10", Decimal("1.10")),
        ("number", "-.5", Decimal("-0.5")),
        ("number", "1e3", Decimal("1e3")),
        ("number", "7", 7),
        ("boolean", "true", True),
        ("boolean", "FALSE", False),
        ("array", "a", ["a"]),
        ("array", ["a", "b"], ["a", "b"]),
        ("object", '{"a":1}', '{"a":1}'),
        (None, "5", "5"),
    ],
)
def test_text_becomes_the_declared_type(
    type_: str | None, text: JsonValue, value: JsonValue
) -> None:
    result = converted(type_, text, True)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("integer", "1.5", "a whole number"),
        ("integer", "1\n", "a whole number"),
        ("integer", " 1", "a whole number"),
        ("integer", "", "a whole number"),
        ("integer", "0x10", "a whole number"),
        ("integer", "1_000", "a whole number"),
        ("integer", "\u0661", "a whole number"),
        ("integer", "9" * 5000, "a whole number"),
        ("number", "NaN", "a number"),
        ("number", "Infinity", "a number"),
        ("number", "1e99999", "a number"),
        ("number", "1,5", "a number"),
        ("boolean", "yes", "true or false"),
        ("boolean", "1", "true or false"),
        ("string", ["a", "b"], "text"),
        ("integer", ["1", "2"], "a whole number"),
    ],
)
def test_a9_text_that_is_not_of_the_type_is_refused(
    type_: str, text: JsonValue, expected: str
) -> None:
    assert f"expected {expected}" in refused(type_, text, True)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("string", 5),
        ("string", True),
        ("string", {"a": 1}),
        ("integer", "5"),
        ("integer", True),
        ("integer", 1.5),
        ("integer", Decimal("1.5")),
        ("integer", Decimal("1e5000")),
        ("integer", float("inf")),
        ("integer", float("nan")),
        ("integer", Decimal("Infinity")),
        ("number", "5"),
        ("number", False),
        ("number", float("inf")),
        ("number", Decimal("NaN")),
        ("boolean", "true"),
        ("boolean", 1),
        ("array", "a"),
        ("array", {"a": 1}),
        ("object", "{}"),
        ("object", []),
    ],
)
def test_a9_json_of_another_type_is_refused(type_: str, value: JsonValue) -> None:
    assert "expected" in refused(type_, value, False)


@pytest.mark.parametrize(
    ("type_", "value", "result"),
    [
        ("integer", 5, 5),
        ("integer", 5.0, 5),
        ("integer", Decimal("5.00"), 5),
        ("number", Decimal("1.10"), Decimal("1.10")),
        ("number", -0.0, -0.0),
        ("array", [], []),
        ("object", {"__proto__": 1}, {"__proto__": 1}),
    ],
)
def test_json_of_the_type_is_taken_as_it_is(
    type_: str, value: JsonValue, result: JsonValue
) -> None:
    assert converted(type_, value, False) == result


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"enum": ["a", "b"]}, "a", "c"),
        ({"pattern": "^[A-Z]{3}$"}, "USD", "usd"),
        ({"minLength": 2}, "ab", "a"),
        ({"maxLength": 2}, "ab", "abc"),
    ],
)
def test_keywords_for_text_are_checked(schema: dict[str, Any], good: str, bad: str) -> None:
    assert converted("string", good, True, **schema) == good
    assert f'got "{bad}"' in refused("string", bad, True, **schema)


@pytest.mark.parametrize(
    ("type_", "schema", "good", "bad"),
    [
        ("integer", {"minimum": 1}, "1", "0"),
        ("integer", {"maximum": 10}, "10", "11"),
        ("number", {"minimum": 0.1}, "0.1", "0.09"),
        ("number", {"maximum": Decimal("0.30")}, "0.3", "0.31"),
        ("integer", {"enum": [1, 2]}, "2", "3"),
        ("number", {"enum": [1.1, 2.2]}, "1.1", "1.2"),
        ("number", {"enum": [Decimal("1.10")]}, "1.1", "1.2"),
        ("boolean", {"enum": [True]}, "true", "false"),
        ("integer", {"exclusiveMinimum": 0}, "1", "0"),
        ("number", {"exclusiveMaximum": 1}, "0.999", "1"),
    ],
)
def test_keywords_for_numbers_are_checked(
    type_: str, schema: dict[str, Any], good: str, bad: str
) -> None:
    converted(type_, good, True, **schema)
    assert "expected" in refused(type_, bad, True, **schema)


def test_one_and_true_are_not_the_same_choice() -> None:
    assert "expected one of" in refused(None, True, False, enum=[1])
    assert "expected one of" in refused(None, 1, False, enum=[True])


def test_choices_that_are_numbers_allow_the_text_of_an_input_that_is_text() -> None:
    assert converted("string", "1", True, enum=[1, 2]) == "1"


def test_the_keywords_of_list_items_are_checked() -> None:
    items: JsonValue = {"type": "integer", "minimum": 1}
    assert converted("array", ["1", "2"], True, items=items) == [1, 2]
    assert "expected" in refused("array", ["1", "0"], True, items=items)
    assert "expected" in refused("array", [1, "2"], False, items=items)


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "["},
        {"pattern": r"(a)\1"},
        {"minimum": "abc"},
        {"minLength": "abc"},
        {"minimum": [1]},
        {"enum": {"a": 1}},
        {"items": "text"},
    ],
)
def test_a_keyword_that_cannot_be_used_never_stops_a_file_from_loading(
    schema: dict[str, object],
) -> None:
    call = one_call(parameters=[query("x", type="string", **schema), query("y")])
    assert call.file.plan is not None
    if not call.file.plan.mcp[0].tools:
        assert call.problems != ()


def test_a_value_in_a_message_is_short_and_on_one_line() -> None:
    detail = refused("integer", "x\n" * 500, True)
    assert "\n" not in detail
    assert len(detail) < 150
