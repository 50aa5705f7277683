"""A request's head says what it was given to say, and cannot be made to say more."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.http1.endings import Unsendable
from naftiko_runtime.consumes.http1.request_head import write_head

names = st.sampled_from(["X-A", "accept", "Host", "User-Agent", "Content-Length"]) | st.text(
    max_size=12
)
pairs = st.lists(st.tuples(names, st.text(max_size=20)), max_size=6)
targets = st.text(st.characters(max_codepoint=0xFF), max_size=20).map(lambda text: f"/{text}")


def read_by_reference(head: bytes) -> h11.Request:
    reference = h11.Connection(h11.SERVER)
    reference.receive_data(head)
    request = reference.next_event()
    assert isinstance(request, h11.Request)
    return request


@given(st.sampled_from(["GET", "POST", "PURGE", "get", "a b", ""]), targets, pairs, st.integers(0))
def test_a_head_says_what_was_given_or_is_not_written(
    method: str, target: str, headers: list[tuple[str, str]], length: int
) -> None:
    try:
        head = write_head(method, target.encode("latin-1"), "host:1", headers, length)
    except Unsendable:
        return
    assert head.count(b"\r\n\r\n") == 1
    lines = head[:-4].split(b"\r\n")
    assert lines[0] == f"{method} {target} HTTP/1.1".encode()
    seen = [tuple(line.split(b": ", 1)) for line in lines[1:]]
    kept = [(n, v) for n, v in headers if n.lower() not in ("content-length", "transfer-encoding")]
    start = 0 if any(name.lower() == "host" for name, _ in kept) else 1
    assert seen[start : start + len(kept)] == [(n.encode(), v.encode("latin-1")) for n, v in kept]
    framing = [value for name, value in seen if name.lower() == b"content-length"]
    expected = [str(length).encode()] if length or method == "POST" else []
    assert framing == expected


@given(pairs, targets)
def test_what_is_written_is_what_the_reference_reads(
    headers: list[tuple[str, str]], target: str
) -> None:
    headers = [pair for pair in headers if pair[0].lower() not in ("host", "content-length")]
    try:
        head = write_head("POST", target.encode("latin-1"), "host:1", headers, 7)
    except Unsendable:
        return
    request = read_by_reference(head)
    seen = [(name, value) for name, value in request.headers]
    given_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    assert request.target == target.encode()
    assert seen[0] == (b"host", b"host:1")
    assert seen[1 : 1 + len(given_headers)] == given_headers
    names = [name for name, _ in seen]
    assert {b"user-agent", b"accept", b"accept-encoding"} <= set(names)
    assert seen[-1] == (b"content-length", b"7")


@pytest.mark.parametrize("value", ["", "a b", "a\tb", '"é"', "x" * 10_000])
def test_a_value_without_control_characters_is_written(value: str) -> None:
    head = write_head("GET", b"/", "h", [("X", value)], 0)
    assert f"\r\nX: {value}\r\n".encode("latin-1") in head


@pytest.mark.parametrize(
    "char", [*map(chr, range(9)), *map(chr, range(10, 32)), "\x7f", "\u0100", "\ud800"]
)
def test_A3_a_control_character_is_not_written(char: str) -> None:
    for name, value in [("X", f"a{char}b"), (f"X{char}", "a"), ("X", char)]:
        with pytest.raises(Unsendable):
            write_head("GET", b"/", "h", [(name, value)], 0)
    with pytest.raises(Unsendable):
        write_head("GET", b"/" + char.encode("utf-8", "replace") + b" ", "h", [], 0)
    with pytest.raises(Unsendable):
        write_head(f"G{char}", b"/", "h", [], 0)


@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\t", " "])
def test_blanks_at_the_ends_of_a_value_are_not_written(value: str) -> None:
    with pytest.raises(Unsendable):
        write_head("GET", b"/", "h", [("X", value)], 0)
