"""How a tool call's arguments reach the inputs of its operation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.exposes.mcp.arguments import ArgumentInputs, read_arguments
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_codec import decode_json, encode_json
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.plan.operation import InputPlan, ToolPlan
from tests.exposes.mcp.plans import a_tool, an_input, listed

ACCOUNT = an_input("account-id", required=True)
SELECT = an_input("$select")


def read(tool: ToolPlan, **given: Any) -> ArgumentInputs:
    return read_arguments(listed(tool), given)


def refusal(tool: ToolPlan, given: dict[str, JsonValue]) -> Failure:
    with pytest.raises(CallFailed) as caught:
        read_arguments(listed(tool), given)
    assert caught.value.failure.kind is FailureKind.INVALID_INPUT
    return caught.value.failure


@pytest.mark.parametrize("name", ["account-id", "account_id", "accountId", "ACCOUNT-ID"])
def test_an_argument_is_found_by_its_name_without_regard_to_case_and_dashes(name: str) -> None:
    assert read(a_tool("t", ACCOUNT), **{name: "U1"}).find(ACCOUNT) == ("U1", False)


@pytest.mark.parametrize("name", ["$select", "_select", "_SELECT"])
def test_an_argument_is_found_by_its_original_name_and_by_its_alias(name: str) -> None:
    assert read(a_tool("t", SELECT), **{name: "a"}).find(SELECT) == ("a", False)


def test_names_match_exactly_before_they_match_loosely() -> None:
    plain, other = an_input("accountid"), an_input("account_id")
    inputs = read(a_tool("t", plain, other), accountid="1", account_id="2")
    assert (inputs.find(plain)[0], inputs.find(other)[0]) == ("1", "2")


def test_what_is_not_given_is_missing() -> None:
    inputs = read(a_tool("t", ACCOUNT))
    assert inputs.find(ACCOUNT) == (MISSING, False)
    assert inputs.raw_body() is None


def test_values_are_passed_on_as_they_are() -> None:
    value: JsonValue = {"price": Decimal("1.10"), "legs": [None, True]}
    plan = an_input("order", "object")
    assert read(a_tool("t", plan), order=value).find(plan)[0] is value


def test_A10_an_unknown_argument_is_refused_with_the_nearest_name() -> None:
    failure = refusal(a_tool("t", ACCOUNT, SELECT), {"acount-id": "U1"})
    assert 'unknown argument "acount-id" - did you mean "account-id"?' in failure.detail


def test_A10_an_unknown_argument_is_refused_with_the_names_there_are() -> None:
    failure = refusal(a_tool("t", ACCOUNT, SELECT), {"zzz": "U1"})
    assert 'unknown argument "zzz" - the tool takes account-id, _select' in failure.detail
    assert "takes no arguments" in refusal(a_tool("t"), {"zzz": 1}).detail


@pytest.mark.parametrize("name", ["__proto__", "constructor", "_meta", "__class__", ""])
def test_A11_names_that_mean_something_elsewhere_are_unknown_arguments(name: str) -> None:
    assert "unknown argument" in refusal(a_tool("t", ACCOUNT), {name: {"x": 1}}).detail


def test_an_argument_given_twice_under_two_spellings_is_refused() -> None:
    failure = refusal(a_tool("t", ACCOUNT), {"account-id": "U1", "accountId": "U2"})
    assert failure.field == "account-id"
    assert 'given also as "account-id"' in failure.detail


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), Decimal("NaN")])
def test_A9_numbers_that_are_not_finite_are_refused_wherever_they_hide(number: Any) -> None:
    plan = an_input("order", "object")
    failure = refusal(a_tool("t", plan), {"order": {"legs": [1, {"price": number}]}})
    assert failure.field == "order"


def test_the_body_argument_is_the_raw_body_with_every_digit() -> None:
    tool = a_tool("place", accepts_body=True)
    body: JsonValue = {"price": Decimal("1.10"), "qty": 12345678901234567890123}
    raw = read(tool, body=body).raw_body()
    assert raw == b'{"price":1.10,"qty":12345678901234567890123}'


def test_an_input_that_is_the_whole_body_is_the_raw_body_too() -> None:
    order = an_input("order", "object", whole_body=True)
    inputs = read(a_tool("place", order, accepts_body=True), order={"side": "BUY"})
    assert inputs.find(order)[0] == {"side": "BUY"}
    assert inputs.raw_body() == b'{"side":"BUY"}'


@pytest.mark.parametrize("body", ["text", 5, True, None])
def test_a_body_that_is_neither_object_nor_list_is_refused(body: JsonValue) -> None:
    failure = refusal(a_tool("place", accepts_body=True), {"body": body})
    assert failure.field == "body"
    assert "expected object" in failure.detail


def test_a_list_is_a_body_where_the_file_does_not_describe_it() -> None:
    assert read(a_tool("place", accepts_body=True), body=[1]).raw_body() == b"[1]"


def test_a_body_is_checked_against_the_schema_that_the_file_gives() -> None:
    schema = {"type": "object", "properties": {"qty": {"type": "integer"}}, "required": ["qty"]}
    tool = a_tool("place", accepts_body=True, body_schema=schema)
    assert read(tool, body={"qty": 1}).raw_body() == b'{"qty":1}'
    assert "$.qty: expected integer" in refusal(tool, {"body": {"qty": "1"}}).detail
    assert 'lacks "qty"' in refusal(tool, {"body": {}}).detail


def test_a_body_that_is_required_and_missing_is_refused() -> None:
    failure = refusal(a_tool("place", accepts_body=True, body_required=True), {})
    assert (failure.field, failure.detail) == ("body", '"body": is missing')


json_objects = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.decimals(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    max_size=5,
).map(encode_json)


@given(json_objects)
def test_A4_any_body_reaches_the_upstream_as_the_same_value(sent: bytes) -> None:
    body = decode_json(sent)
    raw = read(a_tool("place", accepts_body=True), body=body).raw_body()
    assert raw is not None
    assert decode_json(raw) == body


@given(st.dictionaries(st.text(max_size=6), st.integers(), max_size=4))
def test_A10_no_arguments_but_the_declared_ones_get_through(given: dict[str, int]) -> None:
    plans: tuple[InputPlan, ...] = (ACCOUNT, SELECT)
    tool = listed(a_tool("t", *plans))
    try:
        inputs = read_arguments(tool, dict(given))
    except CallFailed:
        return
    found = [inputs.find(plan)[0] for plan in plans]
    assert len([value for value in found if value is not MISSING]) == len(given)
