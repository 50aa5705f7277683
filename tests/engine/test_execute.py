"""One call from its inputs to its answer, with upstreams that only exist in the test."""

from __future__ import annotations

import json
from typing import Any

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure, FailureKind, fail
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.engine.fake_upstreams import FakeUpstreams, answering, response, run
from tests.loaded_calls import Given, LoadedCall, in_body, one_call, query

pytestmark = pytest.mark.anyio


async def test_an_identity_mapping_passes_the_bytes_through_unread() -> None:
    body = b'{ "price": 1.10,  "price": 2, "big": 12345678901234567890123 }\n'
    outcome = await run(one_call(), FakeUpstreams(response(body)))
    assert outcome == Answer(200, "application/json", body)


async def test_a_body_that_is_not_json_passes_too_where_no_format_is_declared() -> None:
    outcome = await run(one_call(), FakeUpstreams(response(b"<x/>", "application/xml")))
    assert outcome == Answer(200, "application/xml", b"<x/>")


MAPPED = one_call(
    outputs=[{"type": "object", "properties": {"id": {"type": "string", "mapping": "$.a.id"}}}]
)


async def test_a_mapping_makes_the_answer() -> None:
    outcome = await run(MAPPED, FakeUpstreams(answering({"a": {"id": 7}, "b": 1})))
    assert outcome == Answer(200, "application/json", b'{"id":"7"}', (), {"id": "7"})


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 503, 301, 304])
async def test_an_upstreams_status_passes_through_and_its_body_unmapped(status: int) -> None:
    outcome = await run(MAPPED, FakeUpstreams(answering({"error": "no"}, status)))
    assert outcome == Answer(status, "application/json", b'{"error": "no"}')


async def test_created_is_mapped_and_keeps_its_status() -> None:
    outcome = await run(MAPPED, FakeUpstreams(answering({"a": {"id": "7"}}, 201)))
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (201, b'{"id":"7"}')


@pytest.mark.parametrize("status", [200, 204])
async def test_an_empty_body_stays_empty(status: int) -> None:
    outcome = await run(MAPPED, FakeUpstreams(UpstreamResponse(status, (), b"")))
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (status, b"")


@pytest.mark.parametrize("body", [b"<html>login</html>", b"{", b"\xff\xfe", b"[1, 2,]"])
async def test_a_body_that_cannot_be_mapped_is_a_failure_after_the_call(body: bytes) -> None:
    outcome = await run(MAPPED, FakeUpstreams(response(body, "text/html")))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.UPSTREAM_INVALID
    assert outcome.executed
    assert "up.run" in outcome.detail


async def test_only_headers_that_callers_may_see_are_passed_on() -> None:
    upstreams = FakeUpstreams(
        response(
            b"{}",
            etag='"1"',
            retry_after="5",
            location="/x/7",
            set_cookie="session=canary",
            server="secret-server",
            transfer_encoding="chunked",
        )
    )
    outcome = await run(one_call(), upstreams)
    assert isinstance(outcome, Answer)
    assert outcome.headers == (("etag", '"1"'), ("retry-after", "5"), ("location", "/x/7"))


def with_secret(secret: str, **parts: Any) -> LoadedCall:
    return one_call(
        authentication={"type": "bearer", "token": "{{TOKEN}}"},
        binds=[{"namespace": "vault", "keys": {"TOKEN": "TOKEN"}}],
        variables={"TOKEN": secret},
        **parts,
    )


ECHO = {
    "outputs": [{"type": "object", "properties": {"x": {"type": "string", "mapping": "$.seen"}}}]
}


@pytest.mark.parametrize("parts", [{}, ECHO])
@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("secret", ["canary-5d1e9a77", 'can"ary\\5d/1e'])
async def test_r7_credentials_that_an_upstream_echoes_are_not_shown(
    parts: dict[str, Any], status: int, secret: str
) -> None:
    upstreams = FakeUpstreams(answering({"seen": f"your token is {secret}!"}, status))
    outcome = await run(with_secret(secret, **parts), upstreams)
    assert isinstance(outcome, Answer)
    shown = outcome.body.decode()
    assert secret not in shown
    (text,) = json.loads(shown).values()
    assert text == "your token is ***!"
    assert outcome.value is MISSING


async def test_r7_credentials_in_passed_headers_are_not_shown() -> None:
    secret = "canary-5d1e9a77"
    upstreams = FakeUpstreams(response(b"{}", location=f"https://up.example/?key={secret}"))
    outcome = await run(with_secret(secret), upstreams)
    assert isinstance(outcome, Answer)
    assert secret not in repr(outcome)


async def test_a_short_credential_does_not_spoil_answers() -> None:
    outcome = await run(with_secret("a"), FakeUpstreams(answering({"account": "abc"})))
    assert isinstance(outcome, Answer)
    assert json.loads(outcome.body) == {"account": "abc"}


@pytest.mark.parametrize(
    ("call", "values", "kind", "named"),
    [
        (
            one_call(parameters=[query("x", type="integer", required=True)]),
            {},
            FailureKind.INVALID_INPUT,
            "x",
        ),
        (
            one_call(parameters=[query("x", type="integer")]),
            {"x": "five"},
            FailureKind.INVALID_INPUT,
            "x",
        ),
        (one_call(path="/a/{x}"), {"x": ".."}, FailureKind.INVALID_INPUT, "x"),
        (
            one_call(
                authentication={"type": "bearer", "token": "{{TOKEN}}"},
                binds=[{"namespace": "v", "keys": {"TOKEN": "TOKEN"}}],
            ),
            {},
            FailureKind.UNSET_VARIABLE,
            "TOKEN",
        ),
    ],
)
async def test_a_call_that_cannot_be_made_calls_nobody(
    call: LoadedCall, values: dict[str, JsonValue], kind: FailureKind, named: str
) -> None:
    upstreams = FakeUpstreams()
    outcome = await run(call, upstreams, values)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.field, outcome.executed) == (kind, named, False)
    assert upstreams.requests == []


async def test_a_required_body_is_asked_for() -> None:
    call = one_call(method="POST", parameters=[in_body("order", type="object", required=True)])
    upstreams = FakeUpstreams()
    outcome = await execute(call.rest, Given({}, textual=True), upstreams)
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.INVALID_INPUT
    assert upstreams.requests == []


async def test_a_failure_of_the_exchange_is_the_outcome() -> None:
    def refuse(request: UpstreamRequest) -> UpstreamResponse:
        raise fail(FailureKind.UPSTREAM_TIMEOUT, "too slow", executed=True)

    outcome = await run(one_call(), FakeUpstreams(refuse))
    assert outcome == Failure(FailureKind.UPSTREAM_TIMEOUT, "too slow", None, True)


async def test_one_call_sends_one_request_whatever_its_status() -> None:
    for status in (200, 401, 429, 500, 502, 503):
        upstreams = FakeUpstreams(answering({}, status))
        await run(one_call(method="POST"), upstreams, body={"a": 1})
        assert len(upstreams.requests) == 1
