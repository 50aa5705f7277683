"""JSON is read and written without losing a digit, and nothing malformed gets through."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_codec import (
    NUMBER_DIGITS,
    REQUEST_DEPTH,
    JsonError,
    decode_json,
    decode_request_json,
    encode_json,
)
from naftiko_runtime.json_values import JsonValue

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers_as_written = st.from_regex(
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
finite_decimals = st.decimals(-(10**300), 10**300, allow_nan=False, allow_infinity=False)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | finite_decimals
    | texts
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=30
)


def comparable(value: JsonValue) -> object:
    """The value with every number as a Decimal, and booleans kept apart from 0 and 1."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return {key: comparable(item) for key, item in value.items()}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@given(json_values)
def test_what_is_written_reads_back_equal(value: JsonValue) -> None:
    assert comparable(decode_json(encode_json(value))) == comparable(value)


@given(json_values)
def test_what_is_written_is_json_to_others(value: JsonValue) -> None:
    theirs = json.loads(encode_json(value), parse_float=Decimal, parse_constant=pytest.fail)
    assert comparable(theirs) == comparable(value)


@given(numbers_as_written)
def test_a_number_keeps_its_exact_value_through_reading_and_writing(text: str) -> None:
    assert Decimal(encode_json(decode_json(text)).decode()) == Decimal(text)


@given(numbers_as_written)
def test_a_number_is_a_float_only_when_a_float_says_the_same(text: str) -> None:
    number = decode_json(text)
    if isinstance(number, float):
        assert repr(number) == text
    elif any(mark in text for mark in ".eE"):
        assert isinstance(number, Decimal)
    else:
        assert type(number) is int


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12345678901234567890123", 12345678901234567890123),
        ("-9223372036854775809", -9223372036854775809),
        ("9" * NUMBER_DIGITS, int("9" * NUMBER_DIGITS)),
        ("1.10", Decimal("1.10")),
        ("0.30000000000000000001", Decimal("0.30000000000000000001")),
        ("1e400", Decimal("1e400")),
        ("1.5", 1.5),
        ('"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        ('\ufeff{"a": null}', {"a": None}),
    ],
)
def test_reads(text: str, value: JsonValue) -> None:
    for document in (text, text.encode()):
        read = decode_json(document)
        assert read == value
        assert type(read) is type(value)


@pytest.mark.parametrize(
    "text", ["1.10", "12345678901234567890123", "-0.0", "1.0000000000000000001"]
)
def test_writes_a_number_as_it_was_written(text: str) -> None:
    assert encode_json(decode_json(text)) == text.encode()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "an empty document"),
        (b" \n", "an empty document"),
        (b"NaN", "invalid character at line 1, column 1"),
        (b"[Infinity]", "invalid character at line 1, column 2"),
        (b'{"a": 1,\n "\xc3\xa9": 01}', "invalid number at line 2, column 8"),
        (b'{"a": [1,\n2', "the document ends too early at line 2, column 2"),
        (b"{'a': 1}", "object keys must be strings at line 1, column 2"),
        (b'["a"] x', "trailing characters at line 1, column 7"),
        (b'{"a":\n"\xff"}', "a byte that is not UTF-8 at line 2, column 2"),
        (b'"\xed\xa0\x80"', "a byte that is not UTF-8 at line 1, column 2"),
        (b'"\\ud800"', "half a surrogate pair in a text"),
        (b"9" * (NUMBER_DIGITS + 1), "a number of more than 4300 digits"),
        (b"0." + b"1" * NUMBER_DIGITS, "a number of more than 4300 digits"),
        (b"1e6145", "a number is out of range"),
        (b"1e99999999999999999999", "a number is out of range"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_refuses_in_plain_words(document: bytes, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        decode_json(document)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "document", ['"\\ud800"', '["\\ud800", 1]', '"\\ud800\\u0041"', '"\\udc00x"', '"\ud800"']
)
def test_refuses_half_a_surrogate_pair(document: str) -> None:
    with pytest.raises(JsonError, match="surrogate"):
        decode_json(document)


def test_says_where_in_characters_not_bytes() -> None:
    with pytest.raises(JsonError) as caught:
        decode_json('{"äöü": nil}')
    assert (caught.value.line, caught.value.column) == (1, 9)


@given(
    st.binary(max_size=200) | st.text(alphabet='{}[]",:0123456789.eE+-tfn\\u \n').map(str.encode)
)
def test_any_bytes_are_read_as_others_read_them_or_refused(document: bytes) -> None:
    try:
        ours = decode_json(document)
    except JsonError:
        return
    theirs = json.loads(document.decode("utf-8-sig"), parse_float=Decimal)
    assert comparable(ours) == comparable(theirs)


@given(json_values)
def test_a_callers_document_is_read_like_any_other(value: JsonValue) -> None:
    document = encode_json(value)
    assert comparable(decode_request_json(document)) == comparable(decode_json(document))
    assert comparable(decode_request_json(document.decode())) == comparable(decode_json(document))


@pytest.mark.parametrize(
    "document",
    [
        '{"qty": 1, "qty": 2}',
        '{"qty": 1, "\\u0071ty": 1}',
        '[{"order": {"side": "BUY", "qty": 1, "side": "SELL"}}]',
        '\ufeff{"side": {}, "side": {}}',
    ],
)
def test_T6_a_caller_cannot_give_a_key_twice(document: str) -> None:
    for given_as in (document, document.encode()):
        with pytest.raises(JsonError, match=r'key "(qty|side)" given twice in one object'):
            decode_request_json(given_as)


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """Documents whose objects repeat keys, and whose texts look like keys, in any spacing."""
    texts = st.sampled_from(['"a"', '"b"', r'"\u0061"', '":"', r'"\":"', '": "', '"a:"'])
    blank = st.sampled_from(["", "", " ", "\n\t"])

    def member(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(texts, blank, blank, inner).map(lambda m: f"{m[0]}{m[1]}:{m[2]}{m[3]}")

    def container(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        objects = st.lists(member(inner), max_size=3).map(lambda m: "{" + ",".join(m) + "}")
        return objects | st.lists(inner, max_size=3).map(lambda m: "[" + ",".join(m) + "]")

    return draw(st.recursive(texts | st.just("1"), container, max_leaves=8))


@given(_documents())
def test_T6_a_repeated_key_is_found_wherever_it_is(document: str) -> None:
    def refuse(pairs: list[tuple[str, object]]) -> object:
        if len({key for key, _ in pairs}) < len(pairs):
            raise LookupError
        return dict(pairs)

    try:
        expected = json.loads(document, object_pairs_hook=refuse)
    except LookupError:
        with pytest.raises(JsonError, match="given twice in one object"):
            decode_request_json(document)
    else:
        assert decode_request_json(document) == expected


def test_equal_keys_in_different_objects_are_fine() -> None:
    assert decode_request_json('[{"a": {"a": 1}}, {"a": 2}]') == [{"a": {"a": 1}}, {"a": 2}]


@given(st.integers(min_value=0, max_value=2 * REQUEST_DEPTH))
def test_T7_a_caller_can_nest_only_so_deep(depth: int) -> None:
    document = nested(depth) if depth else "0"
    if depth <= REQUEST_DEPTH:
        decode_request_json(document)
    else:
        with pytest.raises(JsonError, match="nested more than 64 levels deep"):
            decode_request_json(document)


def test_T7_a_nesting_bomb_is_refused() -> None:
    with pytest.raises(JsonError, match="nested"):
        decode_request_json(nested(100_000))
    with pytest.raises(JsonError, match="nested"):
        decode_request_json('{"a":' * 100_000)


def test_many_shallow_arrays_are_not_deep() -> None:
    document = "[" + ",".join(["[]"] * 1000) + "]"
    assert decode_request_json(document) == [[]] * 1000


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        [1, math.inf],
        {"a": [{"b": -math.inf}]},
        Decimal("NaN"),
        Decimal("sNaN"),
        [None, Decimal("-Infinity")],
    ],
)
def test_refuses_to_write_what_is_not_a_number(value: JsonValue) -> None:
    with pytest.raises(JsonError, match="not finite"):
        encode_json(value)


@pytest.mark.parametrize("value", [None, [None, "NaN"], {"Infinity": None}])
def test_writes_null_and_the_names_of_what_is_not_a_number(value: JsonValue) -> None:
    assert decode_json(encode_json(value)) == value


def test_refuses_to_write_half_a_surrogate_pair() -> None:
    with pytest.raises(JsonError, match="surrogate"):
        encode_json({"a": "\ud800"})


def test_refuses_to_write_what_no_one_could_read() -> None:
    value: JsonValue = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(JsonError, match="nested"):
        encode_json(value)
    with pytest.raises(JsonError, match="digits"):
        encode_json(10**NUMBER_DIGITS)


def test_writes_compact_utf8() -> None:
    assert encode_json({"ä": [1, "\u2028"]}) == '{"ä":[1,"\u2028"]}'.encode()
