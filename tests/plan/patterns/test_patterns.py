"""The `pattern` of an input, read as ECMA-262 has it and matched in time linear in the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.plan.patterns import PatternError, compile_pattern
from naftiko_runtime.problems import Severity
from tests.loaded_calls import one_call

MATCHES = [
    ("^[A-Z]{3}$", ["USD"], ["usd", "USDT", " USD", "USD\n"]),
    ("b", ["abc", "b"], ["ac", ""]),
    ("", ["", "anything"], []),
    (r"^\d{4}-\d{2}-\d{2}$", ["2024-01-31"], ["2024-1-31", "٢٠٢٤-01-31"]),
    (r"^\w+@[\w.-]+\.\w{2,}$", ["a_1@b-c.example"], ["a@b", "é@b.co"]),
    (r"^\s\S$", ["\u00a0x", "\ufeffx", "\tx"], ["xx", "  "]),
    (r"^[^\s,;]+$", ["abc"], ["a b", "a,b", ""]),
    ("^(?:ab|cd)+$", ["abcd"], ["abc", ""]),
    ("^(?<year>[0-9]+)$", ["2024"], ["x"]),
    ("^a.c$", ["abc", "a\U0001f600c"], ["a\nc", "a\u2028c", "ac"]),
    ("^a+?b*?c{2,}?$", ["acc", "aabccc"], ["abc"]),
    ("^a{0}b{2}$", ["bb"], ["b", "abb"]),
    ("^(a|b)?c$", ["c", "ac"], ["abc"]),
    (r"^\x41\u0042\u{43}\uD83D\uDE00$", ["ABC\U0001f600"], ["ABC"]),
    (r"^\t\n\v\f\r\0\cJ$", ["\t\n\v\f\r\0\n"], ["t"]),
    (r"^\p{Lu}\P{L}[\p{Nd}_]$", ["É1_", "A 9"], ["é1_", "AA9"]),
    (r"^[\d-x]+$", ["1-x"], ["2y"]),
    (r"^[a\-z-]$", ["a", "-", "z"], ["b"]),
    (r"^[\b]$", ["\b"], ["b"]),
    ("[]", [], ["", "a"]),
    ("^[^]$", ["\n", "a"], [""]),
    ("^a{x}$", ["a{x}"], ["ax"]),
    ("^{a]}$", ["{a]}"], ["a"]),
    (r"^\-\/\@\_$", ["-/@_"], [""]),
    ("a^b|$^", [""], ["ab", "a^b"]),
    ("(^a|b$)", ["ax", "xb"], ["xax"]),
    ("^(?=.*[A-Z])(?=.*[0-9])(?!.*x).{4,}$", ["aB3d", "3AAA"], ["ab3d", "aB3", "aB3x"]),
    ("^(?!admin$)[a-z]+$", ["adminx", "user"], ["admin", "USER"]),
]


@pytest.mark.parametrize(("pattern", "matching", "others"), MATCHES)
def test_a_text_matches_as_in_ecmascript(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    matches = compile_pattern(pattern)
    assert [text for text in matching if not matches(text)] == []
    assert [text for text in others if matches(text)] == []


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("[0-9", 'it lacks a "]"'),
        ("[0-", 'it lacks a "]"'),
        ("(a", 'it lacks a ")"'),
        ("a)", 'it has a ")" too many'),
        ("*a", "it has nothing to repeat before character 1"),
        ("a**", "it has nothing to repeat before character 3"),
        ("^*", "it repeats an anchor"),
        ("a{3,2}", 'it holds "{3,2}", whose bounds are in the wrong order'),
        ("a{,2}", 'it holds "{,2}", which is no repetition - write "{0,2}"'),
        ("[z-a]", 'it holds the range "z-a", which is in the wrong order'),
        ("a\\", "it ends in a backslash"),
        (r"(a)\1", r'it holds "\1", which refers back'),
        (r"(?<x>a)\k<x>", r'it holds "\k", which refers back'),
        (r"\bword\b", r'it holds "\b", which looks around'),
        (r"\Aa\Z", r'it holds "\A", which means nothing in ECMA-262'),
        ("a(?=b)", 'it looks around with "(?=" - only right after a leading "^" it can'),
        ("(?<!a)b", 'it looks around with "(?<!" - only right after a leading "^" it can'),
        ("^(?=a)b|c", "it holds a lookahead beside alternatives, which takes a group around them"),
        ("(?i)a", 'it begins a group with "(?i"'),
        ("(?P<x>a)", 'it begins a group with "(?P"'),
        (
            r"\p{Greek}",
            r"it names a property of characters that is not known here - use one as \p{L}",
        ),
        (r"\xg0", "it holds a character number that is not hexadecimal"),
        (r"\u{110000}", "it names a character that does not exist"),
        (
            "(" * 60 + ")" * 60,
            "it is too large: the regular expression is larger than 10000 states",
        ),
        ("(a{1000}){1000}", "it is too large: the regular expression is larger than 10000 states"),
    ],
)
def test_what_cannot_be_matched_in_linear_time_is_refused_with_its_reason(
    pattern: str, complaint: str
) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "^(.*a){20}$", "(x+x+)+y", r"^(\w+\s?)*$", "^(a?){30}a{30}$"]
)
def test_s2_no_text_makes_a_pattern_backtrack(pattern: str) -> None:
    matches = compile_pattern(pattern)
    assert matches("a" * 30_000 + "!") is False
    assert matches("x" * 30_000 + "!") is False


def test_a_text_of_more_than_65536_characters_does_not_match() -> None:
    matches = compile_pattern("^a+$")
    assert matches("a" * 65_536)
    assert not matches("a" * 65_537)


atoms = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "(?:ab|c)", "(a|b)", "^", "$", "c", "-", "|"]
)
quantifiers = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{1,}", "*?", "+?"])
pieces = st.tuples(atoms, quantifiers).map(
    lambda pair: pair[0] + (pair[1] if pair[0] not in "^$|" else "")
)


@given(st.lists(pieces, max_size=6).map("".join), st.text("abc-1 ", max_size=8))
def test_a_text_matches_where_a_backtracking_reading_finds_a_match(pattern: str, text: str) -> None:
    expected = re.search(pattern.replace("$", r"\Z"), text, re.ASCII) is not None
    assert compile_pattern(pattern)(text) is expected


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_pattern_or_is_refused(pattern: str, text: str) -> None:
    try:
        matches = compile_pattern(pattern)
    except PatternError:
        return
    assert matches(text) in (True, False)


@pytest.mark.parametrize(
    "given", [{"pattern": "[a"}, {"type": "array", "items": {"type": "string", "pattern": "[a"}}]
)
def test_an_input_whose_pattern_cannot_be_checked_takes_its_operation_out(
    given: dict[str, object],
) -> None:
    parameter = {"name": "code", "in": "query", "type": "string", "description": "C."}
    call = one_call(rest_inputs=[{**parameter, **given}])
    (problem,) = call.file.problems
    assert (problem.rule, problem.severity) == ("pattern", Severity.ERROR)
    assert problem.message == 'the pattern of "code" cannot be checked: it lacks a "]"'
    assert problem.path[-2:] == ("inputParameters", 0)
    assert call.file.plan is not None
    assert call.file.plan.rest[0].operations == ()
    assert len(call.file.plan.mcp[0].tools) == 1
