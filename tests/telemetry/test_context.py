"""The trace of a request in headers: W3C Trace Context and B3."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.telemetry.context import (
    Propagation,
    SpanContext,
    read_b3,
    read_headers,
    read_w3c,
    write_headers,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"

hexadecimal = st.integers(1, 2**128 - 1).map(lambda number: f"{number:032x}")
contexts = st.builds(
    SpanContext,
    trace_id=hexadecimal,
    span_id=st.integers(1, 2**64 - 1).map(lambda number: f"{number:016x}"),
    sampled=st.booleans(),
    state=st.lists(
        st.builds(
            lambda key, value: f"{key}={value}",
            st.text(string.ascii_lowercase, min_size=1, max_size=8),
            st.text(string.ascii_letters + string.digits + "-:/", min_size=1, max_size=12),
        ),
        max_size=8,
    ).map(",".join),
)


@pytest.mark.parametrize(
    ("parent", "sampled"),
    [
        (PARENT, True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f" 00-{TRACE}-{SPAN}-01\t", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", True),
    ],
)
def test_a_traceparent_names_the_callers_span(parent: str, sampled: bool) -> None:
    assert read_w3c([parent]) == SpanContext(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [""],
        [PARENT, PARENT],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-01-more"],
        [f"00-{TRACE.upper()}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}"],
        [f"00-{TRACE}-{SPAN}-1"],
        [f"00-{TRACE}x-{SPAN}-01"],
        [f"0-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-01\r\nx-injected: 1"],
        ["00-" + "\u0661" * 32 + f"-{SPAN}-01"],
    ],
)
def test_a_traceparent_that_is_none_names_nothing(parents: list[str]) -> None:
    assert read_w3c(parents, ["a=1"]) is None


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        (["congo=t61rcWkgMzE"], "congo=t61rcWkgMzE"),
        (["a=1, b=2", "c=3"], "a=1,b=2,c=3"),
        (["a=1,,b=2, "], "a=1,b=2"),
        (["tenant@system=x"], "tenant@system=x"),
        (["A=1"], ""),
        (["a"], ""),
        (["a=1\r\nx-injected: 1"], ""),
        (["a=\x00"], ""),
        (["a=" + "v" * 600], ""),
        ([",".join(f"k{number}=v" for number in range(33))], ""),
    ],
)
def test_a_tracestate_is_passed_on_whole_or_not_at_all(states: list[str], kept: str) -> None:
    found = read_w3c([PARENT], states)
    assert found is not None
    assert found.state == kept


@given(contexts)
def test_what_is_written_is_read_again(context: SpanContext) -> None:
    headers = [
        (name.encode(), value.encode()) for name, value in write_headers(context, Propagation.W3C)
    ]
    assert read_headers(headers, Propagation.W3C) == context


@given(contexts)
def test_b3_carries_the_ids_and_the_decision(context: SpanContext) -> None:
    ((name, value),) = write_headers(context, Propagation.B3)
    assert name == "b3"
    assert read_b3({"b3": value}) == SpanContext(context.trace_id, context.span_id, context.sampled)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"b3": f"{TRACE}-{SPAN}-1-{SPAN}"}, SpanContext(TRACE, SPAN, True)),
        ({"b3": f"{TRACE}-{SPAN}-d"}, SpanContext(TRACE, SPAN, True)),
        ({"b3": f"{TRACE}-{SPAN}"}, SpanContext(TRACE, SPAN, True)),
        ({"b3": f"{SPAN}-{SPAN}-0"}, SpanContext("0" * 16 + SPAN, SPAN, False)),
        (
            {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "0"},
            SpanContext(TRACE, SPAN, False),
        ),
        (
            {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-flags": "1"},
            SpanContext(TRACE, SPAN, True),
        ),
        ({"b3": "0"}, None),
        ({"b3": f"{'0' * 32}-{SPAN}-1"}, None),
        ({"x-b3-traceid": TRACE}, None),
        ({}, None),
    ],
)
def test_b3_is_read_in_both_spellings(values: dict[str, str], expected: SpanContext | None) -> None:
    assert read_b3(values) == expected


def test_b3_counts_only_where_it_is_the_files_format() -> None:
    headers = [(b"traceparent", PARENT.encode()), (b"b3", f"{'1' * 32}-{SPAN}-1".encode())]
    w3c, b3 = (read_headers(headers, propagation) for propagation in Propagation)
    assert w3c is not None
    assert w3c.trace_id == TRACE
    assert b3 is not None
    assert b3.trace_id == "1" * 32
    assert read_headers(headers[:1], Propagation.B3) == w3c


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"traceparent", b"tracestate", b"b3", b"x-b3-traceid", b"x-b3-flags"]),
            st.binary(max_size=80),
        ),
        max_size=5,
    ),
    st.sampled_from(Propagation),
)
def test_headers_of_any_bytes_are_read_without_failing(
    headers: list[tuple[bytes, bytes]], propagation: Propagation
) -> None:
    found = read_headers(headers, propagation)
    if found is not None:
        written = write_headers(found, propagation)
        assert all(text.isascii() and text.isprintable() for pair in written for text in pair)
