"""Rows that are made in one pass are what making each member by itself gives."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import OutputPlan, Scope
from tests.loaded_calls import one_call

TYPES = ["string", "number", "integer", "boolean", "object", "array"]
KEYS = ["a", "b", "a b", "0"]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.sampled_from(["", "true", "false", "12", "-1.50", " 7 ", "1e9999999", "x", "+3", "007"])
    | st.text(max_size=5)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)


@cache
def plan(*, in_one_pass: bool) -> OutputPlan:
    """A property of each type for each key. A `maxLength` no text reaches takes them apart."""
    properties: dict[str, Any] = {
        f"{type_}-{key}": {"type": type_, "mapping": f"$['{key}']"}
        for type_ in TYPES
        for key in KEYS
    }
    if not in_one_pass:
        properties["string-a"]["maxLength"] = 1_000_000
    call = one_call(outputs=({"type": "object", "properties": properties},))
    assert call.problems == (), call.messages
    return call.tool.output


def mapped(document: JsonValue, *, in_one_pass: bool) -> JsonValue:
    make = plan(in_one_pass=in_one_pass).map
    assert make is not None
    return make(document, Scope({}))


def exactly(value: JsonValue) -> object:
    """Told apart by type as well: 1, 1.0, True and Decimal("1") are equal to Python."""
    if isinstance(value, dict):
        return [(key, exactly(member)) for key, member in value.items()]
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return (type(value), str(value) if isinstance(value, Decimal) else value)


@given(values)
def test_a_row_is_the_same_in_one_pass_as_member_by_member(document: Any) -> None:
    row = mapped(document, in_one_pass=True)
    assert exactly(row) == exactly(mapped(document, in_one_pass=False))


def test_a_row_has_all_its_members_whatever_the_document_is() -> None:
    documents: list[JsonValue] = [None, "text", 5, [], {}, {"other": 1}]
    for document in documents:
        row = mapped(document, in_one_pass=True)
        assert isinstance(row, dict)
        assert list(row) == [f"{type_}-{key}" for type_ in TYPES for key in KEYS]
        assert set(row.values()) == {None}
