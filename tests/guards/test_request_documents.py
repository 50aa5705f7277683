"""The request as guards read it and as people are shown it."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.failures import CallFailed
from naftiko_runtime.guards.request_document import describe_request, document_of
from naftiko_runtime.plan.operation import UpstreamRequest

SECRET = "s3cret+/of ä person"


def request(
    url: str = "https://shop.example/v1/orders",
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
    content: bytes | None = b"{}",
    secrets: tuple[str, ...] = (),
) -> UpstreamRequest:
    return UpstreamRequest("shop", "shop.place", "POST", url, headers, content, secrets)


def test_a_document_holds_all_that_is_sent() -> None:
    document = document_of(
        request(
            "https://shop.example/v1/a%20b/c%2Fd?x=1&y=2&y=3&z=",
            (("Content-Type", "application/json"), ("X-Ship", "Ada"), ("x-ship", "Bob")),
            b'{"a": [1.10]}',
        ),
        {"ship": "Ada"},
    )
    assert document == {
        "method": "POST",
        "path": "/v1/a b/c/d",
        "query": {"x": "1", "y": ["2", "3"], "z": ""},
        "headers": {"content-type": "application/json", "x-ship": "Ada, Bob"},
        "body": {"a": [Decimal("1.10")]},
        "arguments": {"ship": "Ada"},
    }


@pytest.mark.parametrize(
    ("kind", "content", "body"),
    [
        ("application/x-www-form-urlencoded", b"a=1&b=2&b=3", {"a": "1", "b": ["2", "3"]}),
        ("application/x-www-form-urlencoded", b' {"a": 1}', {"a": 1}),
        ("text/plain", b'{"a": 1}', {"a": 1}),
        ("text/plain", b"a", "a"),
        ("application/json", b"\xff", "\ufffd"),
        ("application/json", None, None),
    ],
)
def test_bodies_are_read_as_an_upstream_might(
    kind: str, content: bytes | None, body: object
) -> None:
    asked = request(headers=(("content-type", kind),), content=content)
    assert document_of(asked, {})["body"] == body


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "A": 2}',
        b'{"a": 1, "a ": 2}',
        b'[{"b": {"a": 1, "\\u0061": 2}}]',
    ],
)
def test_a_body_that_can_be_read_in_two_ways_is_refused(content: bytes) -> None:
    with pytest.raises(CallFailed):
        document_of(request(content=content), {})


def test_people_are_shown_both_of_two_members_of_one_name() -> None:
    content = b'{"quantity": 1000, "quantity": 1}'
    assert describe_request(request(content=content))["body"] == content.decode()


def test_people_are_told_how_much_of_a_text_they_do_not_see() -> None:
    plain = (("Content-Type", "text/plain"),)
    shown = describe_request(request(headers=plain, content=b"x" * 20_000 + b"quantity=1000"))
    assert str(shown["body"]).endswith("x… and 13 more bytes")


def test_a_compressed_body_is_no_value() -> None:
    asked = request(headers=(("Content-Encoding", "gzip"),), content=b'{"a": 1}')
    assert document_of(asked, {})["body"] == '{"a": 1}'


@pytest.mark.parametrize(
    "asked",
    [
        request("https://shop.example/v1?key=" + quote(SECRET), secrets=(SECRET,)),
        request("https://shop.example/" + quote(SECRET, safe="") + "/x", secrets=(SECRET,)),
        request(headers=(("X-Key", f"Token {SECRET}"),), secrets=(SECRET,)),
        request(headers=(("Authorization", SECRET),)),
        request(headers=(("Cookie", f"session={SECRET}"),)),
        request(content=json.dumps({"login": {"key": SECRET}}).encode(), secrets=(SECRET,)),
        request(content=json.dumps({SECRET: 1}).encode(), secrets=(SECRET,)),
        request(content=f"key {SECRET}".encode(), secrets=(SECRET,)),
    ],
)
def test_credentials_are_masked_wherever_they_are(asked: UpstreamRequest) -> None:
    for document in (describe_request(asked), document_of(asked, {"given": SECRET[:3]})):
        shown = json.dumps(document, ensure_ascii=False)
        assert SECRET not in shown
        assert quote(SECRET) not in shown
        assert quote(SECRET, safe="") not in shown
        assert "***" in shown


def test_a_short_credential_is_masked_where_it_is_a_whole_value() -> None:
    asked = request("https://shop.example/v1?key=x1&a=x12", secrets=("x1",))
    assert describe_request(asked)["url"] == "https://shop.example/v1?key=***&a=x12"


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives_in_a_described_body(secret: str, before: str, after: str) -> None:
    text = json.dumps({"a": before + secret + after})
    described = describe_request(request(content=text.encode(), secrets=(secret,)))
    body = described["body"]
    assert isinstance(body, dict)
    left = str(body["a"]).replace("***", "\x00")
    assert secret not in left or secret in "***"
