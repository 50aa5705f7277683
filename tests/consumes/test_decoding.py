"""Answers become exact values, or a failure that says what came instead."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.decoding import decode_answer
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.formats import JSON
from naftiko_runtime.json_values import JsonValue


def decoded(body: bytes, content_type: str | None = "application/json") -> JsonValue:
    headers = [] if content_type is None else [("content-type", content_type)]
    return decode_answer(UpstreamResponse(200, headers, body), JSON, operation="gateway.list")


def refused(body: bytes, content_type: str | None = "application/json") -> Failure:
    with pytest.raises(CallFailed) as caught:
        decoded(body, content_type)
    failure = caught.value.failure
    assert failure.kind is FailureKind.UPSTREAM_INVALID
    assert failure.executed
    assert failure.detail.startswith('"gateway.list": the upstream answered 200 with ')
    return failure


def test_numbers_are_exact() -> None:
    body = b'{"id": 12345678901234567890123, "price": 1.10}'
    assert decoded(body) == {"id": 12345678901234567890123, "price": Decimal("1.10")}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "application/problem+json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "text/plain",
        "application/json; charset=no-such-charset",
        "application/json; charset=base64",
        "application/json; charset=us-ascii",
        "application/json; charset=punycode",
        "application/json; charset=unicode_escape",
        "nonsense",
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_json_is_utf8_whatever_the_content_type(content_type: str | None, mark: bytes) -> None:
    assert decoded(mark + '{"a": "é€"}'.encode(), content_type) == {"a": "é€"}


@pytest.mark.parametrize("charset", ["iso-8859-1", "latin1", "windows-1252", "utf-16", "utf-16-le"])
def test_a_declared_charset_counts(charset: str) -> None:
    body = '{"a": "é"}'.encode(charset)
    assert decoded(body, f"application/json; Charset={charset}") == {"a": "é"}


def test_a_body_in_another_charset_than_declared_is_refused() -> None:
    detail = refused(b'{"a": "odd"', "application/json; charset=utf-16").detail
    assert "charset utf-16 that it declares" in detail


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>Log in</body></html>",
        b"\r\n  <html lang='en'>",
        b"<!-- cached -->\n<!-- again --><HTML>",
        b"<head><title>Login</title>",
    ],
)
def test_R6_an_html_page_is_called_one_and_hints_at_the_session(page: bytes) -> None:
    for content_type in ("text/html", "application/json", None):
        detail = refused(page, content_type).detail
        assert "an HTML page where JSON was expected" in detail
        assert "log in again" in detail


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_is_called_one(body: bytes) -> None:
    assert "an empty body where JSON was expected" in refused(body).detail


def test_other_bodies_are_named_by_their_type_and_what_is_wrong_with_them() -> None:
    detail = refused(b"Access Denied", "text/plain; charset=utf-8").detail
    assert "declared as text/plain" in detail
    assert "invalid character at line 1, column 1" in detail


def test_R7_a_refused_body_is_not_shown() -> None:
    for body in (b'{"token": "c4n4ry"', b"c4n4ry", b"<html>c4n4ry", b'["c4n4ry" c4n4ry]'):
        detail = refused(body, "text/c4n4ry c4n4ry").detail
        assert "c4n4ry" not in detail.replace("text/c4n4ry", "")


def test_R4_a_deep_answer_is_refused() -> None:
    assert "nested too deeply" in refused(b"[" * 1_000_000).detail


def test_O8_a_content_type_cannot_steer_a_terminal() -> None:
    assert refused(b"x", "text/\x1b[2Jplain").detail.isprintable()


@given(st.binary(max_size=100), st.text(max_size=30).map(lambda text: f"a/b; charset={text}"))
def test_any_answer_is_read_or_refused(body: bytes, content_type: str) -> None:
    with suppress(CallFailed):
        json.dumps(decoded(body, content_type), default=str)


def test_a_body_that_is_no_json_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"\w"):
        JSON.read(b"\xff\xfe\x00", None)


@pytest.mark.parametrize("comment", [b"<!---->", b"<!-- --> ", b"<!--", b"\n"])
def test_an_answer_of_comments_without_end_is_refused_as_any_other(comment: bytes) -> None:
    """A pattern that tries where each of them could end would never come to an end itself."""
    detail = refused(comment * 10_000 + b"x").detail
    assert "that is not JSON" in detail
