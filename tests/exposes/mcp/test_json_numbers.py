"""Numbers survive writers that know doubles only."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import JSONRPCResponse

from naftiko_runtime.exposes.mcp.json_numbers import as_doubles, mark_numbers, restore_numbers
from naftiko_runtime.json_codec import decode_json, encode_json
from naftiko_runtime.json_values import JsonValue

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
).map(lambda value: decode_json(encode_json(value)))


def as_response_is_written(value: JsonValue) -> bytes:
    response = JSONRPCResponse(jsonrpc="2.0", id=1, result={"structuredContent": value})
    return response.model_dump_json(by_alias=True, exclude_unset=True).encode()


def as_modern_response_is_written(value: JsonValue) -> bytes:
    response = JSONRPCResponse(jsonrpc="2.0", id=1, result={"structuredContent": value})
    dumped = response.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(dumped, separators=(",", ":")).encode()


@pytest.mark.parametrize("write", [as_response_is_written, as_modern_response_is_written])
@given(value=values)
def test_any_json_value_comes_out_of_the_sdk_with_every_digit(value: Any, write: Any) -> None:
    written: Any = decode_json(restore_numbers(write(mark_numbers(value))))
    assert as_written(written["result"]["structuredContent"]) == as_written(value)


def as_written(value: Any) -> Any:
    """Floats as the numbers that their digits say."""
    if isinstance(value, dict):
        return {key: as_written(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_written(item) for item in value]
    return Decimal(repr(value)) if isinstance(value, float) else value


def test_numbers_are_written_as_numbers() -> None:
    value: JsonValue = [Decimal("1.10"), Decimal("0.12345678901234567890123"), 10**30]
    body = restore_numbers(as_response_is_written(mark_numbers(value)))
    assert b"[1.1,0.12345678901234567890123,1000000000000000000000000000000]" in body


def test_text_that_looks_like_a_marked_number_stays_text() -> None:
    body = encode_json(['naftiko-number-00000000000000000000000000000000:1"', "1.5"])
    assert restore_numbers(body) == body


def test_a_mark_followed_by_anything_but_a_number_is_left_alone() -> None:
    marked = mark_numbers(Decimal("0.1234567890123456789"))
    assert isinstance(marked, str)
    forged = marked.replace("0.1", 'x","y')
    body = encode_json([forged])
    assert restore_numbers(body) == body


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("Infinity"),
        "\ud800",
        {"\udfff": 1},
        10**4000,
        [10**5000],
    ],
)
@pytest.mark.parametrize("convert", [mark_numbers, as_doubles])
def test_what_no_client_could_read_is_refused(convert: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        convert(value)


@pytest.mark.parametrize("convert", [mark_numbers, as_doubles])
def test_R4_values_nested_deeper_than_writers_bear_are_refused(convert: Any) -> None:
    deep: Any = []
    for _ in range(99):
        deep = {"x": deep}
    as_response_is_written(convert(deep))
    with pytest.raises(ValueError, match="deep"):
        convert([deep])


def test_doubles_are_the_nearest_numbers() -> None:
    assert as_doubles([Decimal("2.0"), Decimal("0.1234567890123456789")]) == [
        2,
        0.12345678901234568,
    ]
