"""Paths beyond RFC 9535: as published files write them, and as jsonpath-ng reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from naftiko_runtime.json_values import MaybeJson
from naftiko_runtime.plan.jsonpath import (
    MISSING,
    JsonPathBudgetExceeded,
    JsonPathSyntaxError,
    JsonValue,
    compile_jsonpath,
)

DOCUMENT: JsonValue = {
    "a": [{"b": 1, "c-d": 2}, {"b": 3}],
    "s": "text",
    "first name": {"given name": "Ada"},
    "content-type": "json",
    "1st": {"2nd": 2},
    "@id": "x",
    "$ref": "#/y",
    "a$": 7,
    "soap:Envelope": {"soap:Body": "z"},
    "application/json": {"schema": 1},
    "0": "zero",
    "items": [{"price": 4, "qty": 3}, {"price": 5, "qty": 1}],
    "total": 12,
}

TOLERATED: list[tuple[str, MaybeJson]] = [
    ("a[0].b", 1),
    ("a[*].b", [1, 3]),
    ("s", "text"),
    ("@.s", "text"),
    ("@['s']", "text"),
    ("['s']", "text"),
    ("*.b", []),
    (" $.s ", "text"),
    ("\n$.a[0].b\n", 1),
    ("$.first name.given name", "Ada"),
    ("$ .first name", {"given name": "Ada"}),
    ("first name.given name", "Ada"),
    ("$.content-type", "json"),
    ("content-type", "json"),
    ("$.1st.2nd", 2),
    ("$.0", "zero"),
    ("$.@id", "x"),
    ("$.$ref", "#/y"),
    ("$.a$", 7),
    ("$.soap:Envelope.soap:Body", "z"),
    ("$.application/json.schema", 1),
    ("$..c-d", [2]),
    ("$.a.[0].b", 1),
    ("$.['s']", "text"),
    ("$.a[?@.c-d == 2].b", [1]),
    ("$.a[?@.c-d].b", [1]),
    ("$.absent name", MISSING),
]


@pytest.mark.parametrize(("path", "value"), TOLERATED)
def test_published_spellings_are_read(path: str, value: MaybeJson) -> None:
    compiled = compile_jsonpath(path)

    assert compiled.read(DOCUMENT) == value
    assert not compiled.strict
    assert compiled.text == path


@pytest.mark.parametrize("path", ["$.", " $. ", "$ ", "\t$", "@", "@.", "$. "])
def test_root_is_read_in_all_its_spellings(path: str) -> None:
    compiled = compile_jsonpath(path)

    assert compiled.is_root
    assert compiled.definite
    assert not compiled.strict
    assert compiled.read(DOCUMENT) is DOCUMENT
    assert compiled.find(None) == [None]


def test_what_the_rfc_reads_is_strict() -> None:
    for path in ("$", "$.a", "$.a[?@.b > 1]", "$ .a", "$['first name']"):
        assert compile_jsonpath(path).strict


READ_BY_JSONPATH_NG: list[tuple[str, MaybeJson, bool]] = [
    ("$.a.`len`", 2, True),
    ("$.s.`len`", 4, True),
    ("$.total.`len`", MISSING, True),
    ("$.items[/price].price", MISSING, True),
    ("$.items[\\price][0].price", 5, True),
    ("$.items[*].`keys`", ["price", "qty", "price", "qty"], False),
    ("$[total]", 12, True),
    ("$.items[01].price", 5, True),
    ("$.items[?(price > 4)].qty", [1], False),
    ("$.items[?(@.price = 4)].qty", [3], False),
    ("$.total + 1", 13, True),
    ("$.items[*].price * $.items[*].qty", [12, 5], False),
    ("$.s + $.content-type", "textjson", True),
    ("$.total - $.s", MISSING, True),
    ("$.total * $.nothing", MISSING, True),
    ("$.s.`split(x, 0, -1)`", "te", True),
    ("$.a[0].b.`parent`.b", 1, True),
]


@pytest.mark.parametrize(("path", "value", "definite"), READ_BY_JSONPATH_NG)
def test_dialect_of_jsonpath_ng_is_read(path: str, value: MaybeJson, definite: bool) -> None:
    compiled = compile_jsonpath(path)

    assert compiled.read(DOCUMENT) == value
    assert compiled.definite is definite
    assert not compiled.strict
    assert not compiled.is_root


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("$.a * $.b", {"a": "x", "b": 10**15}),
        ("$.a * $.b", {"a": [1], "b": 10**15}),
        ("$.a - $.b", {"a": True, "b": 1}),
        ("$.a.`sorted`", {"a": [1, "x", None]}),
        ("$.a.`sorted`", {"a": 5}),
        ("$.a.`split(x, 9, -1)`", {"a": "1"}),
    ],
)
def test_functions_on_values_they_are_not_made_for_find_nothing(
    path: str, document: JsonValue
) -> None:
    assert compile_jsonpath(path).find(document) == []
    assert compile_jsonpath(path).read(document) is MISSING


@pytest.mark.parametrize(
    "path",
    [
        "$.a[?(@.b =~ '(x+)+y')]",
        "$.a.`sub(/(x+)+y/, z)`",
        "$..a..b.`len`",
        "$..b.`parent`.*.`len`",
        "$..b.(`parent`.*).`len`",
        "$.a[?(b = $.total)]",
    ],
)
def test_dialect_of_jsonpath_ng_is_refused_where_it_is_not_safe_to_run(path: str) -> None:
    with pytest.raises(JsonPathSyntaxError):
        compile_jsonpath(path)


def test_dialect_of_jsonpath_ng_is_bounded_too() -> None:
    wide: JsonValue = [{"a": [number]} for number in range(100_000)]

    with pytest.raises(JsonPathBudgetExceeded):
        compile_jsonpath("$..a.`len`").find(wide)
    with pytest.raises(JsonPathBudgetExceeded):
        compile_jsonpath("$[/a]").find(wide)


@pytest.mark.parametrize(
    "path",
    ["$.a.", "a.", "$s", "$$.a", "${a.b}", "{{a}}", "$.a.length()", "  ", "", "$.a[(@.length-1)]"],
)
def test_what_nobody_reads_is_an_error_at_load(path: str) -> None:
    with pytest.raises(JsonPathSyntaxError):
        compile_jsonpath(path)


def test_paths_of_published_files_do_not_load_jsonpath_ng() -> None:
    program = (
        "import sys; from naftiko_runtime.plan.jsonpath import compile_jsonpath\n"
        "for path in ('$.', '$.a[*].b', 'a b.c', '$.content-type', '$[?@.a > 1]'):\n"
        "    compile_jsonpath(path)\n"
        "print([name for name in sys.modules if name.startswith('jsonpath_ng')])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert result.stdout.strip() == "[]"


def test_error_is_that_of_the_reading_that_got_further() -> None:
    with pytest.raises(JsonPathSyntaxError) as raised:
        compile_jsonpath("$.content-type[0")

    assert raised.value.offset == 16
