"""Conditions about one object, and which of its members they read."""

from __future__ import annotations

from typing import Any

import pytest

from naftiko_runtime.plan.jsonpath import (
    JsonPathSyntaxError,
    compile_expression,
    compile_jsonpath,
    names_of_path,
)

SCOPE: Any = {
    "answer": [{"id": "q1", "messageIds": ["o163", "o354"]}],
    "accepted": "o163|o354",
    "text": "Aapl",
    "wanted": "aaPL",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("@.answer[0].messageIds", True),
        ("@.answer[1]", False),
        ("!@.absent", True),
        ("@.nothing", True),
        ("@.nothing == null", True),
        ("$.text == 'Aapl' && @.text == 'Aapl'", True),
        (" ( @.absent || @.text ) ", True),
        ("@.answer[0].messageIds[?!match(@, $.accepted)]", False),
        ("@.answer[0].messageIds[?match(@, 'o354')]", True),
        ("upper(@.text) == upper(@.wanted)", True),
        ("lower(@.text) == 'aapl'", True),
        ("lower(@.nothing) == lower(@.absent)", True),
        ("match(lower(@.text), 'a+pl')", True),
        ("count(@.answer[*].messageIds[*]) > 1", True),
        ("@['text'] != @.wanted", True),
    ],
)
def test_a_condition_is_asked_about_the_object(text: str, holds: bool) -> None:
    assert compile_expression(text).holds(SCOPE) is holds


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@.a.b && !$.c", {"a", "c"}),
        ("@['a','b'][0]", {"a", "b"}),
        ("@.a[?@.x == $.b.y]", {"a", "b"}),
        ("length(upper(@.a)) > 2 || search($.b, @.c)", {"a", "b", "c"}),
        ("1 == 1", set()),
        ("@", None),
        ("@..a", None),
        ("@[0] || @.b", None),
        ("@.a[?count($[*]) > 1]", None),
    ],
)
def test_a_condition_knows_what_it_reads(text: str, names: set[str] | None) -> None:
    found = compile_expression(text).names
    assert found == (None if names is None else frozenset(names))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("$.trades[?!$.symbol || upper(@.symbol) == upper($.symbol)]", {"trades", "symbol"}),
        ("trades[0]", {"trades"}),
        ("$", None),
        ("$[*]", None),
        ("$.a + $.b", None),
    ],
)
def test_a_path_knows_what_it_reads(path: str, names: set[str] | None) -> None:
    assert names_of_path(path) == (None if names is None else frozenset(names))


@pytest.mark.parametrize(
    ("text", "offset", "says"),
    [
        ("", 0, "ends where a path, a constant or a function is expected"),
        ("@.a = 1", 4, "write =="),
        ("symbol", 0, "@.symbol"),
        ("@.a) ", 3, "&&, || or the end"),
        ("@.a &&", 6, "ends where"),
        ("upper(@.a)", 0, "compare its result with a value"),
        ("@.a[*] == 1", 0, "several values"),
    ],
)
def test_a_condition_that_cannot_be_read_says_where_and_why(
    text: str, offset: int, says: str
) -> None:
    with pytest.raises(JsonPathSyntaxError) as error:
        compile_expression(text)
    assert error.value.offset == offset
    assert says in str(error.value)


def test_letters_are_folded_in_the_filters_of_paths() -> None:
    rows: Any = [{"s": "aapl"}, {"s": "MSFT"}, {"s": 7}, {}]
    assert compile_jsonpath("$[?upper(@.s) == 'AAPL']").read(rows) == [{"s": "aapl"}]
    assert compile_jsonpath("$[?lower(@.s) == 'msft']").read(rows) == [{"s": "MSFT"}]
