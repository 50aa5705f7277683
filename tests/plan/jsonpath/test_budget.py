"""No document and no path makes an evaluation visit more than its budget."""

from __future__ import annotations

import pytest

from naftiko_runtime.plan.jsonpath import (
    NODE_BUDGET,
    JsonPathBudgetExceeded,
    JsonValue,
    compile_jsonpath,
)


def chain(depth: int) -> JsonValue:
    value: JsonValue = {"b": 1}
    for _ in range(depth):
        value = {"a": value}
    return value


def nest(depth: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = [value]
    return value


WIDE: JsonValue = list(range(NODE_BUDGET + 1))

EXCESSIVE: list[tuple[str, JsonValue]] = [
    ("$..*..*", chain(3_000)),
    ("$..a..a..b", chain(3_000)),
    ("$..[?@..b]", chain(3_000)),
    ("$[?count($..*) > 1]", list(range(3_000))),
    ("$..[?count($..*) > 1]", chain(3_000)),
    ("$" + "['a','a']" * 30, chain(40)),
    ("$" + "[0,0]" * 30, nest(40)),
    ("$" + "[*,*]" * 20, [[[[[[1] * 8] * 8] * 8] * 8] * 8] * 8),
    ("$[*]" + "[0:,0:]" * 20, [[[[[[1] * 8] * 8] * 8] * 8] * 8] * 8),
    ("$..*", WIDE),
    ("$[*]", WIDE),
    ("$[*].a", WIDE),
    ("$[?@ > 1]", WIDE),
    ("$[0:]", WIDE),
]


@pytest.mark.parametrize(("path", "document"), EXCESSIVE)
def test_evaluation_that_visits_too_much_is_stopped(path: str, document: JsonValue) -> None:
    compiled = compile_jsonpath(path)

    with pytest.raises(JsonPathBudgetExceeded) as raised:
        compiled.find(document)
    assert raised.value.limit == NODE_BUDGET
    with pytest.raises(JsonPathBudgetExceeded):
        compiled.read(document)


def test_comparing_large_values_again_and_again_is_stopped() -> None:
    large: JsonValue = [[number] for number in range(1_000)]
    rows: JsonValue = [[[number] for number in range(1_000)] for _ in range(600)]

    with pytest.raises(JsonPathBudgetExceeded):
        compile_jsonpath("$.rows[?@ == $.large]").find({"rows": rows, "large": large})


def test_each_evaluation_has_its_own_budget() -> None:
    path = compile_jsonpath("$..*")
    document: JsonValue = [[number] for number in range(150_000)]

    for _ in range(3):
        assert len(path.find(document)) == 300_000


def test_definite_paths_read_documents_of_any_size() -> None:
    assert compile_jsonpath(f"$[{NODE_BUDGET}]").read(WIDE) == NODE_BUDGET
    assert compile_jsonpath("$.a.b").read({"a": {"b": WIDE}}) is WIDE


def test_documents_deeper_than_the_stack_are_searched() -> None:
    assert compile_jsonpath("$..b").find(chain(100_000)) == [1]
