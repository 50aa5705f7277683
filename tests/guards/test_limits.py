"""Bounds and allow-lists, and the paths with which guards read requests."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.guards.limits import breach_of, number_of
from naftiko_runtime.guards.request_paths import Odd, compile_request_path
from naftiko_runtime.json_codec import decode_json
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.settings.model import Limit

ROWS = "$.body.orders[*].quantity"


def beyond(limit: Limit, body: object) -> bool:
    return breach_of((limit,), {"body": decode_json(json.dumps(body))}, "shop.place") is not None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, "5"),
        (Decimal("1.10"), "1.10"),
        (0.1, "0.1"),
        ("5", "5"),
        (" 5.0 ", "5"),
        ("+5", "5"),
        ("5e2", "500"),
        ("1e-400", "1e-400"),
        (".5", "0.5"),
        ("5.", "5"),
        (True, None),
        (None, None),
        ("", None),
        ("five", None),
        ("NaN", None),
        ("-Infinity", None),
        ("0x5", None),
        ("5_000", None),
        ("5,5", None),
        ("\u0665", None),
        ("5e9999999", None),
        ("5" * 500, None),
        ([5], None),
        ({"5": 5}, None),
        (float("nan"), None),
    ],
)
def test_numbers_are_read_exactly_or_not_at_all(value: JsonValue, number: str | None) -> None:
    assert number_of(value) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"orders": None},
        {"orders": []},
        {"orders": {}},
        {"orders": [{}]},
        {"orders": [{"quantity": 1}, {}]},
        {"orders": [{"quantity": None}]},
        {"orders": [1]},
        [{"quantity": 1}],
        {"quantity": 1},
        None,
        "text",
    ],
)
def test_what_a_limit_does_not_find_is_beyond_it(body: object) -> None:
    assert beyond(Limit(ROWS, most=10), body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"orders": [{}]}, False),
        ({"orders": [{"quantity": None}]}, False),
        ({"orders": []}, False),
        ({"orders": None}, False),
        (None, False),
        ({"orders": [{"quantity": 1}, {}]}, False),
        ({"orders": [{"quantity": 11}, {}]}, True),
        ({}, True),
        ({"quantity": 1}, True),
        ([{"quantity": 1}], True),
        ({"orders": {"quantity": 1}}, True),
        ({"orders": [[{"quantity": 1}]]}, True),
        ({"orders": [{"Quantity": 1}]}, True),
        ({"orders": [{" quantity": 1}]}, True),
        ({"ORDERS": [{"quantity": 1}]}, True),
        ("text", True),
    ],
)
def test_an_optional_limit_excuses_a_missing_value_and_nothing_else(
    body: object, expected: bool
) -> None:
    assert beyond(Limit(ROWS, most=10, optional=True), body) is expected


@pytest.mark.parametrize(
    ("allow", "value", "expected"),
    [
        (("BUY",), "BUY", False),
        (("BUY",), "buy", True),
        (("BUY",), " BUY", True),
        (("BUY",), ["BUY"], True),
        ((1,), 1, False),
        ((1,), "1", False),
        ((1,), 1.0, False),
        ((1,), True, True),
        ((True,), 1, True),
        ((True,), True, False),
        (("1",), 1, True),
        ((1, "MKT"), "MKT", False),
    ],
)
def test_only_what_is_listed_is_allowed(
    allow: tuple[JsonValue, ...], value: object, expected: bool
) -> None:
    assert beyond(Limit("$.body.side", allow=allow), {"side": value}) is expected


@pytest.mark.parametrize(
    ("path", "body", "found"),
    [
        ("$.body.a", {"a": 1}, [1]),
        ("$.body.a[0]", {"a": [1]}, [1]),
        ("$.body.a[1]", {"a": [1]}, [MISSING]),
        ("$.body.a[0].b", {"a": []}, [Odd.PLACE]),
        ("$.body.a[0]", {"a": {"0": 1}}, [Odd.SHAPE]),
        ("$.body..q", {"a": {"q": 1}, "b": [{"q": 2}]}, [1, 2]),
        ("$.body..q", {"a": 1}, [MISSING]),
        ("$.body.o[?@.side=='BUY'].q", {"o": [{"side": "BUY"}, {"q": 5}]}, [MISSING]),
        ("$.body.o[?@.side=='BUY'].q", {"o": [{"side": "SELL", "q": 5}]}, [MISSING]),
        ("$.body.o[*].legs[*].q", {"o": [{"legs": [{"q": 1}, {"q": 2}]}]}, [1, 2]),
    ],
)
def test_paths_find_values_or_say_why_not(path: str, body: Any, found: list[object]) -> None:
    assert compile_request_path(path)({"body": body}) == found


quantities = st.one_of(
    st.integers(),
    st.floats(),
    st.text(),
    st.booleans(),
    st.none(),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.lists(st.integers(), max_size=2),
)


@given(st.lists(quantities, min_size=1, max_size=5), st.integers(-1000, 1000))
def test_whatever_passes_a_limit_is_a_number_within_it(values: list[JsonValue], most: int) -> None:
    document: JsonValue = {"body": {"orders": [{"quantity": value} for value in values]}}
    if breach_of((Limit(ROWS, most=most),), document, "shop.place") is None:
        for value in values:
            assert isinstance(value, int | float | str | Decimal)
            assert not isinstance(value, bool)
            assert Decimal(str(value).strip()) <= most
