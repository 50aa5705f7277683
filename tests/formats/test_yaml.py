"""YAML answers as JSON values."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue
from tests.formats.reading import read, refusal


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (
            "name: Aurora\nimo: 1\nlist: [a, 2.5, true, null]\n",
            {"name": "Aurora", "imo": 1, "list": ["a", 2.5, True, None]},
        ),
        ("- a\n- b: c\n", ["a", {"b": "c"}]),
        ("---\nhello\n", "hello"),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: '007'\nb: 007\n", {"a": "007", "b": 7}),
        ("a: 2024-01-31\n", {"a": "2024-01-31"}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("\ufeffa: ø\n", {"a": "ø"}),
        ("5", 5),
        (
            "a: yes\nb: 12:30\nc: 1_000\nd: ~\ne:\n",
            {"a": "yes", "b": "12:30", "c": "1_000", "d": None, "e": None},
        ),
        ("a: 0x1F\nb: 0o17\nc: -3\nd: +4\n", {"a": 31, "b": 15, "c": -3, "d": 4}),
        (
            "a: !!str 5\nb: !!int '5'\nc: !thing x\nd: !!binary aGk=\ne: !thing {f: 1}\n",
            {"a": "5", "b": 5, "c": "x", "d": "aGk=", "e": {"f": 1}},
        ),
        ("a: 1\na: 2\n", {"a": 2}),
        ("1: a\ntrue: b\n", {"1": "a", "true": "b"}),
        (
            "x: &x {a: 1, b: 1}\ny: {<<: *x, b: 2}\nz:\n  b: 3\n  <<: [*x, {c: 4}]\n",
            {"x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 2}, "z": {"a": 1, "b": 3, "c": 4}},
        ),
        ("k: &k key\n*k : 1\n", {"k": "key", "key": 1}),
        ("!!python/object/apply:os.system ['x']", ["x"]),
        ("%YAML 1.1\n---\na: 1\n...\n", {"a": 1}),
        ("# only a comment\n---\n", None),
    ],
)
def test_a_document_is_its_value(document: str, value: JsonValue) -> None:
    assert read("yaml", document) == value


@pytest.mark.parametrize(("encoding", "charset"), [("utf-16", None), ("latin-1", "iso-8859-1")])
def test_other_charsets_are_read(encoding: str, charset: str | None) -> None:
    assert read("yaml", "a: ø\n".encode(encoding), None, charset) == {"a": "ø"}


@pytest.mark.parametrize(
    "number",
    ["0.1000000000000000055", "1.10", "12345678901234567890123", "-0.5", "1e400", "5."],
)
def test_numbers_are_exact(number: str) -> None:
    value = read("yaml", f"a: {number}\n")
    assert isinstance(value, dict)
    assert isinstance(value["a"], int | float | Decimal)
    assert Decimal(str(value["a"])) == Decimal(number)
    assert encode_json(value["a"]).decode().rstrip("0") == str(Decimal(number)).rstrip("0") or (
        Decimal(encode_json(value["a"]).decode()) == Decimal(number)
    )


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "it is empty"),
        ("# a comment\n", "it is empty"),
        ("a: [", "did not find expected node content at line 2, column 1"),
        ("a: b: c", "mapping values are not allowed in this context at line 1, column 5"),
        ("a: 1\n---\nb: 2\n", "it holds several documents"),
        (b"a: \xff\n", "it holds what YAML cannot"),
        ("a: \x00\n", "it holds what YAML cannot"),
        ("? [a]\n: 1\n", "a key is a mapping or a list"),
        ("a: *b\n", 'the alias "b" names nothing that comes before it'),
        ("a: &a [*a]\n", 'the alias "a" names nothing that comes before it'),
        ("a: {<<: 5}\n", "a merge key names something that is no mapping"),
        ("a: .nan\n", "it holds a number that JSON does not know"),
        ("a: -.inf\n", "it holds a number that JSON does not know"),
        ("a: 1e9999999\n", "it holds a number that is out of range"),
        ("a: " + "9" * 5000, "it holds a number that is out of range"),
    ],
)
def test_what_cannot_be_read_is_refused(document: str | bytes, reason: str) -> None:
    assert reason in refusal("yaml", document)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert refusal("yaml", "\n".join(lines)) == (
        "it holds more than 500,000 values, aliases written out"
    )


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(opening: str) -> None:
    assert refusal("yaml", opening * 50_000)


def test_a_huge_document_is_refused() -> None:
    assert "more than 500,000 values" in refusal("yaml", "- a\n" * 600_000)


yaml_safe = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc<*&!", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def with_floats(value: JsonValue) -> JsonValue:
    """A value whose decimals are floats, as they were when they were written."""
    if isinstance(value, dict):
        return {key: with_floats(member) for key, member in value.items()}
    if isinstance(value, list):
        return [with_floats(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


@given(yaml_safe, st.booleans())
def test_any_value_comes_out_as_it_was_written(value: JsonValue, flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow)
    assert with_floats(read("yaml", text)) == value


@given(st.one_of(st.binary(max_size=60), st.text("ab: -[]{}&*!|>'\"\n#?%<", max_size=60)))
def test_any_bytes_are_read_or_refused(document: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        read("yaml", document)
