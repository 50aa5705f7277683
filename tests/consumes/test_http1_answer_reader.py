"""However an answer is cut into pieces on its way, it is read as what it is; h11 is the reference
for what that is."""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import h11
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from naftiko_runtime.consumes.http1.answer import MAX_HEAD_BYTES, AnswerReader
from naftiko_runtime.consumes.http1.endings import UnusableAnswer
from naftiko_runtime.consumes.messages import UpstreamResponse

LIMIT = 2**20

Read = tuple[int, list[tuple[str, str]], bytes]

bodies = st.binary(max_size=300)
tokens = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
values = st.from_regex(r"([!-~\x80-\xff]([ -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?", fullmatch=True)
plain_headers = st.lists(
    st.tuples(tokens.map(lambda name: f"X-{name}"), values).map(
        lambda pair: f"{pair[0]}: {pair[1]}".encode("latin-1")
    ),
    max_size=5,
)
statuses = st.sampled_from([200, 201, 206, 301, 400, 404, 500, 503])


@st.composite
def chunked(draw: st.DrawFn) -> bytes:
    pieces = draw(st.lists(bodies.filter(len), max_size=5))
    extension = draw(st.sampled_from([b"", b";a", b';a=b;c="d"', b" "]))
    trailers = draw(st.sampled_from([b"", b"X-T: 1\r\n", b"X-T: 1\r\nX-U: 2\r\n"]))
    chunks = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A whole answer with interim ones before it; one without a length ends with the connection."""
    interim = draw(st.lists(st.sampled_from([100, 102, 103]), max_size=2))
    start = b"".join(b"HTTP/1.1 %d Soon\r\nX-I: 1\r\n\r\n" % status for status in interim)
    lines = [b"HTTP/1.1 %d Some Reason" % draw(statuses), *draw(plain_headers)]
    kind = draw(st.sampled_from(["length", "chunked", "close"]))
    if kind == "length":
        body = draw(bodies)
        lines.append(b"Content-Length: %d" % len(body))
    elif kind == "chunked":
        body = draw(chunked())
        lines.append(b"Transfer-Encoding: chunked")
    else:
        body = draw(bodies)
    return start + b"\r\n".join(lines) + b"\r\n\r\n" + body


def has_length(data: bytes) -> bool:
    """Whether an answer of `answers` says where it ends."""
    return b"\r\nContent-Length: " in data or b"\r\nTransfer-Encoding: " in data


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(ends)]


def read_by_reference(data: bytes) -> Read:
    reference = h11.Connection(h11.CLIENT)
    reference.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    reference.send(h11.EndOfMessage())
    reference.receive_data(data)
    reference.receive_data(b"")
    body = b""
    found: h11.Response | None = None
    while True:
        event = reference.next_event()
        if isinstance(event, h11.Response):
            found = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert found is not None
            headers = [(k.decode(), v.decode("latin-1")) for k, v in found.headers]
            return found.status_code, headers, body


def read(pieces: Sequence[bytes], *, is_head: bool = False) -> UpstreamResponse | None:
    reader = AnswerReader()
    reader.begin(LIMIT, is_head=is_head)
    for piece in pieces:
        reader.feed(piece)
    reader.feed_end()
    return reader.response() if reader.complete else None


@given(answers(), st.lists(st.integers(0, 10_000), max_size=8))
def test_an_answer_is_read_as_the_reference_reads_it_however_it_is_cut(
    data: bytes, places: list[int]
) -> None:
    answer = read(cut(data, places))
    assert answer is not None
    assert (answer.status, list(answer.headers), answer.body) == read_by_reference(data)


@given(answers(), st.lists(st.integers(0, 10_000), max_size=3), st.data())
def test_a_part_of_an_answer_is_never_taken_for_the_whole(
    data: bytes, places: list[int], draw: st.DataObject
) -> None:
    part = data[: draw.draw(st.integers(0, len(data) - 1))]
    answer = read(cut(part, places))
    if has_length(data):
        assert answer is None
    elif answer is not None:
        assert read_by_reference(data)[2].startswith(answer.body)


@given(st.binary(max_size=400) | answers().flatmap(lambda a: st.permutations(list(a)).map(bytes)))
def test_anything_else_is_refused_or_incomplete(data: bytes) -> None:
    try:
        answer = read([data])
    except UnusableAnswer:
        return
    assert answer is None or data.startswith(b"HTTP/1.")


@given(answers(), answers())
def test_what_comes_after_an_answer_is_noticed(first: bytes, second: bytes) -> None:
    assume(has_length(first))
    reader = AnswerReader()
    reader.begin(LIMIT, is_head=False)
    reader.feed(first)
    assert reader.complete
    assert not reader.excess
    reader = AnswerReader()
    reader.begin(LIMIT, is_head=False)
    reader.feed(first + second)
    assert reader.complete
    assert reader.excess
    answer = reader.response()
    assert (answer.status, list(answer.headers), answer.body) == read_by_reference(first)


@given(answers(), answers())
def test_one_reader_reads_one_answer_after_the_other(first: bytes, second: bytes) -> None:
    reader = AnswerReader()
    for data in (first, second):
        reader.begin(LIMIT, is_head=False)
        reader.feed(data)
        if not reader.complete:
            return
        answer = reader.response()
        assert (answer.status, list(answer.headers), answer.body) == read_by_reference(data)


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 9\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b""],
)
def test_an_answer_to_HEAD_ends_with_its_head(headers: bytes) -> None:
    answer = read([b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n"], is_head=True)
    assert answer is not None
    assert answer.body == b""


@pytest.mark.parametrize(
    ("lines", "stays"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_an_answer_says_whether_its_connection_stays(lines: bytes, stays: bool) -> None:
    reader = AnswerReader()
    reader.begin(LIMIT, is_head=False)
    reader.feed(lines + b"Content-Length: 2\r\n\r\n{}")
    assert reader.complete
    assert reader.keep_alive is stays


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"timeout=5", 5),
        (b"timeout=5, max=100", 5),
        (b"max=100, Timeout = 7", 7),
        (b"max=3", None),
        (b"mytimeout=3", None),
        (b"timeout=x", None),
    ],
)
def test_an_answer_says_how_long_its_connection_stays(value: bytes, seconds: int | None) -> None:
    reader = AnswerReader()
    reader.begin(LIMIT, is_head=False)
    reader.feed(b"HTTP/1.1 204 No\r\nKeep-Alive: " + value + b"\r\n\r\n")
    assert reader.idle_seconds == seconds


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"X: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X : a\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
        HEAD + b": a\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 1, 1\r\n\r\na",
        HEAD + b"Content-Length: 0x1\r\n\r\na",
        HEAD + b"Content-Length: 99999999999999999999\r\n\r\na",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\na",
        HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\na",
        HEAD + b"Transfer-Encoding: identity\r\n\r\na",
        CHUNKED + b"fffffffffffffffff\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
        b"\r\n" + HEAD + b"Content-Length: 0\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 2000 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nContent-Length: 2\r\n\r\nhi",
    ],
)
@pytest.mark.parametrize("step", [1, 10_000])
def test_R3_an_answer_that_could_be_read_in_two_ways_is_refused(data: bytes, step: int) -> None:
    with pytest.raises(UnusableAnswer):
        read([data[at : at + step] for at in range(0, len(data), step)])


def test_lines_may_end_in_a_line_feed_alone() -> None:
    answer = read([b"HTTP/1.1 200 OK\nX: a\nContent-Length: 2\n\n{}"])
    assert answer is not None
    assert (answer.headers, answer.body) == ([("x", "a"), ("content-length", "2")], b"{}")


@pytest.mark.parametrize(
    ("before", "filler"),
    [
        (HEAD, b"X: " + b"a" * 1000),
        (HEAD + b"X: ", b"a" * 1000),
        (CHUNKED + b"1;", b"a" * 1000),
        (CHUNKED + b"0\r\nX: ", b"a" * 1000),
        (CHUNKED + b"0\r\n", b"X: b\r\n" * 100),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40),
    ],
)
def test_R2_what_is_no_part_of_a_body_is_bounded(before: bytes, filler: bytes) -> None:
    reader = AnswerReader()
    reader.begin(LIMIT, is_head=False)
    if before:
        reader.feed(before)
    fillers = [filler] * (2 * MAX_HEAD_BYTES // len(filler))
    with pytest.raises(UnusableAnswer):
        deque(map(reader.feed, fillers), maxlen=0)


def test_R1_a_body_in_the_smallest_chunks_is_put_together() -> None:
    body = bytes(range(256)) * 40
    answer = read([CHUNKED, *[b"1\r\n%c\r\n" % byte for byte in body], b"0\r\n\r\n"])
    assert answer is not None
    assert answer.body == body


@given(st.binary(max_size=2000), st.lists(st.integers(0, 10_000), max_size=8))
def test_a_compressed_body_is_the_same_however_it_is_cut(body: bytes, places: list[int]) -> None:
    packed = gzip.compress(body)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    answer = read(cut(head + packed, places))
    assert answer is not None
    assert answer.body == body


def test_an_answer_that_was_taken_is_not_kept_for_as_long_as_its_connection_is_idle() -> None:
    reader = AnswerReader()
    reader.begin(1000, is_head=False)
    reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody")
    assert reader.response().body == b"body"
    assert reader.take() == []
