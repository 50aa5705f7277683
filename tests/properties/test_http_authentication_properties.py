"""What is written as HTTP authentication is read back; what is not, raises nothing unforeseen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.http_authentication import (
    AuthFields,
    AuthSyntaxError,
    parse_challenges,
    parse_credentials,
    quoted,
    written,
)

TOKENS = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
VALUES = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=20)
TOKEN68 = st.from_regex(r"[A-Za-z0-9._~+/-]{1,20}={0,2}", fullmatch=True)
PARAMETERS = st.dictionaries(TOKENS.map(str.lower), VALUES, max_size=4)
FIELDS = st.one_of(
    st.builds(AuthFields, TOKENS.map(str.lower), PARAMETERS),
    st.builds(AuthFields, TOKENS.map(str.lower), st.just({}), TOKEN68),
)


def as_text(fields: AuthFields) -> str:
    if fields.token68:
        return f"{fields.scheme} {fields.token68}"
    pairs = [(name, quoted(value)) for name, value in fields.parameters.items()]
    return written(fields.scheme, pairs).strip()


@given(st.lists(FIELDS, max_size=4))
def test_challenges_in_one_field_are_read_as_they_were_written(fields: list[AuthFields]) -> None:
    assert parse_challenges([", ".join(as_text(each) for each in fields)]) == fields


@given(st.lists(FIELDS, max_size=4))
def test_challenges_in_fields_of_their_own_are_read_in_order(fields: list[AuthFields]) -> None:
    assert parse_challenges([as_text(each) for each in fields]) == fields


@given(FIELDS)
def test_credentials_are_read_as_they_were_written(fields: AuthFields) -> None:
    assert parse_credentials(as_text(fields)) == fields


@given(st.text(max_size=60) | st.text('Ba ,="\\\t', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    parse_challenges([text])
    refusal = ""
    try:
        parse_credentials(text)
    except AuthSyntaxError as error:
        refusal = str(error) or "nothing is said"
    assert refusal != "nothing is said"


@given(FIELDS, FIELDS)
def test_two_sets_of_credentials_are_refused(first: AuthFields, second: AuthFields) -> None:
    try:
        parse_credentials(f"{as_text(first)}, {as_text(second)}")
    except AuthSyntaxError:
        return
    raise AssertionError("read as one")
