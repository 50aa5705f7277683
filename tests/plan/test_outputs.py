"""What output parameters make of an upstream's document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import OutputPlan, Scope
from tests.loaded_calls import LoadedCall, one_call

ORDERS: JsonValue = {
    "account": "U1",
    "orders": [
        {"id": 1, "price": Decimal("1.10"), "legs": [{"side": "BUY"}, {"side": "SELL"}]},
        {"id": 2, "price": None, "legs": []},
    ],
    "totals": {"EUR": {"cash": 5}, "USD": {"cash": 7}},
    "note": "a long note",
    "odd name": {"x.y": 1},
}


def output(*parameters: dict[str, Any]) -> OutputPlan:
    call = one_call(outputs=parameters)
    assert call.problems == (), call.messages
    return call.tool.output


def mapped(*parameters: dict[str, Any], document: JsonValue = ORDERS) -> JsonValue:
    plan = output(*parameters)
    return document if plan.map is None else plan.map(document, Scope({"who": "ada", "n": 5}))


def scalar(mapping: str, type_: str = "string", **keys: object) -> dict[str, Any]:
    return {"type": type_, "mapping": mapping, **keys}


# --- the whole document -------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameter",
    [
        {"type": "object", "mapping": "$."},
        {"type": "object", "mapping": "$"},
        {"type": "array", "mapping": "$."},
        {"type": "object", "name": "result", "value": "$."},
        {"type": "object", "value": "$."},
    ],
)
def test_the_whole_document_is_passed_through_without_a_mapper(parameter: dict[str, Any]) -> None:
    plan = output(parameter)
    assert plan.map is None
    assert plan.schema is None


def test_without_output_parameters_the_document_is_passed_through() -> None:
    text = one_call().tool.output
    assert text.map is None


# --- scalars ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "value"),
    [
        ("$.account", "U1"),
        ("$.orders[0].legs[1].side", "SELL"),
        ("$['odd name']['x.y']", "1"),
        ("$.nothing", None),
        ("$.orders[9].id", None),
        ("$.account.deeper", None),
    ],
)
def test_a_scalar_is_the_value_at_its_path_and_null_where_there_is_none(
    mapping: str, value: JsonValue
) -> None:
    body = {"type": "object", "properties": {"x": scalar(mapping)}}
    assert mapped(body) == {"x": value}


@pytest.mark.parametrize(
    ("type_", "given", "value"),
    [
        ("string", 5, "5"),
        ("string", Decimal("1.10"), "1.10"),
        ("string", True, "true"),
        ("string", "a", "a"),
        ("number", "1.10", Decimal("1.10")),
        ("number", "-7", -7),
        ("number", " 5 ", 5),
        ("number", "abc", "abc"),
        ("number", "", ""),
        ("number", "1_000", "1_000"),
        ("number", "\u0661\u0662", "\u0661\u0662"),
        ("number", "NaN", "NaN"),
        ("number", "Infinity", "Infinity"),
        ("number", "1e999999", "1e999999"),
        ("number", "0x10", "0x10"),
        ("number", 5, 5),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("boolean", "yes", "yes"),
        ("boolean", True, True),
        ("string", None, None),
    ],
)
def test_a_scalar_is_brought_into_its_declared_type_where_that_loses_nothing(
    type_: str, given: JsonValue, value: JsonValue
) -> None:
    body = {"type": "object", "properties": {"x": scalar("$.v", type_)}}
    result = mapped(body, document={"v": given})
    assert result == {"x": value}
    assert isinstance(result, dict)
    assert type(result["x"]) is type(value)


def test_text_is_cut_to_its_greatest_length() -> None:
    body = {"type": "object", "properties": {"x": scalar("$.note", maxLength=6)}}
    assert mapped(body) == {"x": "a long"}


# --- objects and arrays -------------------------------------------------------------------


def test_an_array_maps_each_element_against_itself() -> None:
    items = {
        "type": "object",
        "properties": {
            "id": scalar("$.id", "number"),
            "sides": {"type": "array", "mapping": "$.legs", "items": scalar("$.side")},
        },
    }
    assert mapped({"type": "array", "mapping": "$.orders", "items": items}) == [
        {"id": 1, "sides": ["BUY", "SELL"]},
        {"id": 2, "sides": []},
    ]


def test_a_single_object_stands_for_an_array_of_one() -> None:
    items = {"type": "object", "properties": {"id": scalar("$.id", "number")}}
    document: JsonValue = {"orders": {"id": 1}}
    assert mapped({"type": "array", "mapping": "$.orders", "items": items}, document=document) == [
        {"id": 1}
    ]


@pytest.mark.parametrize("document", [{"orders": "text"}, {"orders": 5}, {"orders": None}, {}])
def test_an_array_that_is_none_is_null_as_a_member(document: JsonValue) -> None:
    array = {"type": "array", "mapping": "$.orders", "items": scalar("$.id")}
    body = {"type": "object", "properties": {"ids": array, "kept": scalar("$.x")}}
    assert mapped(body, document=document) == {"ids": None, "kept": None}


def test_an_objects_own_path_narrows_what_its_members_see() -> None:
    inner = {
        "type": "object",
        "mapping": "$.totals.EUR",
        "properties": {"cash": scalar("$.cash", "number")},
    }
    assert mapped({"type": "object", "properties": {"eur": inner}}) == {"eur": {"cash": 5}}


def test_an_object_without_a_path_is_made_of_the_document_that_is_around_it() -> None:
    inner = {"type": "object", "properties": {"who": scalar("$.account")}}
    assert mapped({"type": "object", "properties": {"inner": inner}}) == {"inner": {"who": "U1"}}


def test_an_object_whose_path_leads_nowhere_is_null() -> None:
    inner = {"type": "object", "mapping": "$.none", "properties": {"x": scalar("$.x")}}
    assert mapped({"type": "object", "properties": {"inner": inner}}) == {"inner": None}


def test_values_map_each_member_of_a_map() -> None:
    parameter = {"type": "object", "mapping": "$.totals", "values": scalar("$.cash", "number")}
    assert mapped(parameter) == {"EUR": 5, "USD": 7}


def test_a_member_without_any_path_is_the_member_of_its_name() -> None:
    body = {"type": "object", "properties": {"account": {"type": "string"}}}
    assert mapped(body) == {"account": "U1"}


def test_several_named_parameters_make_an_object() -> None:
    assert mapped(scalar("$.account", name="who"), scalar("$.none", name="none")) == {
        "who": "U1",
        "none": None,
    }


def test_of_several_unnamed_parameters_the_first_that_finds_something_counts() -> None:
    assert mapped(scalar("$.none"), scalar("$.account"), scalar("$.note")) == "U1"


def test_where_nothing_is_found_at_all_the_document_comes_as_it_is() -> None:
    assert mapped(scalar("$.none")) == ORDERS


# --- values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value", "result"),
    [
        ("string", "fixed", "fixed"),
        ("string", "hi {{who}}", "hi ada"),
        ("number", "5", 5),
        ("number", "{{n}}", 5),
        ("boolean", "true", True),
        ("string", "$9.99", "$9.99"),
    ],
)
def test_a_value_is_a_constant_or_a_template_in_the_declared_type(
    type_: str, value: str, result: JsonValue
) -> None:
    body = {"type": "object", "properties": {"x": {"type": type_, "value": value}}}
    assert mapped(body) == {"x": result}


def test_a8_placeholders_in_an_upstreams_answer_are_text() -> None:
    body = {"type": "object", "properties": {"x": scalar("$.v")}}
    for text in ("{{who}}", "$..*", "{{env.HOME}}", "${who}"):
        assert mapped(body, document={"v": text}) == {"x": text}


def test_a11_names_of_inner_workings_find_nothing() -> None:
    for path in ("$.__class__", "$.account.__len__", "$.orders.append"):
        assert mapped({"type": "object", "properties": {"x": scalar(path)}}) == {"x": None}


# --- problems -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["$.a[", "$.[x", "$..", "$a", "$.a[?(@.b]"])
def test_a_path_that_cannot_be_read_is_named_and_takes_its_part_out(path: str) -> None:
    call: LoadedCall = one_call(outputs=[{"type": "string", "mapping": path}])
    assert {problem.rule for problem in call.problems} == {"jsonpath-syntax"}
    assert all(f'"{path}"' in message for message in call.messages)
    assert call.file.plan is not None
    assert call.file.plan.mcp[0].tools == ()
    assert call.file.plan.rest[0].operations == ()


# --- schema -------------------------------------------------------------------------------


def test_the_schema_describes_what_comes_out() -> None:
    items = {"type": "object", "properties": {"id": scalar("$.id", "number", description="Id.")}}
    plan = output({"type": "array", "mapping": "$.orders", "items": items})
    assert plan.schema == {
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {"id": {"type": ["number", "null"], "description": "Id."}},
        },
    }


def test_properties_are_a_mapping_or_a_list_of_named_parameters() -> None:
    listed = [
        {"name": "who", **scalar("$.account")},
        {"name": "inner", "type": "object", "properties": [{"name": "n", **scalar("$.note")}]},
    ]
    by_name = {
        "who": scalar("$.account"),
        "inner": {"type": "object", "properties": {"n": scalar("$.note")}},
    }
    expected = {"who": "U1", "inner": {"n": "a long note"}}
    assert mapped({"type": "object", "properties": listed}) == expected
    assert mapped({"type": "object", "properties": by_name}) == expected
