"""match() and search() over I-Regexp (RFC 9485), through paths."""

from __future__ import annotations

import pytest

from naftiko_runtime.plan.jsonpath import (
    JsonPathBudgetExceeded,
    JsonPathSyntaxError,
    JsonValue,
    compile_jsonpath,
)


def matches(pattern: str, text: str) -> bool:
    document: JsonValue = {"rows": [{"t": text}], "p": pattern}
    return bool(compile_jsonpath("$.rows[?match(@.t, $.p)]").find(document))


def found(pattern: str, text: str) -> bool:
    document: JsonValue = {"rows": [{"t": text}], "p": pattern}
    return bool(compile_jsonpath("$.rows[?search(@.t, $.p)]").find(document))


MATCHES = [
    ("", [""], ["a"]),
    ("abc", ["abc"], ["ab", "abcd", "xabc", "ABC"]),
    ("a|bc|", ["a", "bc", ""], ["b", "abc"]),
    ("a*", ["", "a", "aaaa"], ["b", "ab"]),
    ("a+", ["a", "aa"], ["", "b"]),
    ("a?b", ["b", "ab"], ["aab", "a"]),
    ("a{3}", ["aaa"], ["aa", "aaaa"]),
    ("a{2,3}", ["aa", "aaa"], ["a", "aaaa"]),
    ("a{2,}", ["aa", "aaaaaa"], ["a", ""]),
    ("a{0}", [""], ["a"]),
    ("a{0,1}", ["", "a"], ["aa"]),
    ("a{002}", ["aa"], ["a"]),
    ("(ab)+", ["ab", "abab"], ["", "aba"]),
    ("(a|b)*c", ["c", "abbac"], ["ab", "acb"]),
    ("(a*)*", ["", "aaa"], ["b"]),
    ("()*x", ["x"], [""]),
    ("(a|b){2}", ["ab", "ba", "aa"], ["a", "abc"]),
    (".", ["a", "é", "😀", "\u2028", "\t"], ["", "\n", "\r", "ab"]),
    ("a.c", ["abc", "a😀c"], ["ac", "a\nc"]),
    ("[abc]", ["a", "c"], ["d", "ab"]),
    ("[^abc]", ["d", "\n", "😀"], ["a", ""]),
    ("[a-c0-9]", ["b", "5"], ["-", "d"]),
    ("[-a]", ["-", "a"], ["b"]),
    ("[a-]", ["-", "a"], ["b"]),
    ("[^-a]", ["b"], ["-", "a"]),
    ("[-]", ["-"], ["a"]),
    ("[.*+?()|{}^$]", [".", "*", "^", "$", "|"], ["a"]),
    (r"[\]\[\\\-]", ["]", "[", "\\", "-"], ["a"]),
    (r"[\n\r\t]", ["\n", "\r", "\t"], ["n"]),
    ("[à-ý]", ["é"], ["e"]),
    ("[😀-😂]", ["😁"], ["😃"]),
    (r"\.\*\+\?\(\)\[\]\{\}\|\\\^\-", [".*+?()[]{}|\\^-"], ["x"]),
    (r"\n", ["\n"], ["n"]),
    (r"\p{L}+", ["aЖ漢"], ["a1"]),
    (r"\p{Lu}", ["A", "Ж"], ["a", "1"]),
    (r"\P{Lu}", ["a", "1"], ["A"]),
    (r"\P{L}", ["1", "-"], ["a"]),
    (r"[\p{Nd}_]+", ["12_", "٣"], ["a"]),
    (r"[^\p{L}]", ["1"], ["a"]),
    (r"[\P{L}a]", ["1", "a"], ["b"]),
    (r"\p{Sc}\p{Zs}", ["€ "], ["e "]),
    ("^ab$", ["ab"], ["^ab$", "xab"]),
    ("(^a|b)c", ["ac", "bc"], ["c"]),
    ("a$|b", ["a", "b"], ["ab"]),
    ("a^b", [], ["ab", "a^b"]),
    ("a$b", [], ["ab", "a$b"]),
    ("^$", [""], ["a"]),
    ("^*a$*", ["a"], ["^a"]),
    ("-,'\"!#%&/:;<=>@_`~", ["-,'\"!#%&/:;<=>@_`~"], [""]),
]


@pytest.mark.parametrize(("pattern", "matching", "others"), MATCHES)
def test_match_takes_the_whole_text(pattern: str, matching: list[str], others: list[str]) -> None:
    assert [text for text in matching if not matches(pattern, text)] == []
    assert [text for text in others if matches(pattern, text)] == []


SEARCHES = [
    ("b", ["abc", "b"], ["ac", ""]),
    ("", ["", "abc"], []),
    ("b+c", ["abbcd"], ["abd"]),
    ("^b", ["bc"], ["ab"]),
    ("b$", ["ab"], ["bc"]),
    ("^$", [""], ["a"]),
    ("^abc$", ["abc"], ["xabc", "abcx"]),
    ("b|^c", ["ab", "ca"], ["ac"]),
    ("a.c", ["xxabcxx"], ["xxa\ncxx"]),
    ("c", ["a\nb\nc"], ["a\nb\n"]),
    (r"\p{Lu}{2}", ["aBCd"], ["aBcD"]),
]


@pytest.mark.parametrize(("pattern", "matching", "others"), SEARCHES)
def test_search_takes_any_part_of_the_text(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    assert [text for text in matching if not found(pattern, text)] == []
    assert [text for text in others if found(pattern, text)] == []


NOT_IREGEXP = [
    "(", ")", "a)", "(a", "[", "]", "[]", "[^]", "[a", "a]", "{", "}", "a{", "a{}", "a{,3}",
    "a{1", "a{1,2", "a{3,2}", "a{x}", "*", "+a", "?", "|*", "a**", "a+?", "a{1}{2}", "(?:a)",
    "\\", r"\d", r"\w", r"\s", r"\b", r"\$", r"\/", r"\u0041", r"\x41", r"\p", r"\p{", r"\p{}",
    r"\p{X}", r"\p{Lx}", r"\p{Cs}", r"\p{Lu", r"\p{IsGreek}", r"\pL", "[b-a]", "[a-z-9]", "[--a]",
    "[[]", r"[\d]", r"[\p{L}-z]", "[a-\\p{L}]", "[a&&b-[c]]", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("pattern", NOT_IREGEXP)
def test_what_is_no_iregexp_matches_nothing(pattern: str) -> None:
    for text in ("", "a", "b", "5", "\\d", pattern.replace("\ud800", "")):
        assert not matches(pattern, text)
        assert not found(pattern, text)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", "(a|aa)+b", "(.*a){30}b", "a*a*a*a*a*a*a*a*b", "((a?){20}a*){20}b"],
)
def test_patterns_that_make_others_backtrack_answer_on_a_long_text(pattern: str) -> None:
    text = "a" * 20_000

    assert not matches(pattern, text)
    assert not found(pattern, text)
    assert matches(pattern, text + "b")


def test_search_with_an_early_hit_does_not_pay_for_the_rest() -> None:
    assert found("b", "ab" + "a" * 10_000_000)


@pytest.mark.parametrize("pattern", ["(a{1000}){1000}", "((a{99}){99}){99}", "a{99999999999}"])
def test_constant_pattern_of_exploding_size_is_refused_at_load(pattern: str) -> None:
    with pytest.raises(JsonPathSyntaxError, match="larger than") as raised:
        compile_jsonpath(f"$[?match(@.a, '{pattern}')]")

    assert raised.value.offset == 3


@pytest.mark.parametrize(
    "pattern",
    ["(a{1000}){1000}", "a{99999999999}", "a" * 1_000_000, "(" * 1_000 + "a" + ")" * 1_000],
)
def test_pattern_of_exploding_size_from_a_document_exceeds_the_budget(pattern: str) -> None:
    with pytest.raises(JsonPathBudgetExceeded):
        matches(pattern, "a")


def test_many_patterns_from_a_document_exceed_the_budget_together() -> None:
    rows: JsonValue = [{"t": "a", "p": f"(a?){{{n}}}a{{{n}}}"} for n in range(2_000)]

    with pytest.raises(JsonPathBudgetExceeded):
        compile_jsonpath("$[?match(@.t, @.p)]").find(rows)


def test_texts_of_ever_new_characters_exceed_the_budget_and_not_the_memory() -> None:
    text = "".join(map(chr, range(0x1000, 0xD000)))

    with pytest.raises(JsonPathBudgetExceeded):
        found("[^a]{500}a", text)


def test_one_path_serves_changing_patterns() -> None:
    path = compile_jsonpath("$[?match(@.t, @.p)].t")

    assert path.find(
        [
            {"t": "a", "p": "a"},
            {"t": "b", "p": "a"},
            {"t": "b", "p": "b"},
            {"t": "c", "p": "["},
            {"t": "d", "p": None},
            {"t": "b", "p": "b"},
        ]
    ) == ["a", "b", "b"]


def test_pattern_in_a_path_is_unescaped_once_by_the_string_and_once_by_the_pattern() -> None:
    document: JsonValue = ["a.c", "abc", "a\\xc"]

    assert compile_jsonpath(r"$[?match(@, 'a\\.c')]").find(document) == ["a.c"]
    assert compile_jsonpath(r"$[?match(@, 'a\\\\.c')]").find(document) == ["a\\xc"]
