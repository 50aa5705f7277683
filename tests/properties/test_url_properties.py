"""No value that a caller gives can change what a request is, but for the place that it is for."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import BASE, LoadedCall, header, one_call, parameter, query
from tests.properties.texts import HOSTILE

PATHS = one_call(
    path="/a/{one}/b/{{two}}.json/{three}{four}/c-{five}?fixed=1",
    parameters=[query("q", type="string")],
)
QUERIES = one_call(
    path="/x?first={{one}}&fixed=a+b",
    parameters=[query("two", type="string"), query("$three[]", type="array"), query("four")],
)
HEADERS = one_call(parameters=[header("X-One"), parameter("cookie", "two")])
TENANTS = one_call(base_uri="https://api.example.com/t/{{tenant}}", path="/x")


def sent(call: LoadedCall, values: dict[str, JsonValue]) -> str | None:
    """The URL of the request, None when the values are refused as a caller's mistake."""
    outcome = call.tool_outcome(values)
    if isinstance(outcome, UpstreamRequest):
        return outcome.url
    assert outcome.kind is FailureKind.INVALID_INPUT
    assert not outcome.executed
    return None


@given(one=HOSTILE, two=HOSTILE, three=HOSTILE, four=HOSTILE, five=HOSTILE, q=HOSTILE)
def test_a1_a_request_has_exactly_the_declared_segments(
    one: str, two: str, three: str, four: str, five: str, q: str
) -> None:
    texts = zip(
        ("one", "two", "three", "four", "five", "q"), (one, two, three, four, five, q), strict=True
    )
    url = sent(PATHS, dict(texts))
    if url is None:
        return
    assert url.isascii()
    assert url.startswith(f"{BASE}/a/")
    assert url.count("?") == 1
    assert "#" not in url
    path, _, query_text = url.removeprefix(BASE).partition("?")
    segments = path.split("/")
    assert [unquote(segment) for segment in segments] == [
        "", "a", one, "b", f"{two}.json", three + four, f"c-{five}",
    ]  # fmt: skip
    assert not any(segment in (".", "..", "") for segment in segments[1:])
    assert parse_qsl(query_text, keep_blank_values=True) == [("fixed", "1"), ("q", q)]


@given(value=HOSTILE)
def test_a1_a_path_value_is_refused_only_when_it_is_empty_or_a_step_in_the_path(value: str) -> None:
    call = one_call_path()
    harmless = value != "" and value.partition(";")[0] not in (".", "..")
    assert (sent(call, {"x": value}) is not None) == harmless


def one_call_path(cache: list[LoadedCall] = []) -> LoadedCall:  # noqa: B006 - loaded once
    if not cache:
        cache.append(one_call(path="/a/{x}/b"))
    return cache[0]


@given(value=HOSTILE)
def test_a1_a_value_stays_the_same_when_servers_normalise_the_path(value: str) -> None:
    """RFC 3986, section 6.2.2: percent-decoding unreserved characters, removing dot segments."""
    url = sent(one_call_path(), {"x": value})
    if url is None:
        return
    segments = urlsplit(url).path.split("/")
    decoded = [unquote(s).partition(";")[0] for s in segments]
    assert "." not in decoded
    assert ".." not in decoded
    assert len(segments) == len("/v1/a/{x}/b".split("/"))


@given(tenant=HOSTILE)
def test_a7_no_value_reaches_the_origin(tenant: str) -> None:
    url = sent(TENANTS, {"tenant": tenant})
    if url is not None:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) == ("https", "api.example.com")
        assert parts.path.startswith("/t/")
        assert parts.path.endswith("/x")
        assert parts.path.count("/") == 3
        assert (parts.query, parts.fragment) == ("", "")


@given(one=HOSTILE, two=HOSTILE, three=st.lists(HOSTILE, max_size=3), four=HOSTILE)
def test_a2_a_query_reads_back_as_it_was_given(
    one: str, two: str, three: list[str], four: str
) -> None:
    url = sent(QUERIES, {"one": one, "two": two, "$three[]": [*three], "four": four})
    assert url is not None
    assert url.isascii()
    path, _, query_text = url.partition("?")
    assert path == f"{BASE}/x"
    assert "#" not in query_text
    assert ";" not in query_text
    assert parse_qsl(query_text, keep_blank_values=True) == [
        ("first", one),
        ("fixed", "a b"),
        ("two", two),
        *(("$three[]", item) for item in three),
        ("four", four),
    ]


@given(one=HOSTILE, two=HOSTILE)
def test_a3_a6_headers_and_cookies_are_one_line_of_the_given_text_or_refused(
    one: str, two: str
) -> None:
    outcome = HEADERS.tool_outcome({"X-One": one, "two": two})
    if isinstance(outcome, Failure):
        assert outcome.kind is FailureKind.INVALID_INPUT
        plain = all(32 <= ord(c) < 127 or c == "\t" for c in one + two)
        assert not plain or one != one.strip() or two != two.strip() or set(two) & set(';,"\\ \t')
        return
    headers = outcome.headers
    assert headers == [("X-One", one), ("Cookie", f"two={two}")]
    for _, value in headers:
        assert value.isascii()
        assert not set(value) & set("\r\n\x00")


@given(st.text(st.characters(categories=["Cs"]), min_size=1), HOSTILE)
def test_half_surrogate_pairs_are_refused_everywhere(half: str, text: str) -> None:
    for call, name in (
        (one_call_path(), "x"),
        (QUERIES, "two"),
        (QUERIES, "one"),
        (HEADERS, "two"),
    ):
        with pytest.raises(CallFailed):
            call.tool_request({name: text + half})
