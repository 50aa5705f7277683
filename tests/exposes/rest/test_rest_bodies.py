"""What request bodies the REST adapter takes, and how it refuses the others."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator

import pytest

from naftiko_runtime.exposes.rest.request_body import BODY_LIMIT
from naftiko_runtime.json_values import JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath import JsonPathBudgetExceeded
from tests.exposes.rest.listener import Listener, listening
from tests.exposes.rest.plans import BODY, given, served


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with listening(
        served("POST", "/orders", given("x", BODY), body=True),
        served("DELETE", "/orders", name="without body"),
    ) as running:
        yield running


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/vnd.api+json",
        "application/merge-patch+json ; q=1",
        None,
    ],
)
def test_json_is_taken_by_any_of_its_names_or_none(
    listener: Listener, media_type: str | None
) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    answered = listener.call("POST", "/orders", b'{"x": 1}', headers)
    assert answered.json()["body"] == '{"x": 1}'


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/json",
        "x+json",
        "text/plain; application/json",
    ],
)
def test_another_media_type_is_415_that_names_what_is_accepted(
    listener: Listener, media_type: str
) -> None:
    calls = len(listener.engine.calls)
    answered = listener.call("POST", "/orders", b'{"x": 1}', {"content-type": media_type})
    problem = answered.problem(415, "unsupported-media-type")
    assert media_type in problem["detail"]
    assert '"application/json"' in problem["detail"]
    assert '"+json"' in problem["detail"]
    assert len(listener.engine.calls) == calls


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "gzip, identity", "x-gzip"])
def test_t14_a_compressed_body_is_415_and_not_unpacked(listener: Listener, coding: str) -> None:
    bomb = gzip.compress(b"[" * 10_000_000)
    headers = {"content-type": "application/json", "content-encoding": coding}
    calls = len(listener.engine.calls)
    problem = listener.call("POST", "/orders", bomb, headers).problem(415, "unsupported-media-type")
    assert "without Content-Encoding" in problem["detail"]
    assert len(listener.engine.calls) == calls


def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_413(listener: Listener) -> None:
    most = b'"' + b"x" * (BODY_LIMIT - 2) + b'"'
    assert listener.post_json("/orders", most).status == 200
    calls = len(listener.engine.calls)
    problem = listener.post_json("/orders", most + b" ").problem(413, "body-too-large")
    assert str(BODY_LIMIT) in problem["detail"]
    assert len(listener.engine.calls) == calls


def test_an_announced_body_beyond_the_limit_is_refused_before_it_is_sent(
    listener: Listener,
) -> None:
    head = (
        b"POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Length: 999999999999999999\r\n\r\n"
    )
    assert listener.raw(head).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_first_is_not_told_to_send_a_body_that_is_too_large(
    listener: Listener,
) -> None:
    head = (
        b"POST /orders HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n"
    )
    for length, status in ((BODY_LIMIT + 1, b"413"), (2, b"100")):
        with listener.connection() as opened:
            opened.sendall(head % length)
            assert opened.recv(12) == b"HTTP/1.1 " + status


def test_t7_a_chunked_body_beyond_the_limit_is_413_while_it_still_comes(
    listener: Listener,
) -> None:
    chunk = b"10000\r\n" + b"1" * 0x10000 + b"\r\n"
    answered = threading.Event()
    with listener.connection() as opened:
        opened.sendall(
            b"POST /orders HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

        def keep_sending() -> None:
            while not answered.is_set():
                try:
                    opened.sendall(chunk)
                except OSError:
                    return

        sender = threading.Thread(target=keep_sending)
        sender.start()
        try:
            assert opened.recv(12) == b"HTTP/1.1 413"
        finally:
            answered.set()
            sender.join()


def test_chunks_are_joined(listener: Listener) -> None:
    chunks = iter([b'{"x"', b": [1,", b" 2]}"])
    answered = listener.call("POST", "/orders", chunks, {"content-type": "application/json"})
    assert answered.json()["body"] == '{"x": [1, 2]}'


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'x': 1}",
        b'{"x": NaN}',
        b'{"x": 1} {"x": 2}',
        b'{"x": "\\ud800"}',
        b"\xff\xfe{}",
        b'{"x": 01}',
        b"x=1",
        b" ",
    ],
)
def test_t6_a_body_that_is_not_json_is_400(listener: Listener, body: bytes) -> None:
    problem = listener.post_json("/orders", body).problem(400, "invalid-input")
    assert problem["field"] == "body"
    assert problem["detail"].startswith("the request body is not usable JSON: ")


def test_a_large_body_is_read_as_a_small_one(listener: Listener) -> None:
    body = '{"x": 1.10, "y": "' + "é" * 2**20 + '"}'
    assert listener.post_json("/orders", body).json()["body"] == body


def test_what_is_wrong_with_a_large_body_is_told_as_of_a_small_one(listener: Listener) -> None:
    told = [
        listener.post_json("/orders", '{"x": 1, "x": 2}' + " " * size).problem(400, "invalid-input")
        for size in (0, 2**20)
    ]
    assert told[0] == told[1]


def test_t6_a_key_given_twice_is_400(listener: Listener) -> None:
    problem = listener.post_json("/orders", '{"x": 1, "x": 2}').problem(400, "invalid-input")
    assert problem["field"] == "body"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 65 + b"]" * 65,
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"x": ' + b"9" * 3_000_000 + b"}",
    ],
    ids=["open brackets", "65 levels", "objects", "a number of 3 MB"],
)
def test_t7_a_body_that_costs_more_than_it_says_is_400(listener: Listener, body: bytes) -> None:
    listener.post_json("/orders", body).problem(400, "invalid-input")
    assert listener.post_json("/orders", b'{"x": 1}').status == 200


def test_t7_a_body_that_a_path_would_have_to_visit_for_ever_is_400() -> None:
    def never_ends(document: JsonValue) -> MaybeJson:
        raise JsonPathBudgetExceeded(1_000_000)

    deep = served("POST", "/deep", given("x", BODY, body_path=never_ends), body=True)
    with listening(deep) as listener:
        problem = listener.post_json("/deep", "{}").problem(400, "invalid-input")
    assert problem["field"] == "x"
    assert problem["detail"] == '"x": the request body is too large for its path'


def test_a_body_is_left_alone_by_an_operation_that_takes_none(listener: Listener) -> None:
    headers = {"content-type": "text/plain", "content-encoding": "gzip"}
    answered = listener.call("DELETE", "/orders", b"not JSON", headers)
    assert answered.json()["operation"] == "without body"
    assert "body" not in answered.json()
