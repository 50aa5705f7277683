"""Forwarded paths and queries: whatever a caller writes, the upstream's base is not left, and what
goes on goes on unchanged."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote, unquote_plus, urlsplit

from hypothesis import assume, example, given
from hypothesis import strategies as st

from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.plan.load import load_file
from naftiko_runtime.plan.operation import ForwardPlan, Passage, Scope, UpstreamRequest
from tests.exposes.rest.forwarding_files import forwarding


def plan_of(text: str) -> ForwardPlan:
    file = load_file(Path("forward.yaml"), {}, {}, text.encode())
    assert file.plan is not None, file.problems
    return file.plan.rest[0].forwards[0]


PLAIN = plan_of(forwarding("https://api.example.com/base/v1"))
KEYED = plan_of(
    forwarding(
        "https://api.example.com/base/v1",
        parameters=[{"name": "version", "in": "query", "value": "7"}],
        authentication={"type": "apikey", "key": "Api-Key", "value": "k&1", "placement": "query"},
    )
)

dots = st.sampled_from(
    [".", "..", "%2e", "%2E", "%252e", "%25252e", "%c0%ae", ".;x=1", "..;", "..."]
)
slashes = st.sampled_from(["/", "//", "%2f", "%2F", "\\", "%5c", "%252f", "%25252F", ";"])
words = st.sampled_from(
    ["a", "admin", "a.b", "%C3%A9", "%E9", "~", ":", "@", "%20", "%00", "%09", "é"]
)
rests = st.lists(st.one_of(dots, slashes, words), max_size=9).map(
    lambda parts: "/" + "".join(parts)
)
texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=20
)


def sent(plan: ForwardPlan, rest: str, query: str = "") -> UpstreamRequest | None:
    """The request, None where it is refused."""
    try:
        return plan.build(Scope({}), Passage("GET", rest, query, ()))
    except CallFailed as failed:
        if failed.failure.kind is not FailureKind.INVALID_INPUT:
            raise
        return None


def as_a_lenient_server_reads(path: str) -> str:
    """A path decoded as long as it changes, its backslashes taken for slashes and its parameters
    left out, and its dots resolved."""
    while (decoded := unquote(path)) != path:
        path = decoded
    segments = path.replace("\\", "/").split("/")
    return posixpath.normpath("/".join(segment.partition(";")[0] for segment in segments))


@given(st.one_of(rests, texts.map(lambda text: f"/{text}")))
@example("/..%2f..%2fadmin")
@example("/a/..%5c..%5cadmin")
@example("/..;/..;/admin")
def test_no_path_leaves_the_base_of_the_upstream(rest: str) -> None:
    request = sent(PLAIN, rest)
    assume(request is not None)
    assert request is not None
    parts = urlsplit(request.url)
    assert (parts.scheme, parts.netloc) == ("https", "api.example.com")
    assert parts.path == f"/base/v1{rest}"
    read = as_a_lenient_server_reads(parts.path)
    assert read == "/base/v1" or read.startswith("/base/v1/")


@given(st.lists(st.sampled_from(["a", "b.c", "%20", "%2F", "x;y=1", "", "..."]), max_size=6))
def test_paths_without_dots_of_their_own_go_on_as_they_came(segments: list[str]) -> None:
    rest = "".join(f"/{segment}" for segment in segments)
    request = sent(PLAIN, rest)
    assert request is not None
    assert request.url == f"https://api.example.com/base/v1{rest}"


names = st.sampled_from(
    ["a", "A", "version", "VERSION", "versio%6E", "api-key", "Api-Key", "%41pi-Key", ""]
)
pairs = st.tuples(names, st.sampled_from(["", "=", "=1", "=%2f", "=a+b", "=x=y"]))


@given(st.lists(pairs, max_size=8))
def test_the_query_goes_on_as_it_came_but_for_what_the_target_gives(
    given_pairs: list[tuple[str, str]],
) -> None:
    query = "&".join(name + value for name, value in given_pairs)
    plain, keyed = sent(PLAIN, "/x", query), sent(KEYED, "/x", query)
    assert plain is not None
    assert keyed is not None
    assert plain.url == f"https://api.example.com/base/v1/x{'?' if query else ''}{query}"
    kept = [
        name + value
        for name, value in given_pairs
        if name + value and unquote_plus(name).lower() not in ("version", "api-key")
    ]
    expected = "&".join([*kept, "version=7", "Api-Key=k%261"])
    assert keyed.url == f"https://api.example.com/base/v1/x?{expected}"
