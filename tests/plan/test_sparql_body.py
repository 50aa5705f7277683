"""SPARQL bodies: what fills a placeholder never changes what a query does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from naftiko_runtime.failures import Failure, FailureKind
from tests.loaded_calls import LoadedCall, one_call
from tests.properties.texts import HOSTILE


def query_of(data: str) -> LoadedCall:
    return one_call(method="POST", body={"type": "sparql", "data": data})


def sent(call: LoadedCall, **values: str | int) -> str:
    return (call.tool_request(dict(values)).content or b"").decode()


def test_a_query_goes_out_under_its_media_type() -> None:
    request = query_of("SELECT * WHERE { ?s ?p ?o }").tool_request({})
    assert request.content == b"SELECT * WHERE { ?s ?p ?o }"
    assert request.headers == [("Content-Type", "application/sparql-query")]


@pytest.mark.parametrize("quotes", ['"', "'", '"""', "'''"])
def test_a_value_in_a_literal_is_escaped_text(quotes: str) -> None:
    call = query_of(
        f"ASK {{ ?s ?p {quotes}a {{{{x}}}} b{quotes} . ?s ?q {quotes}{{{{x}}}}{quotes} }}"
    )
    escaped = "q\\\" \\' \\\\ \\n } <>"
    assert sent(call, x="q\" ' \\ \n } <>") == (
        f"ASK {{ ?s ?p {quotes}a {escaped} b{quotes} . ?s ?q {quotes}{escaped}{quotes} }}"
    )


def test_a_value_in_an_iri_cannot_end_it() -> None:
    call = query_of("DESCRIBE <http://example.com/{{x}}/end>")
    assert sent(call, x='a> . DROP ALL "{}|\\^` ü') == (
        "DESCRIBE <http://example.com/a%3E%20.%20DROP%20ALL%20%22%7B%7D%7C%5C%5E%60%20ü/end>"
    )


@pytest.mark.parametrize("value", ["10", "-1", "1.5e3", "ex:name", "asc", 7])
def test_a_value_outside_of_quotes_may_be_a_number_or_a_name(value: str | int) -> None:
    assert sent(query_of("SELECT * {} LIMIT {{x}}"), x=value) == f"SELECT * {{}} LIMIT {value}"


@pytest.mark.parametrize(
    "value", ["", "1 OFFSET 2", "1} ; DROP ALL", "?x", "<a>", '"a"', "1\n2", "#"]
)
def test_anything_else_outside_of_quotes_is_refused(value: str) -> None:
    outcome = query_of("SELECT * {} LIMIT {{x}}").tool_outcome({"x": value})
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.field) == (FailureKind.INVALID_INPUT, "x")


@pytest.mark.parametrize(
    ("before", "is_literal"),
    [
        ("FILTER(?a < 5 && ?b = ", False),
        ("FILTER(?a <= 5 && ?b > ", False),
        ("# it's a comment\n ?b = ", False),
        ("<http://example.com/#fragment'> ?b ", False),
        ("'it\\'s' ?b ", False),
        ("'it\\'s ", True),
        ('"""a "quoted" word ', True),
        ('"""a""" ?b ', False),
        ('"" ?b ', False),
        ("'' '", True),
        ("?a < ?b . ?c ?d '", True),
    ],
)
def test_the_place_of_a_placeholder_is_told_by_what_is_before_it(
    before: str, is_literal: bool
) -> None:
    outcome = query_of(before + "{{x}}").tool_outcome({"x": "a b"})
    assert isinstance(outcome, Failure) != is_literal


CALL = query_of("SELECT * { <http://e.com/{{i}}> ?p '{{x}}', \"{{x}}\", '''{{x}}''' } LIMIT {{n}}")
STRING = re.compile(
    r"'''((?:[^'\\]|\\.)*)'''|'((?:[^'\\\n\r]|\\.)*)'|\"((?:[^\"\\\n\r]|\\.)*)\"", re.S
)
UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


@given(HOSTILE, HOSTILE)
def test_literals_read_back_as_they_were_given_and_the_query_keeps_its_shape(
    i: str, x: str
) -> None:
    text = sent(CALL, i=i, x=x, n=1)
    iri, _, rest = text.removeprefix("SELECT * { <http://e.com/").partition(">")
    assert not set(iri) & set('<>"{}|^`\\ \n')
    literals = ["".join(groups) for groups in STRING.findall(rest)]
    read = [re.sub(r"\\(.)", lambda m: UNESCAPED.get(m[1], m[1]), each) for each in literals]
    assert read == [x, x, x]
    assert STRING.sub("S", rest) == " ?p S, S, S } LIMIT 1"
