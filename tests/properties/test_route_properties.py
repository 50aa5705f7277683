"""The route tree against what paths mean, and against trying every route in turn."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from naftiko_runtime.exposes.rest.route_syntax import RouteSyntaxError, parse_route
from naftiko_runtime.exposes.rest.routes import Routes, build_routes

LITERALS = st.sampled_from(["a", "b", "orders", "v1", "A", "a b", "ä", "x:y", "%", "~"])
AFFIXES = st.sampled_from(["", ".json", ":cancel", "v", "-", "a", "é", " "])
NAMES = st.sampled_from(["x", "account-id", "page[n]", "a.b", "$id", "accountId"])
VALUES = st.text(min_size=1, max_size=8)
METHODS = st.sampled_from(["GET", "POST"])


@st.composite
def segments(draw: st.DrawFn) -> str:
    """One segment of a route as a file writes it."""
    kind = draw(st.integers(0, 3))
    if kind < 2:
        return draw(LITERALS)
    form = draw(st.sampled_from(["{%s}", "{{%s}}", "{ %s }"]))
    variable = form % draw(NAMES)
    if kind == 2:
        return variable
    second = draw(st.sampled_from(["", "-{z}", ".{z}"]))
    return draw(AFFIXES) + variable + second + draw(AFFIXES)


ROUTES = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + slash,
    st.lists(segments(), min_size=1, max_size=4),
    st.sampled_from(["", "", "", "/"]),
)


def encode(value: str) -> str:
    """Percent-encodes each byte, so that no character of a value looks like a route's text."""
    return "".join(f"%{byte:02X}" for byte in value.encode())


def routes_of(*claims: tuple[str, str]) -> Routes[tuple[str, str]]:
    return build_routes((method, parse_route(text), (method, text)) for method, text in claims)[0]


@given(ROUTES, st.data())
def test_a_path_with_encoded_values_gives_back_exactly_the_values(
    text: str, data: st.DataObject
) -> None:
    route = parse_route(text)
    values = [data.draw(VALUES) for _ in route.names]
    rest = iter(values)
    path = ""
    for pattern in route.patterns:
        path += "/" + quote(pattern[0], safe="")
        for index, literal in enumerate(pattern[1:], start=1):
            value = next(rest)
            is_last = index == len(pattern) - 1
            # where two variables share a segment, the first literal between them parts them
            assume(is_last or (value + literal).find(literal) == len(value))
            path += encode(value) + quote(literal, safe="")
    found = routes_of(("GET", text)).find("GET", path.encode())
    assert found == (("GET", text), dict(zip(route.names, values, strict=True)))


@dataclass(frozen=True)
class Naive:
    """Tries every route in turn, segment by segment with regular expressions."""

    claims: list[tuple[str, str]]

    def matching(self, segments: list[str]) -> dict[tuple[str, str], tuple[object, dict[str, str]]]:
        """The claims that a path fits: how well (smaller is better) and with which values."""
        found: dict[tuple[str, str], tuple[object, dict[str, str]]] = {}
        for method, text in self.claims:
            route = parse_route(text)
            if len(route.patterns) != len(segments):
                continue
            values: list[str] = []
            rank: list[tuple[int, int, int]] = []
            for pattern, segment in zip(route.patterns, segments, strict=True):
                match = re.fullmatch("(.+?)".join(map(re.escape, pattern)), segment, re.DOTALL)
                if match is None:
                    break
                values += match.groups()
                kind = 0 if len(pattern) == 1 else 2 if not any(pattern) else 1
                first = next(
                    n
                    for n, (_, other) in enumerate(self.claims)
                    if len(parse_route(other).patterns) > len(rank)
                    and parse_route(other).patterns[: len(rank) + 1]
                    == route.patterns[: len(rank) + 1]
                )
                rank.append((kind, -sum(map(len, pattern)) if kind == 1 else 0, first))
            else:
                entry = (rank, dict(zip(route.names, values, strict=True)))
                found.setdefault((method, text), entry)
        return found

    def find(self, method: str, path: str) -> tuple[tuple[str, str], dict[str, str]] | None:
        for attempt in readings(path):
            fitting = [
                (rank, self.claims.index(claim), claim, values)
                for claim, (rank, values) in self.matching(attempt).items()
                if claim[0] == method
            ]
            if fitting:
                _, _, claim, values = min(fitting)
                return claim, values
        return None

    def methods(self, path: str) -> list[str]:
        claims = [claim for attempt in readings(path) for claim in self.matching(attempt)]
        return sorted({method for method, _ in claims})


def readings(path: str) -> list[list[str]]:
    """The segments of a path, and those of the path with one trailing slash less or more."""
    segments = path[1:].split("/")
    if segments[-1]:
        return [segments, [*segments, ""]]
    return [segments, segments[:-1]] if len(segments) > 1 and segments[-2] else [segments]


SIMPLE_SEGMENTS = st.sampled_from(
    ["a", "b", "ab", "{x}", "{y}", "{x}.a", "a{x}", "{x}-{y}", "a{x}b", "{x}b", "a-{x}"]
)
SIMPLE_ROUTES = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + slash,
    st.lists(SIMPLE_SEGMENTS, min_size=1, max_size=4),
    st.sampled_from(["", "", "/"]),
)
PATHS = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + slash,
    st.lists(st.text("ab-.", max_size=4), min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)


@given(st.lists(st.tuples(METHODS, SIMPLE_ROUTES), max_size=12), METHODS, PATHS)
def test_the_tree_finds_what_trying_every_route_finds(
    claims: list[tuple[str, str]], method: str, path: str
) -> None:
    tree, naive = routes_of(*claims), Naive(claims)
    assert tree.find(method, path.encode()) == naive.find(method, path)
    assert tree.methods(path.encode()) == naive.methods(path)


@given(st.lists(st.tuples(METHODS, SIMPLE_ROUTES), max_size=12))
def test_the_first_claim_keeps_a_path_whatever_its_variables_are_called(
    claims: list[tuple[str, str]],
) -> None:
    numbered = [(method, parse_route(text), n) for n, (method, text) in enumerate(claims)]
    _, taken = build_routes(numbered)
    shapes = [(method, re.sub(r"\{.\}", "{}", text)) for method, text in claims]
    expected = [(shapes.index(shape), n) for n, shape in enumerate(shapes)]
    assert taken == [(first, n) for first, n in expected if first != n]


@given(st.binary(max_size=20), SIMPLE_ROUTES)
def test_any_bytes_are_a_path_or_a_value_error(path: bytes, text: str) -> None:
    routes = routes_of(("GET", text))
    try:
        found = routes.find("GET", b"/" + path)
    except ValueError:
        with pytest.raises(ValueError, match=r"UTF-8|hexadecimal"):
            routes.methods(b"/" + path)
        return
    assert ("GET" in routes.methods(b"/" + path)) == (found is not None)
    assert routes.find("GET", path) is None or path.startswith(b"/")


@given(st.text(string.ascii_letters + "{}/-. ", max_size=20))
def test_any_text_is_a_route_or_a_clear_error(text: str) -> None:
    try:
        route = parse_route(text)
    except RouteSyntaxError as refused:
        error = str(refused)
    else:
        assert all(name and name == name.strip() and name in text for name in route.names)
        return
    assert text in error
    assert " - " in error


def test_exact_segments_come_before_variables_and_are_given_up_when_they_lead_nowhere() -> None:
    routes = routes_of(("GET", "/a/{x}/c"), ("GET", "/a/b/d"), ("GET", "/{p}/{q}/e"))
    assert routes.find("GET", b"/a/b/d") == (("GET", "/a/b/d"), {})
    assert routes.find("GET", b"/a/b/c") == (("GET", "/a/{x}/c"), {"x": "b"})
    assert routes.find("GET", b"/a/b/e") == (("GET", "/{p}/{q}/e"), {"p": "a", "q": "b"})
    assert routes.find("GET", b"/a/b/f") is None


def test_a_file_that_adds_a_method_takes_none_away() -> None:
    routes = routes_of(("GET", "/orders/{id}"), ("POST", "/orders/search"))
    assert routes.find("GET", b"/orders/search") == (("GET", "/orders/{id}"), {"id": "search"})
    assert routes.methods(b"/orders/search") == ["GET", "POST"]


def test_a_trailing_slash_is_forgiven_unless_another_route_has_it() -> None:
    routes = routes_of(("GET", "/a"), ("GET", "/a/"), ("GET", "/b"), ("GET", "/c/"), ("GET", "/"))
    assert routes.find("GET", b"/a/") == (("GET", "/a/"), {})
    assert routes.find("GET", b"/a") == (("GET", "/a"), {})
    assert routes.find("GET", b"/b/") == (("GET", "/b"), {})
    assert routes.find("GET", b"/c") == (("GET", "/c/"), {})
    assert routes.find("GET", b"/") == (("GET", "/"), {})
    for path in (b"//", b"/b//", b"/a//", b"//b", b"*", b""):
        assert routes.find("GET", path) is None


def test_an_encoded_slash_parts_no_segments() -> None:
    routes = routes_of(("GET", "/a%2Fb"), ("POST", "/a/b"), ("GET", "/{x}/c"), ("GET", "/50%25/d"))
    assert routes.find("GET", b"/a%2Fb") == (("GET", "/a%2Fb"), {})
    assert routes.find("GET", b"/a%2fb") == (("GET", "/a%2Fb"), {})
    assert routes.find("GET", b"/a/b") is None
    assert routes.find("POST", b"/a%2Fb") is None
    assert routes.find("GET", b"/50%25/d") == (("GET", "/50%25/d"), {})
    with pytest.raises(ValueError, match="%"):
        routes.find("GET", b"/50%/d")


def test_a_variable_is_never_empty() -> None:
    routes = routes_of(("GET", "/a/{x}"), ("GET", "/b/{x}.json"), ("GET", "/c/{x}-{y}"))
    for path in (b"/a/", b"/a", b"/b/.json", b"/c/-1", b"/c/1-", b"/c/-"):
        assert routes.find("GET", path) is None
    assert routes.find("GET", b"/c/--1") == (("GET", "/c/{x}-{y}"), {"x": "-", "y": "1"})


def test_text_around_a_variable_is_found_encoded_or_not() -> None:
    routes = routes_of(("POST", "/o/{id}:cancel"), ("GET", "/o/{a}:{b}"))
    assert routes.find("POST", b"/o/7:cancel") == (("POST", "/o/{id}:cancel"), {"id": "7"})
    assert routes.find("POST", b"/o/7%3acancel") == (("POST", "/o/{id}:cancel"), {"id": "7"})
    assert routes.find("POST", b"/o/7%3Acancel:cancel") == (
        ("POST", "/o/{id}:cancel"),
        {"id": "7:cancel"},
    )
    assert routes.find("GET", b"/o/x%3Ay:z") == (("GET", "/o/{a}:{b}"), {"a": "x:y", "b": "z"})


def test_the_longest_text_around_a_variable_wins() -> None:
    routes = routes_of(
        ("GET", "/{x}"), ("GET", "/{x}.json"), ("GET", "/{x}.min.json"), ("GET", "/v{x}")
    )
    assert routes.find("GET", b"/v.min.json") == (("GET", "/{x}.min.json"), {"x": "v"})
    assert routes.find("GET", b"/v1.json") == (("GET", "/{x}.json"), {"x": "v1"})
    assert routes.find("GET", b"/v1") == (("GET", "/v{x}"), {"x": "1"})
    assert routes.find("GET", b"/w1") == (("GET", "/{x}"), {"x": "w1"})


@pytest.mark.parametrize("text", ["/a/{x", "/a/x}", "/a/{}", "/{x}{y}", "/{a/b}", "/{x}}", "/{{x}"])
def test_a_route_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(RouteSyntaxError, match="route"):
        parse_route(text)


def test_a_hostile_path_costs_no_more_than_its_length() -> None:
    routes = routes_of(("GET", "/{a}-{b}-{c}-{d}-{e}x"), ("GET", "/a/{b}/c"))
    assert routes.find("GET", b"/" + b"-" * 1_000_000) is None
    assert routes.find("GET", b"/a" * 300_000) is None
    assert routes.methods(b"/" * 300_000) == []
