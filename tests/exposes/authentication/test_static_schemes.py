"""Bearer tokens, keys and passwords that are known in advance."""

from __future__ import annotations

import base64

import pytest

from tests.exposes.authentication.guarded import (
    BASIC,
    BEARER,
    HEADER_KEY,
    QUERY_KEY,
    TOKEN,
    USER,
    asking,
    basic,
    bearer,
    guarding,
    refused,
)
from tests.exposes.rest.plans import BODY, HEADER, QUERY, given, served, texts


def test_the_bearer_token_lets_a_caller_in() -> None:
    with guarding(BEARER) as listener:
        assert listener.get("/ships", bearer(TOKEN)).status == 200
        assert listener.get("/ships", {"Authorization": f"bEaReR   {TOKEN} "}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer(""),
        bearer("wrong"),
        bearer(TOKEN[:-1]),
        bearer(TOKEN + "x"),
        bearer(TOKEN.upper()),
        bearer(f"{TOKEN}, Bearer {TOKEN}"),
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"X-Authorization": f"Bearer {TOKEN}"},
        {"Cookie": f"Authorization=Bearer {TOKEN}"},
    ],
)
def test_anything_but_the_bearer_token_is_refused(headers: dict[str, str]) -> None:
    with guarding(BEARER) as listener:
        assert all(text.startswith("Bearer ") for text in refused(listener.get("/ships", headers)))
        assert listener.engine.calls == []


def test_a_wrong_token_is_told_from_none() -> None:
    with guarding(BEARER) as listener:
        assert "error" not in refused(listener.get("/ships"))[0]
        assert 'error="invalid_token"' in refused(listener.get("/ships", bearer("no")))[0]


def test_the_bearer_token_in_the_query_is_not_read() -> None:
    with guarding(BEARER) as listener:
        refused(listener.get(f"/ships?access_token={TOKEN}"))


def test_two_authorization_headers_are_refused_whatever_they_are() -> None:
    request = (
        f"GET /ships HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )
    with guarding(BEARER) as listener:
        assert listener.raw(request.encode()).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("password", ["secret", "with:colon", "ünïcødé ☃", " blank at ends "])
def test_user_name_and_password_let_a_caller_in(password: str) -> None:
    with guarding(asking("basic", username=USER, password=password)) as listener:
        assert listener.get("/ships", basic(USER, password)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(USER, "wrong"),
        basic("wrong", TOKEN),
        basic(USER, ""),
        basic("", TOKEN),
        basic(USER.upper(), TOKEN),
        basic(f"{USER}:{TOKEN}", ""),
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        bearer(TOKEN),
    ],
)
def test_any_other_user_or_password_is_refused(headers: dict[str, str]) -> None:
    with guarding(BASIC) as listener:
        assert refused(listener.get("/ships", headers)) == [
            'Basic realm="naftiko", charset="UTF-8"'
        ]


def test_a_refusal_does_not_say_whether_user_or_password_was_wrong() -> None:
    with guarding(BASIC) as listener:
        wrong_user = listener.get("/ships", basic("nobody", TOKEN))
        wrong_password = listener.get("/ships", basic(USER, "wrong"))
        assert wrong_user.body == wrong_password.body


def test_the_key_in_its_header_lets_a_caller_in() -> None:
    with guarding(HEADER_KEY) as listener:
        assert listener.get("/ships", {"x-dock-key": TOKEN}).status == 200


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/ships", {}),
        ("/ships", {"X-Dock-Key": "wrong"}),
        ("/ships", {"X-Dock-Key": ""}),
        ("/ships", {"X_Dock_Key": TOKEN}),
        ("/ships", bearer(TOKEN)),
        (f"/ships?X-Dock-Key={TOKEN}", {}),
    ],
)
def test_any_other_key_is_refused(target: str, headers: dict[str, str]) -> None:
    with guarding(HEADER_KEY) as listener:
        (challenge,) = refused(listener.get(target, headers))
        assert challenge == 'ApiKey realm="naftiko", in="header", name="X-Dock-Key"'


def test_the_key_in_the_query_lets_a_caller_in() -> None:
    with guarding(QUERY_KEY) as listener:
        assert listener.get(f"/ships?a=1&dock_key={TOKEN}&b=2").status == 200
        assert listener.get(f"/ships?dock%5Fkey={TOKEN.replace('-', '%2D')}").status == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        "dock_key",
        "dock_key=",
        "dock_key=wrong",
        f"Dock_Key={TOKEN}",
        f"dock-key={TOKEN}",
        f"dock_key={TOKEN}&dock_key=wrong",
        f"dock_key={TOKEN}&dock_key={TOKEN}",
        f"dock_key[]={TOKEN}",
    ],
)
def test_any_other_query_is_refused(query: str) -> None:
    with guarding(QUERY_KEY) as listener:
        refused(listener.get(f"/ships?{query}"))
        refused(listener.get(f"/ships?{query}", {"dock_key": TOKEN}))


def test_what_lets_a_caller_in_is_hidden_from_the_operation() -> None:
    """U2: an operation that reads the header, or passes it on, gets none."""
    reading = served("GET", "/ships", given("Authorization", HEADER), given("X-Other", HEADER))
    with guarding(BEARER, reading) as listener:
        answered = listener.get("/ships", bearer(TOKEN) | {"X-Other": "seen"})
        assert texts(answered.json()["found"]) == {"X-Other": "seen"}


def test_a_key_is_hidden_from_the_operation_in_any_spelling_of_its_input() -> None:
    reading = served("GET", "/ships", given("dockkey", QUERY), given("other", QUERY))
    with guarding(QUERY_KEY, reading) as listener:
        answered = listener.get(f"/ships?dock_key={TOKEN}&other=a%20b+c")
        assert texts(answered.json()["found"]) == {"other": "a b c"}
    reading = served("GET", "/ships", given("X_Dock_Key", HEADER))
    with guarding(HEADER_KEY, reading) as listener:
        assert listener.get("/ships", {"X-Dock-Key": TOKEN}).json()["found"] == {}


def test_the_body_of_a_caller_who_is_not_let_in_is_not_read() -> None:
    posting = served("POST", "/ships", given("name", BODY), body=True)
    with guarding(BEARER, posting) as listener:
        refused(listener.call("POST", "/ships", b"not json", {"content-type": "application/json"}))
        headers = bearer(TOKEN) | {"content-type": "application/json"}
        assert listener.call("POST", "/ships", b'{"name": "x"}', headers).status == 200
