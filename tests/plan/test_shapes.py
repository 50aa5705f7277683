"""The shapes that outputs without paths give to what was made by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document.model import OutputParameter
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import Scope
from naftiko_runtime.plan.shapes import compile_shape, is_by_name
from naftiko_runtime.problems import Place

PLACE = Place(str(Path("shapes.yaml")))


def output(name: str | None, type_: str, **keys: Any) -> OutputParameter:
    return OutputParameter(PLACE, (), name, type_, **keys)


def members(*outputs: OutputParameter) -> tuple[tuple[str, OutputParameter], ...]:
    return tuple((each.name or "", each) for each in outputs)


SHIP = output(
    "ship", "object", properties=members(output("name", "string"), output("imo", "number"))
)
CREW = output(
    "crew", "array", items=output(None, "object", properties=members(output("role", "string")))
)
ALL = (output("id", "string"), output("count", "number"), output("on", "boolean"), SHIP, CREW)


def shaped(document: JsonValue, *outputs: OutputParameter) -> JsonValue:
    plan = compile_shape(outputs or ALL)
    assert plan.map is not None
    return plan.map(document, Scope({}))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"id": 7, "count": "1.5", "on": "true", "ship": {"imo": "9"}, "crew": [{"role": 1}]},
            {
                "id": "7",
                "count": 1.5,
                "on": True,
                "ship": {"name": None, "imo": 9},
                "crew": [{"role": "1"}],
            },
        ),
        ({}, {"id": None, "count": None, "on": None, "ship": None, "crew": None}),
        (
            {"crew": {"role": "cook"}, "extra": [1]},
            {"id": None, "count": None, "on": None, "ship": None, "crew": [{"role": "cook"}]}
            | {"extra": [1]},
        ),
        (
            {"crew": [None, {}, 5]},
            {
                "id": None,
                "count": None,
                "on": None,
                "ship": None,
                "crew": [None, {"role": None}, 5],
            },
        ),
        ([1], [1]),
        (None, None),
    ],
)
def test_members_have_their_types_and_their_places(
    document: JsonValue, expected: JsonValue
) -> None:
    assert shaped(document) == expected


def test_declared_members_come_in_the_order_of_the_file() -> None:
    found = shaped({"extra": 1, "crew": [], "id": "x"})
    assert isinstance(found, dict)
    assert list(found) == ["id", "count", "on", "ship", "crew", "extra"]


def test_a_single_output_without_a_name_is_the_shape_of_the_whole() -> None:
    assert shaped([{"role": 1}], output(None, "array", items=CREW.items)) == [{"role": "1"}]
    assert shaped("12", output(None, "number")) == 12


@pytest.mark.parametrize(
    ("outputs", "by_name"),
    [
        ((), False),
        (ALL, True),
        ((output(None, "object"),), True),
        ((output("a", "string"), output(None, "string")), False),
        ((output("a", "string", mapping="$.x"),), False),
        ((output("a", "object", properties=members(output("b", "string", mapping="$"))),), False),
        ((output("a", "array", items=output(None, "string", mapping="$")),), False),
    ],
)
def test_outputs_are_by_name_when_none_of_them_has_a_path(
    outputs: tuple[OutputParameter, ...], by_name: bool
) -> None:
    assert is_by_name(outputs) is by_name


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "count", "ship", "crew", "role", "x"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
def test_shaping_twice_changes_nothing_more(document: JsonValue) -> None:
    once = shaped(document)
    assert shaped(once) == once
