"""URIs of resources: how they are read, listed and matched."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.plan.uri_template import LONGEST, UriError, read_uri


@pytest.mark.parametrize(
    ("text", "listed", "variables"),
    [
        ("docs://guide", "docs://guide", ()),
        ("docs://", "docs://", ()),
        ("orders://{id}", "orders://{id}", ("id",)),
        ("orders://{{ id }}/x", "orders://{id}/x", ("id",)),
        ("a://{order-id}/{x.y}?q={z}", "a://{order_id}/{x_y}?q={z}", ("order-id", "x.y", "z")),
        ("urn:isbn:{n}", "urn:isbn:{n}", ("n",)),
        ("a://%C3%A9/é", "a://%C3%A9/é", ()),
    ],
)
def test_variables_are_listed_in_letters_that_clients_can_expand(
    text: str, listed: str, variables: tuple[str, ...]
) -> None:
    template = read_uri(text)
    assert (template.text, template.variables) == (listed, variables)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "scheme"),
        ("guide", "scheme"),
        ("{scheme}://x", "scheme"),
        ("1a://x", "scheme"),
        ("a://{x}{y}", "nothing separates"),
        ("a://{x}/{x}", "twice"),
        ("a://{x-y}/{x_y}", "twice"),
        ("a://{+path}", "no variable"),
        ("a://{?q}", "no variable"),
        ("a://{x*}", "no variable"),
        ("a://{x,y}", "no variable"),
        ("a://{}", "no variable"),
        ("a://{x", "cannot stand"),
        ("a://x}", "cannot stand"),
        ("a://two words", "cannot stand"),
        ("a://x\n", "cannot stand"),
        ("a://\x00", "cannot stand"),
        ("a://%zz", "cannot stand"),
        ("a://%4", "cannot stand"),
        ("a://" + "x" * LONGEST, "characters"),
    ],
)
def test_a_uri_that_no_client_could_ask_for_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UriError, match=reason):
        read_uri(text)


@pytest.mark.parametrize(
    ("template", "uri", "values"),
    [
        ("a://{x}", "a://1", {"x": "1"}),
        ("a://{x}", "a://a%2Fb%20c", {"x": "a/b c"}),
        ("a://{x}", "a://%252e", {"x": "%2e"}),
        ("a://{x}", "a://%00", {"x": "\x00"}),
        ("a://{x}", "a://é", {"x": "é"}),
        ("a://{x}/y", "a://1/y", {"x": "1"}),
        ("a://{x}-{y}", "a://1-2-3", {"x": "1", "y": "2-3"}),
        ("a://{x}.{y}.z", "a://1.2.3.z", {"x": "1", "y": "2.3"}),
        ("a://s?q={q}&n={n}", "a://s?q=1&n=2", {"q": "1", "n": "2"}),
        ("a://{x}", "a://", None),
        ("a://{x}", "a://1/2", None),
        ("a://{x}", "a://1?y", None),
        ("a://{x}", "a://1#y", None),
        ("a://{x}", "b://1", None),
        ("a://{x}", "xa://1", None),
        ("a://{x}/y", "a://1/yy", None),
        ("a://{x}-{y}", "a://-1", None),
        ("a://{x}-{y}", "a://1-", None),
        ("a://x.y", "a://x.y", {}),
        ("a://x.y", "a://xzy", None),
    ],
)
def test_a_variable_is_one_segment_decoded_once(
    template: str, uri: str, values: dict[str, str] | None
) -> None:
    assert read_uri(template).match(uri) == values


@pytest.mark.parametrize("value", ["%", "%zz", "%4", "%ff", "%c0%af", "%ed%a0%80"])
def test_a_value_that_is_no_utf8_is_the_callers_fault(value: str) -> None:
    with pytest.raises(CallFailed) as caught:
        read_uri("a://{x}/y").match(f"a://{value}/y")
    assert caught.value.failure.kind is FailureKind.INVALID_INPUT
    assert caught.value.failure.field == "x"


WORD = st.text("ab-._~", min_size=1, max_size=4)
VALUE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(st.lists(st.tuples(VALUE, st.sampled_from(["/", "/x/", "?q=", "#", "&"])), min_size=1))
def test_what_a_client_expands_is_matched_to_the_same_values(
    pieces: list[tuple[str, str]],
) -> None:
    assume(all(literal != "&" or "&" not in quote(value, safe="") for value, literal in pieces))
    names = [f"v{number}" for number in range(len(pieces))]
    template = "a://" + "".join(
        f"{{{name}}}{after}" for name, (_, after) in zip(names, pieces, strict=True)
    )
    uri = "a://" + "".join(quote(value, safe="") + after for value, after in pieces)
    values = {name: value for name, (value, _) in zip(names, pieces, strict=True)}
    assert read_uri(template).match(uri) == values


@given(st.lists(WORD, min_size=2, max_size=6), st.text("ab-._~/", max_size=30))
def test_a_match_puts_together_what_it_took_apart(words: list[str], uri: str) -> None:
    template = "a://" + "".join(f"{{v{number}}}{word}" for number, word in enumerate(words))
    values = read_uri(template).match("a://" + uri)
    if values is None:
        return
    whole = "".join(f"{values[f'v{number}']}{word}" for number, word in enumerate(words))
    assert whole == uri
    assert all(value and "/" not in value for value in values.values())


@given(st.lists(WORD, min_size=1, max_size=4), st.lists(WORD, min_size=4, max_size=4))
def test_a_uri_that_can_be_taken_apart_somehow_is_matched(
    words: list[str], values: list[str]
) -> None:
    """Never going back must not lose a match, whatever the literals in between look like."""
    template = "a://" + "".join(f"{{v{number}}}{word}" for number, word in enumerate(words))
    uri = "a://" + "".join(value + word for value, word in zip(values, words, strict=False))
    assert read_uri(template).match(uri) is not None


def test_a_long_uri_of_many_near_matches_ends() -> None:
    template = read_uri("a://" + "-".join(f"{{v{number}}}" for number in range(40)) + "/z")
    assert template.match("a://" + "-" * LONGEST) is None
