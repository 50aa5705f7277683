"""Conditions of filters: existence, comparison by type, logic, functions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from naftiko_runtime.plan.jsonpath import JsonValue, compile_jsonpath

ROWS: JsonValue = [
    {"id": 0, "k": "x", "n": 1},
    {"id": 1, "k": "y", "n": 2.5, "tags": ["new", "old"]},
    {"id": 2, "k": None, "n": "1", "tags": []},
    {"id": 3, "n": True, "flag": False},
    {"id": 4, "k": "é", "n": Decimal("2.5"), "sub": {"k": "x"}},
]

SELECTED = [
    ("@.k", [0, 1, 2, 4]),
    ("!@.k", [3]),
    ("@.flag", [3]),
    ("@.tags[0]", [1]),
    ("@.tags[*]", [1]),
    ("!@.tags[*]", [0, 2, 3, 4]),
    ("@..k", [0, 1, 2, 4]),
    ("@['k','flag']", [0, 1, 2, 3, 4]),
    ("@", [0, 1, 2, 3, 4]),
    ("$[9]", []),
    ("$[0].k", [0, 1, 2, 3, 4]),
    ("@.k == 'x'", [0]),
    ('"x" == @.k', [0]),
    ("@.k != 'x'", [1, 2, 3, 4]),
    ("@.k == null", [2]),
    ("@.k != null", [0, 1, 3, 4]),
    ("@.n == 1", [0]),
    ("@.n == 1.0", [0]),
    ("@.n == 10e-1", [0]),
    ("@.n == '1'", [2]),
    ("@.n == true", [3]),
    ("@.flag == false", [3]),
    ("@.n == 2.5", [1, 4]),
    ("@.n == 25e-1", [1, 4]),
    ("@.n >= 2.5", [1, 4]),
    ("@.n > 1", [1, 4]),
    ("@.n < 2", [0]),
    ("@.n <= 1", [0]),
    ("1 < @.n", [1, 4]),
    ("@.n >= true", [3]),
    ("@.n > true", []),
    ("@.k <= null", [2]),
    ("@.k > 'x'", [1, 4]),
    ("@.k < 'y'", [0]),
    ("@.id == $[1].id", [1]),
    ("@.k == @.sub.k", [3]),
    ("@.none == @.nothing", [0, 1, 2, 3, 4]),
    ("@.none <= @.nothing", [0, 1, 2, 3, 4]),
    ("@.none < @.nothing", []),
    ("@.sub.k == $[0].k", [4]),
    ("@.id > 0 && @.id < 3", [1, 2]),
    ("@.id == 0 || @.id == 4", [0, 4]),
    ("@.flag || @.id > 2 && @.sub", [3, 4]),
    ("(@.flag || @.id > 2) && @.sub", [4]),
    ("!(@.id > 0 && @.id < 3)", [0, 3, 4]),
    ("! (@.id == 0)", [1, 2, 3, 4]),
    ("@.tags[?@ == 'old']", [1]),
    ("@.id==0||@.id==1&&@.k", [0, 1]),
    ("length(@.k) == 1", [0, 1, 4]),
    ("length(@.tags) == 0", [2]),
    ("length(@) == 4", [1, 2, 4]),
    ("length(@.n) == @.none", [0, 1, 3, 4]),
    ("length('abc') > 2", [0, 1, 2, 3, 4]),
    ("count(@.*) == 4", [1, 2, 4]),
    ("count(@..k) == 2", [4]),
    ("count(@.tags[*]) == 2", [1]),
    ("count($[*]) == 5", [0, 1, 2, 3, 4]),
    ("value(@..k) == 'x'", [0]),
    ("value(@.tags[*]) == @.none", [0, 1, 2, 3, 4]),
    ("length(value(@..sub)) == 1", [4]),
    ("match(@.k, '[xy]')", [0, 1]),
    ("!match(@.k, '[xy]')", [2, 3, 4]),
    ("search(@.tags[1], 'l')", [1]),
    ("match(@.tags[1], 'l')", []),
    ("match(@.n, '1')", [2]),
    ("match('xyz', 'x.z')", [0, 1, 2, 3, 4]),
    ("match(@.k, 5)", []),
    ("match(@.k, '[')", []),
    ("match(@.k, $[0].k)", [0]),
    ("search(@.k, value($..sub.k))", [0]),
    ("match(@.k, $[3].n)", []),
]


@pytest.mark.parametrize(("condition", "ids"), SELECTED)
def test_filter_selects_rows(condition: str, ids: list[int]) -> None:
    assert compile_jsonpath(f"$[?{condition}].id").find(ROWS) == ids


def test_filter_on_an_object_tests_its_members_values() -> None:
    document: JsonValue = {"a": 1, "b": {"a": 2}, "c": None}

    assert compile_jsonpath("$[?@ == 1]").find(document) == [1]
    assert compile_jsonpath("$[?@.a]").find(document) == [{"a": 2}]


def test_existence_asks_for_presence_not_for_truth() -> None:
    document: JsonValue = [0, False, None, "", [], {}]

    assert compile_jsonpath("$[?@]").find(document) == document


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, False),
        (1, "1"),
        (None, False),
        ([True], [1]),
        ({"a": 0}, {"a": False}),
        ([], {}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        (2**53, 2**53 + 1),
        (10**400, 10**400 + 1),
        (Decimal("0.1"), Decimal("0.10000000000000000001")),
        ("a", "A"),
    ],
)
def test_values_that_differ_by_type_or_content_are_not_equal(
    left: JsonValue, right: JsonValue
) -> None:
    document: JsonValue = [{"l": left, "r": right}]

    assert compile_jsonpath("$[?@.l == @.r]").find(document) == []
    assert compile_jsonpath("$[?@.r == @.l]").find(document) == []
    assert compile_jsonpath("$[?@.l != @.r]").find(document) == document


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1, Decimal("1.00")),
        (0, -0.0),
        (0.1, Decimal("0.1")),
        (Decimal("1e400"), 10**400),
        ([1, [2.0]], [1.0, [2]]),
        ({"a": 1, "b": [None]}, {"b": [None], "a": Decimal(1)}),
    ],
)
def test_numbers_are_equal_across_their_representations(left: JsonValue, right: JsonValue) -> None:
    document: JsonValue = [{"l": left, "r": right}]

    assert compile_jsonpath("$[?@.l == @.r]").find(document) == document
    assert compile_jsonpath("$[?@.r == @.l]").find(document) == document
    assert compile_jsonpath("$[?@.l <= @.r]").find(document) == document
    assert compile_jsonpath("$[?@.l != @.r]").find(document) == []
    assert compile_jsonpath("$[?@.l < @.r]").find(document) == []


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        (1, 2),
        (-1.5, 0),
        (Decimal("0.1"), 0.2),
        (0.1, Decimal("0.2")),
        (2**53, 2**53 + 1),
        (1.0, 10**400),
        ("A", "a"),
        ("a", "aa"),
        ("\uffff", "\U00010000"),
    ],
)
def test_numbers_and_texts_are_ordered(smaller: JsonValue, larger: JsonValue) -> None:
    document: JsonValue = [{"s": smaller, "l": larger}]

    for holds in ("@.s < @.l", "@.s <= @.l", "@.l > @.s", "@.l >= @.s"):
        assert compile_jsonpath(f"$[?{holds}]").find(document) == document
    for fails in ("@.l < @.s", "@.l <= @.s", "@.s > @.l", "@.s >= @.l", "@.s == @.l"):
        assert compile_jsonpath(f"$[?{fails}]").find(document) == []


def test_number_literals_of_any_length_are_exact_for_exact_numbers() -> None:
    long = "123456789012345678901234567890.123456789"
    document: JsonValue = [Decimal(long), Decimal(long + "1"), int(long.split(".")[0])]

    assert compile_jsonpath(f"$[?@ == {long}]").find(document) == [Decimal(long)]
    assert compile_jsonpath("$[?@ == 123456789012345678901234567890]").find(document) == [
        123456789012345678901234567890
    ]
    assert compile_jsonpath("$[?@ == 1e400]").find([10**400, 1e308]) == [10**400]


def test_deep_documents_compare_without_exhausting_the_stack() -> None:
    def nested() -> JsonValue:
        value: JsonValue = 1
        for _ in range(50_000):
            value = [value]
        return value

    assert compile_jsonpath("$[?@.a == @.b].id").find(
        [{"a": nested(), "b": nested(), "id": 7}]
    ) == [7]
