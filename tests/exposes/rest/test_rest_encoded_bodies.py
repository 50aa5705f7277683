"""Compressed request bodies: the upstream's business where an operation passes Content-Encoding
on."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from tests.loaded_calls import header, in_body, one_call_text, query
from tests.recording_upstream import RecordingUpstream, reply_json
from tests.served_files import ServedFiles, served

CODING = header("Content-Encoding", type="string")
BODY = in_body("body", type="object", required=True)
COMPRESSED = gzip.compress(b'{"x": 1}')
HEADERS = {"content-type": "application/json", "content-encoding": "gzip"}


@pytest.fixture
def files(upstream: RecordingUpstream) -> Iterator[ServedFiles]:
    text = one_call_text(
        method="POST", base_uri=upstream.url, parameters=[CODING, BODY, query("limit")]
    )
    upstream.answers(reply_json({"ok": True}))
    with served(text) as running:
        yield running


def test_the_bytes_and_the_header_go_upstream_as_they_came(
    files: ServedFiles, upstream: RecordingUpstream
) -> None:
    answered = files.call("POST", "/run?limit=3", COMPRESSED, HEADERS)
    assert answered.status == 200, answered.body
    (request,) = upstream.requests
    assert request.body == COMPRESSED
    assert request.all("content-encoding") == ["gzip"]
    assert request.target == "/things?limit=3"


def test_a_body_that_is_not_compressed_is_still_read_as_json(
    files: ServedFiles, upstream: RecordingUpstream
) -> None:
    assert files.post("/run", {"x": 1}).status == 200
    assert upstream.requests[0].header("content-encoding") is None
    headers = {"content-type": "application/json", "content-encoding": "identity"}
    assert files.call("POST", "/run", b"{", headers).status == 400
    assert files.call("POST", "/run", b"", HEADERS).status == 400
    assert len(upstream.requests) == 1


def test_a_body_whose_fields_are_read_cannot_be_compressed(upstream: RecordingUpstream) -> None:
    fields = [in_body("x", type="integer"), in_body("y", type="integer")]
    text = one_call_text(method="POST", base_uri=upstream.url, parameters=[CODING, *fields])
    with served(text) as files:
        assert files.call("POST", "/run", COMPRESSED, HEADERS).status == 415
    assert upstream.requests == []


def test_an_operation_that_does_not_pass_the_header_on_takes_no_compressed_body(
    upstream: RecordingUpstream,
) -> None:
    with served(one_call_text(method="POST", base_uri=upstream.url, parameters=[BODY])) as files:
        assert files.call("POST", "/run", COMPRESSED, HEADERS).status == 415
    assert upstream.requests == []
