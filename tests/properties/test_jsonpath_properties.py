"""JSONPath against a plain reading of RFC 9535, and I-Regexp against an ordinary engine."""

from __future__ import annotations

import json
import re

from hypothesis import example, given
from hypothesis import strategies as st

from naftiko_runtime.plan.jsonpath import (
    MISSING,
    JsonPathBudgetExceeded,
    JsonPathSyntaxError,
    JsonValue,
    compile_jsonpath,
    parse_strict,
)
from naftiko_runtime.plan.jsonpath.ast import Query
from tests.plan.jsonpath.plain_reading import nodes_of
from tests.plan.jsonpath.queries import documents, scalars, written_queries


@given(written_queries(), documents)
def test_every_query_finds_what_a_plain_reading_of_the_rfc_finds(
    written: tuple[Query, str], document: JsonValue
) -> None:
    query, text = written

    assert parse_strict(text) == query
    path = compile_jsonpath(text)
    assert path.strict
    expected = nodes_of(query, document, document)
    found = path.find(document)
    assert len(found) == len(expected)
    assert all(one is other for one, other in zip(found, expected, strict=True))
    if path.definite:
        assert len(found) <= 1
        assert path.read(document) is (found[0] if found else MISSING)
    else:
        assert repr(path.read(document)) == repr(found)


@given(st.text(max_size=30) | st.text(alphabet="$@.[]()?*,:'\"\\!&|=<>-01ab `/+", max_size=30))
@example("$" + "[" * 5_000)
@example("(" * 5_000)
def test_any_text_is_a_path_or_a_syntax_error(text: str) -> None:
    offset = 0
    found: object = []
    try:
        found = compile_jsonpath(text).find({"a": [{"b": 1}], "b": "a"})
    except JsonPathSyntaxError as fault:
        offset = fault.offset

    assert 0 <= offset <= len(text)
    assert isinstance(found, list)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), scalars)
def test_any_name_in_quotes_reads_its_member(name: str, value: JsonValue) -> None:
    quoted = json.dumps(name)

    assert compile_jsonpath(f"$[{quoted}]").read({name: value, name + "x": 0}) is value
    assert compile_jsonpath(f"$..[{quoted}]").find([{name: value}]) == [value]


@given(
    st.from_regex("[@$]?[A-Za-z_0-9é][A-Za-z_0-9é:-]{0,8}( [A-Za-z0-9é]{1,5}){0,2}", fullmatch=True)
)
def test_published_names_after_a_dot_read_as_if_quoted(name: str) -> None:
    assert compile_jsonpath(f"$.{name}").read({name: 1}) == 1
    assert compile_jsonpath(f"$.a.{name}.b").read({"a": {name: {"b": 1}}}) == 1


# I-Regexp against `re`, on expressions small enough for it.

atoms = st.sampled_from(
    [
        *(("a", "a"), ("b", "b"), ("[ab]", "[ab]"), ("[^a]", "[^a]"), ("[b-c]", "[b-c]")),
        *((".", r"[^\n\r]"), (r"\.", r"\."), (r"\-", "-"), ("^", "^"), ("$", r"\Z")),
        *((r"\p{Lu}", "[A-Z]"), (r"\P{L}", "[^a-zA-Z]"), (r"[\p{Nd}a-]", "[0-9a-]"), (r"\n", "\n")),
    ]
)
quantifiers = st.sampled_from(["*", "+", "?", "{0}", "{2}", "{1,2}", "{0,1}", "{1,}"])


def combined(inner: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    rows = st.lists(inner, max_size=3)
    return (
        st.builds(lambda e, q: (f"({e[0]}){q}", f"(?:{e[1]}){q}"), inner, quantifiers)
        | rows.map(lambda row: ("".join(e[0] for e in row), "".join(e[1] for e in row)))
        | rows.filter(len).map(
            lambda row: (
                "(" + "|".join(e[0] for e in row) + ")",
                "(?:" + "|".join(e[1] for e in row) + ")",
            )
        )
    )


@given(
    st.recursive(atoms, combined, max_leaves=6),
    st.lists(st.text(alphabet="abcA1.-\n^$", max_size=6), min_size=1, max_size=5),
)
def test_iregexp_matches_as_an_ordinary_engine_does(
    expression: tuple[str, str], texts: list[str]
) -> None:
    pattern, ordinary = expression
    document: JsonValue = {"p": pattern, "t": list(texts)}

    assert compile_jsonpath("$.t[?match(@, $.p)]").find(document) == [
        text for text in texts if re.fullmatch(ordinary, text)
    ]
    assert compile_jsonpath("$.t[?search(@, $.p)]").find(document) == [
        text for text in texts if re.search(ordinary, text)
    ]


@given(
    st.text(alphabet="ab()[]{}|*+?.^$-\\pLu,0123", max_size=15), st.text(alphabet="ab", max_size=5)
)
def test_any_text_is_a_pattern_or_matches_nothing(pattern: str, text: str) -> None:
    document: JsonValue = {"p": pattern, "t": [text]}
    try:
        whole = compile_jsonpath("$.t[?match(@, $.p)]").find(document)
        part = compile_jsonpath("$.t[?search(@, $.p)]").find(document)
    except JsonPathBudgetExceeded:
        return
    assert len(whole) <= len(part)
