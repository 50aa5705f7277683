"""Answers come through whole and decoded, and no answer can take more than its share."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from pathlib import Path

import pytest

from naftiko_runtime.failures import FailureKind
from tests.consumes.certificates import make_identity
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import Connection, Script, raw_upstream
from tests.consumes.requests import failing, request, secret_request

pytestmark = pytest.mark.anyio

MEBIBYTE = 2**20


def packed(data: bytes) -> bytes:
    """Compressed, without the time of day: test names hold these bytes."""
    return gzip.compress(data, mtime=0)


def always(raw: bytes) -> Script:
    """A script that sends the same bytes after each request."""

    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.say(raw)

    return script


def with_length(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def deflate_bare(data: bytes) -> bytes:
    return zlib.compress(data)[2:-4]


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 404, 429, 500, 503, 599])
async def test_any_status_is_an_answer(client: Opener, status: int) -> None:
    raw = b"HTTP/1.1 %d Whatever\r\nContent-Length: 2\r\nX-Y: \xe9\r\n\r\n{}" % status
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url))
    assert (answer.status, answer.body) == (status, b"{}")
    assert answer.header("x-y") == "\xe9"


async def test_a_chunked_answer_is_put_together(client: Opener) -> None:
    body = b'2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n'
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        assert (await upstreams.send(request(upstream.url))).body == b'{"a":1}'


async def test_an_answer_may_end_with_the_connection(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.0 200 OK\r\n\r\n[1]")

    async with raw_upstream(script) as upstream, client() as upstreams:
        assert (await upstreams.send(request(upstream.url))).body == b"[1]"


async def test_interim_answers_are_passed_over(client: Opener) -> None:
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + with_length(b"ok")
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        assert (await upstreams.send(request(upstream.url, "POST"))).body == b"ok"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_an_answer_without_body_is_empty(client: Opener, status: bytes) -> None:
    raw = b"HTTP/1.1 " + status + b"\r\nContent-Encoding: gzip\r\n\r\n"
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        assert (await upstreams.send(request(upstream.url))).body == b""


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        (b"gzip", packed),
        (b"x-gzip", packed),
        (b"GZIP", lambda data: packed(data[:9]) + packed(data[9:]) + b"\0\0"),
        (b"deflate", zlib.compress),
        (b"deflate", deflate_bare),
        (b"identity", bytes),
    ],
)
async def test_a_compressed_answer_is_decompressed(
    client: Opener, encoding: bytes, compress: object
) -> None:
    body = b'{"rows": [' + b"1, " * 100_000 + b"1]}"
    packed = compress(body)  # type: ignore[operator]
    raw = with_length(packed, b"Content-Encoding: " + encoding, b"X-Other: kept")
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        answer = await upstreams.send(request(upstream.url))
    assert answer.body == body
    assert answer.header("x-other") == "kept"
    if encoding != b"identity":
        assert answer.header("content-encoding") is None
        assert answer.header("content-length") is None


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        (b"gzip", b"not gzip", "damaged"),
        (b"gzip", packed(b"x" * 1000)[:-9], "cut short"),
        (b"gzip", packed(b"x" * 1000)[:-4] + b"oops", "damaged"),
        (b"deflate", zlib.compress(b"x" * 1000)[:-5], "cut short"),
        (b"deflate", b"x", "cut short"),
        (b"br", b"anything", "not asked for"),
        (b"gzip, gzip", packed(packed(b"{}")), "not asked for"),
    ],
)
async def test_R1_a_body_that_cannot_be_decompressed_is_no_answer(
    client: Opener, encoding: bytes, body: bytes, words: str
) -> None:
    raw = with_length(body, b"Content-Encoding: " + encoding)
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_INVALID
    assert failure.executed
    assert words in failure.detail


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("compress", [packed, zlib.compress])
async def test_R1_a_compression_bomb_stops_at_the_limit(
    client: Opener, compress: object, members: int
) -> None:
    encoding = b"gzip" if compress is packed else b"deflate"
    bomb = compress(bytes(64 * MEBIBYTE)) * members  # type: ignore[operator]
    raw = with_length(bomb, b"Content-Encoding: " + encoding)
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_TOO_LARGE
    assert "larger than 16 MiB" in failure.detail


async def test_R1_compressed_data_that_never_yields_anything_stops_at_the_limit(
    client: Opener,
) -> None:
    raw = with_length(packed(b"") * 1000, b"Content-Encoding: gzip")
    async with raw_upstream(always(raw)) as upstream, client(max_response_bytes=1000) as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_TOO_LARGE


async def test_the_limit_counts_decompressed_bytes_exactly(client: Opener) -> None:
    fits, exceeds = (
        with_length(packed(bytes(size)), b"Content-Encoding: gzip") for size in (5000, 5001)
    )
    async with client(max_response_bytes=5000) as upstreams:
        async with raw_upstream(always(fits)) as upstream:
            assert len((await upstreams.send(request(upstream.url))).body) == 5000
        async with raw_upstream(always(exceeds)) as upstream:
            failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_TOO_LARGE


@pytest.mark.parametrize("framing", [b"Content-Length: 104857600", b"Transfer-Encoding: chunked"])
async def test_R2_an_answer_of_100_mb_is_cut_off(client: Opener, framing: bytes) -> None:
    sent = 0

    async def script(connection: Connection) -> None:
        nonlocal sent
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        block = bytes(MEBIBYTE)
        if framing.endswith(b"chunked"):
            block = b"%x\r\n" % len(block) + block + b"\r\n"
        try:
            for _ in range(100):
                await connection.say(block)
                sent += 1
        finally:
            connection.upstream.left.set()

    async with raw_upstream(script) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url))
        await asyncio.wait_for(upstream.left.wait(), 20)
    assert failure.kind is FailureKind.UPSTREAM_TOO_LARGE
    assert failure.executed
    assert sent < 50


async def test_R2_huge_headers_are_refused(client: Opener) -> None:
    raw = b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400_000 + b"\r\nContent-Length: 0\r\n\r\n"
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN


@pytest.mark.parametrize(("count", "accepted"), [(255, True), (256, False)])
async def test_R2_too_many_headers_are_refused(client: Opener, count: int, accepted: bool) -> None:
    raw = with_length(b"{}", *[b"a: b"] * count)
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        if accepted:
            assert (await upstreams.send(request(upstream.url))).body == b"{}"
        else:
            failure = await failing(upstreams, secret_request(upstream.url))
            assert failure.kind is FailureKind.UPSTREAM_BROKEN
            assert "more than 256 headers" in failure.detail


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ],
)
async def test_R3_what_is_not_proper_http_is_no_answer(client: Opener, raw: bytes) -> None:
    async with raw_upstream(always(raw)) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url, "POST"))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert failure.executed


async def test_R3_an_answer_shorter_than_it_claims_is_broken(client: Opener) -> None:
    async def script(connection: Connection) -> None:
        await connection.request()
        await connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")

    async with raw_upstream(script) as upstream, client() as upstreams:
        failure = await failing(upstreams, secret_request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_BROKEN
    assert "in the middle of the answer" in failure.detail


STALE = with_length(b'"stale"')


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%02d"),
        ("POST", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n%02d\r\n0\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\nX-Number: %02d\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Number: %02d\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("excess", [STALE, b"}", b"HTTP/1.1 200 OK\r\n"])
async def test_R3_bytes_after_an_answer_never_become_the_next_answer(
    client: Opener, method: str, head: bytes, excess: bytes
) -> None:
    number = 0

    async def script(connection: Connection) -> None:
        nonlocal number
        while True:
            await connection.request()
            number += 1
            await connection.say(head % number + excess)

    async with raw_upstream(script) as upstream, client() as upstreams:
        for expected in (b"01", b"02", b"03"):
            answer = await upstreams.send(request(upstream.url, method))
            seen = answer.header("x-number") or answer.body.decode()
            assert seen.encode() == expected


READ_SIZE = 65536


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("size", [100, 16_384, READ_SIZE - 1, READ_SIZE, READ_SIZE + 1, 200_000])
async def test_R3_bytes_after_an_answer_are_found_wherever_they_wait(
    client: Opener, tmp_path: Path, secured: bool, pieces: int, size: int
) -> None:
    """`size` puts the end of the answer before, at and after the ends of TLS records and of the
    amounts read at once."""
    number = 0

    async def script(connection: Connection) -> None:
        nonlocal number
        while True:
            await connection.request()
            number += 1
            head = b"HTTP/1.1 200 OK\r\nX-Number: %d\r\nContent-Length: %06d\r\n\r\n"
            length = size - len(head % (number, 0))
            answer = head % (number, length) + bytes(length)
            if pieces == 1:
                await connection.say(answer + STALE)
            else:
                connection.writer.write(answer)
                await connection.say(STALE)

    tls = make_identity().server_context(tmp_path) if secured else None
    async with (
        raw_upstream(script, tls) as upstream,
        client(insecure=frozenset({"gateway"})) as upstreams,
    ):
        for expected in ("1", "2", "3"):
            answer = await upstreams.send(request(upstream.url))
            assert answer.header("x-number") == expected
