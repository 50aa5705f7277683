"""Values inside of inputs: items of lists and members of objects, where the file declares them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.document.model import ParameterType
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.conversion import compile_conversion
from tests.loaded_calls import in_body, one_call

ORDER: dict[str, Any] = {
    "properties": {
        "side": {"type": "string", "enum": ["BUY", "SELL"]},
        "quantity": {"type": "integer", "minimum": 1},
        "price": {"type": "number"},
        "legs": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"ratio": {"type": "integer"}},
                "required": ["ratio"],
            },
        },
        "note": {"type": "string", "pattern": "^[a-z]+$", "required": True},
        "any": {},
    },
    "required": ["side"],
}
SOUND: dict[str, JsonValue] = {"side": "BUY", "note": "abc"}


def checked(value: JsonValue, schema: dict[str, Any] | None = None) -> JsonValue:
    return compile_conversion("order", ParameterType.OBJECT, schema or ORDER)(value, False)


def refusal(value: JsonValue, schema: dict[str, Any] | None = None) -> str:
    with pytest.raises(CallFailed) as refused:
        checked(value, schema)
    failure = refused.value.failure
    assert (failure.kind, failure.field) == (FailureKind.INVALID_INPUT, "order")
    return failure.detail


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"quantity": 1, "price": Decimal("1.10")},
        {"legs": [{"ratio": 1}, {"ratio": 2, "more": True}]},
        {"legs": []},
        {"price": None, "legs": None},
        {"any": {"thing": 1}, "unknown": [1]},
    ],
)
def test_a_sound_object_is_what_it_was(members: dict[str, JsonValue]) -> None:
    assert checked(SOUND | members) == SOUND | members


def test_whole_numbers_are_integers_inside_too() -> None:
    found = checked(SOUND | {"quantity": 5.0})
    assert isinstance(found, dict)
    assert found["quantity"] == 5
    assert isinstance(found["quantity"], int)


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"side": "HOLD"}, '"order.side": expected one of "BUY", "SELL", got "HOLD"'),
        ({"side": None}, '"order.side": is required'),
        ({"note": None}, '"order.note": is required'),
        ({"note": "A"}, '"order.note": expected text that matches ^[a-z]+$, got "A"'),
        ({"quantity": "1"}, '"order.quantity": expected a whole number, got "1"'),
        ({"quantity": 0}, '"order.quantity": expected at least 1, got 0'),
        ({"price": True}, '"order.price": expected a number, got true'),
        ({"legs": {"ratio": 1}}, '"order.legs": expected a list, got an object'),
        ({"legs": [{"ratio": 1}] * 3}, '"order.legs": expected at most 2 items, got a list'),
        ({"legs": [{"ratio": 1}, {}]}, '"order.legs.ratio": is required'),
        ({"legs": [{"ratio": 1.5}]}, '"order.legs.ratio": expected a whole number, got 1.5'),
        ({"legs": [5]}, '"order.legs": expected an object, got 5'),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_way(
    members: dict[str, JsonValue], detail: str
) -> None:
    assert refusal(SOUND | members) == detail


def test_an_object_can_be_closed() -> None:
    closed = {"properties": {"a": {}}, "additionalProperties": False}
    assert checked({"a": 1}, closed) == {"a": 1}
    assert refusal({"b": 1}, closed) == '"order.b": is unknown - known here: "a"'


def test_text_that_stands_for_an_object_is_left_to_the_upstream() -> None:
    convert = compile_conversion("filter", ParameterType.OBJECT, ORDER)
    assert convert('{"side": "HOLD"}', True) == '{"side": "HOLD"}'


def test_nested_members_of_items_given_as_text_keep_their_types() -> None:
    convert = compile_conversion("ids", ParameterType.ARRAY, {"items": {"type": "integer"}})
    assert convert(["1", "2"], True) == [1, 2]


def test_a_declared_body_is_checked_before_it_is_sent() -> None:
    keys = {"type": "object", "properties": ORDER["properties"]}
    call = one_call(method="POST", parameters=[in_body("order", **keys)])
    with pytest.raises(CallFailed) as refused:
        call.rest_request({}, body={"side": "HOLD", "note": "a"})
    assert refused.value.failure.detail.startswith('"order.side": expected one of')
    body: JsonValue = {"note": "a", "side": "SELL", "price": 1}
    assert call.rest_request({}, body=body).content == b'{"note":"a","side":"SELL","price":1}'
