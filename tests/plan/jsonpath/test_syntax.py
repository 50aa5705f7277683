"""What is not a JSONPath by RFC 9535, and what the author of one is told."""

from __future__ import annotations

import pytest

from naftiko_runtime.plan.jsonpath import JsonPathSyntaxError, compile_jsonpath, parse_strict

INVALID = [
    "",
    " $",
    "$ ",
    "a",
    ".a",
    "@.a",
    "$a",
    "$.",
    "$..",
    "$...a",
    "$.a.",
    "$. a",
    "$.\na",
    "$.. a",
    "$.1a",
    "$.a-b",
    "$.&",
    "$.'a'",
    "$.[0]",
    "$.a b",
    "$[]",
    "$[a]",
    "$[0",
    "$[0,]",
    "$[,0]",
    "$[0 1]",
    "$[01]",
    "$[-0]",
    "$[-01]",
    "$[+1]",
    "$[- 1]",
    "$[1.0]",
    "$[1e1]",
    "$[9007199254740992]",
    "$[-9007199254740992]",
    "$[" + "9" * 100 + "]",
    "$[1:2:3:4]",
    "$[::-0]",
    "$[:01]",
    "$[1:a]",
    "$[@.a]",
    "$[$.a]",
    "$['a",
    "$['a\"]",
    "$['\n']",
    "$['\x00']",
    "$['\x1f']",
    "$['\ud800']",
    r"$['\"']",
    r'$["\'"]',
    r"$['\a']",
    r"$['\x41']",
    r"$['\u12']",
    r"$['\u+123']",
    r"$['\ud800']",
    r"$['\udc00']",
    r"$['\ud800\ud800']",
    r"$['\ud800a']",
    r"$['\uDC00\uD800']",
    "$['\\",
    "$[?]",
    "$[?(@.a]",
    "$[?@.a)]",
    "$[?()]",
    "$[?1]",
    "$[?'a']",
    "$[?true]",
    "$[?null && @.a]",
    "$[?@.a && 1]",
    "$[?@.a == 1 || false]",
    "$[?@.a &&]",
    "$[?@.a & @.b]",
    "$[?@.a | @.b]",
    "$[?@.a = 1]",
    "$[?@.a === 1]",
    "$[?@.a == 1 == 1]",
    "$[?@.a =~ 'a']",
    "$[?@.a <> 1]",
    "$[?@.a in ['b']]",
    "$[?(@.a) == 1]",
    "$[?!@.a == 1]",
    "$[?!!@.a]",
    "$[?@.* == 1]",
    "$[?1 == @..a]",
    "$[?@[0,1] == 1]",
    "$[?@[0:1] == 1]",
    "$[?@ == [1]]",
    "$[?@ == {}]",
    "$[?@ == True]",
    "$[?@ == nul]",
    "$[?@ == 01]",
    "$[?@ == 1.]",
    "$[?@ == .1]",
    "$[?@ == +1]",
    "$[?@ == - 1]",
    "$[?@ == 1e]",
    "$[?@ == 1e1.1]",
    "$[?@ == 0x1]",
    "$[?@ == 1e99999999999999999999]",
    "$[?length(@.a)]",
    "$[?length() == 1]",
    "$[?length(@.a, @.b) == 1]",
    "$[?length(@.*) == 1]",
    "$[?length(match(@.a, 'b')) == 1]",
    "$[?count(1) == 1]",
    "$[?count(length(@.a)) == 1]",
    "$[?count(@.a]",
    "$[?count(@.a,) == 1]",
    "$[?count (@.a) == 1]",
    "$[?value(@.a)]",
    "$[?value('a') == 1]",
    "$[?match(@.a)]",
    "$[?match(@.a, 'b') == true]",
    "$[?match(@.*, 'b')]",
    "$[?match(@.a, 'b', 'c')]",
    "$[?search(@.a, 'b') < 1]",
    "$[?nope(@.a)]",
    "$[?Length(@.a) == 1]",
    "$[?@.a, ]",
]


@pytest.mark.parametrize("text", INVALID)
def test_strict_reading_refuses(text: str) -> None:
    with pytest.raises(JsonPathSyntaxError):
        parse_strict(text)


TOLD = [
    ("$.a.", 4, "remove the dot"),
    ("$a", 1, "a dot before the name"),
    ("$..", 3, "quotes"),
    ("$.a[?@.b =~ /x/]", 9, "match("),
    ("$.a[?@ == 'x]", 10, "close it"),
    ("$.a[?nope(@)]", 5, "count(), length(), lower(), match(), search(), upper(), value()"),
    ("$.a[?length(@.b)]", 5, "compare"),
    ("$.a[?@.b[*] == 1]", 5, "value(...)"),
    ("$.a[?length(@.b, 1) > 1]", 5, "takes 1"),
    ("$.a.length()", 10, "inside filters"),
    (r"$['a\q']", 4, "escapes are"),
    (r"$['\ud800']", 3, "both halves"),
    ("$.a[", 4, "quotes"),
]


@pytest.mark.parametrize(("text", "offset", "remedy"), TOLD)
def test_error_names_the_path_the_place_and_the_remedy(text: str, offset: int, remedy: str) -> None:
    with pytest.raises(JsonPathSyntaxError) as raised:
        parse_strict(text)

    assert raised.value.offset == offset
    assert text in raised.value.message
    assert remedy in raised.value.remedy
    assert str(raised.value) == (
        f"{raised.value.message} at character {offset + 1} - {raised.value.remedy}"
    )


def test_error_about_a_long_path_shows_its_beginning_only() -> None:
    with pytest.raises(JsonPathSyntaxError) as raised:
        compile_jsonpath("$" + ".name" * 10_000 + "[")

    assert len(str(raised.value)) < 400
    assert raised.value.offset == 50_002


@pytest.mark.parametrize(
    "text",
    [
        "$[?" + "(" * 10_000 + "@" + ")" * 10_000 + "]",
        "$[?" + "!(" * 10_000 + "@" + ")" * 10_000 + "]",
        "$[?@" + "[?@" * 10_000 + "]" * 10_001,
        "$[?" + "length(" * 10_000 + "@" + ")" * 10_000 + " == 1]",
    ],
)
def test_nesting_without_end_is_refused_not_a_crash(text: str) -> None:
    with pytest.raises(JsonPathSyntaxError):
        parse_strict(text)


def test_reasonable_nesting_is_read() -> None:
    path = compile_jsonpath("$[?" + "(" * 40 + "@.a" + ")" * 40 + "]")

    assert path.find([{"a": 1}, {}]) == [{"a": 1}]
