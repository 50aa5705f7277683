"""An upstream that nobody is logged in to any more, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from naftiko_runtime.binds import Secret
from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.streaming import HttpStreams
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.plan.logins import DigestLogin
from naftiko_runtime.settings.model import (
    NO_SETTINGS,
    Breaker,
    Pacing,
    Retries,
    RuntimeSettings,
    UpstreamRule,
)
from tests.consumes.conftest import Opener
from tests.consumes.requests import failing, request
from tests.recording_upstream import RecordingUpstream, Reply, reply_json

pytestmark = pytest.mark.anyio

LOGIN = "https://localhost:5000"
WITH_LOGIN = RuntimeSettings(upstreams=(UpstreamRule("gate*", login=LOGIN),))
PAGE = b"<!DOCTYPE html>\n<html><head><title>Login</title></head></html>"

LOST = {
    "401": Reply(401, body=b"Access Denied"),
    "302": Reply(302, [("location", "/sso/Login?forwardTo=22")]),
    "307": Reply(307, [("location", "https://elsewhere.example")]),
    "declared page": Reply(200, [("content-type", "Text/HTML; charset=utf-8")], b"log in"),
    "page declared as JSON": Reply(200, [("content-type", "application/json")], PAGE),
    "page without a type": Reply(200, [], b"  <!-- v2 --> <HTML><body>log in</body></HTML>"),
}
OTHERS = {
    "data": reply_json({"authenticated": False}),
    "text": Reply(200, [("content-type", "text/plain")], b"<ok>"),
    "xml": Reply(200, [("content-type", "text/xml")], b"<?xml version='1.0'?><order/>"),
    "nothing": Reply(204),
    "304": Reply(304),
    "403": Reply(403, [("content-type", "text/html")], PAGE),
    "500": Reply(500, [("content-type", "text/html")], PAGE),
}


@pytest.fixture
async def upstreams(client: Opener) -> AsyncIterator[HttpUpstreams]:
    async with client(timeout=10.0) as opened:
        yield opened


@pytest.fixture
async def streams(upstreams: HttpUpstreams, trust: TrustStore) -> AsyncIterator[HttpStreams]:
    settings = UpstreamSettings(trust=trust, timeout=10.0)
    opened = HttpStreams(settings, upstreams.send_as_is, upstreams.traffic)
    yield opened
    await opened.aclose()


@pytest.fixture
def recording() -> Iterator[RecordingUpstream]:
    with RecordingUpstream() as opened:
        yield opened


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST.keys())
async def test_lost_session_is_told_with_the_address_to_log_in_at(
    upstreams: HttpUpstreams, recording: RecordingUpstream, reply: Reply
) -> None:
    upstreams.adopt(WITH_LOGIN)
    recording.answers(reply)
    failure = await failing(upstreams, request(recording.url))
    assert failure.kind is FailureKind.SESSION_ENDED
    assert f"log in at {LOGIN}" in failure.detail
    assert failure.details == {"login": LOGIN}


@pytest.mark.parametrize("reply", OTHERS.values(), ids=OTHERS.keys())
async def test_other_answers_are_passed_on(
    upstreams: HttpUpstreams, recording: RecordingUpstream, reply: Reply
) -> None:
    upstreams.adopt(WITH_LOGIN)
    recording.answers(reply)
    answer = await upstreams.send(request(recording.url))
    assert (answer.status, answer.body) == (reply.status, reply.body)


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize(
    "settings", [NO_SETTINGS, replace(WITH_LOGIN, upstreams=(UpstreamRule("x", login=LOGIN),))]
)
async def test_nothing_changes_where_no_login_is_set(
    upstreams: HttpUpstreams, recording: RecordingUpstream, reply: Reply, settings: RuntimeSettings
) -> None:
    upstreams.adopt(settings)
    recording.answers(reply)
    assert (await upstreams.send(request(recording.url))).status == reply.status


@pytest.mark.parametrize(("kind", "executed"), [("401", False), ("302", True), ("307", True)])
async def test_only_a_401_says_that_nothing_was_done(
    upstreams: HttpUpstreams, recording: RecordingUpstream, kind: str, executed: bool
) -> None:
    upstreams.adopt(WITH_LOGIN)
    recording.answers(LOST[kind])
    failure = await failing(upstreams, request(recording.url, "POST", content=b"{}"))
    assert failure.executed == executed
    assert ("may have been carried out" in failure.detail) == executed
    assert len(recording.requests) == 1


async def test_lost_session_is_no_reason_to_repeat_or_to_leave_alone(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    rule = UpstreamRule(
        "*", login=LOGIN, retries=Retries(3, 0, 0), breaker=Breaker(1), pacing=Pacing(1000, 9)
    )
    upstreams.adopt(RuntimeSettings(upstreams=(rule,)))
    recording.answers(LOST["401"], LOST["302"], reply_json({}))
    for _ in range(2):
        failure = await failing(upstreams, request(recording.url))
        assert failure.kind is FailureKind.SESSION_ENDED
    assert (await upstreams.send(request(recording.url))).status == 200
    assert len(recording.requests) == 3


async def test_challenge_that_credentials_answer_is_no_lost_session(
    upstreams: HttpUpstreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(WITH_LOGIN)
    challenge = ("www-authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256')
    recording.answers(Reply(401, [challenge]), reply_json({}))
    sent = replace(request(recording.url), login=DigestLogin("user", Secret("password")))
    assert (await upstreams.send(sent)).status == 200
    assert recording.requests[1].header("authorization") is not None


@pytest.mark.parametrize("kind", ["401", "302", "declared page"])
async def test_lost_session_ends_what_is_streamed(
    upstreams: HttpUpstreams, streams: HttpStreams, recording: RecordingUpstream, kind: str
) -> None:
    upstreams.adopt(WITH_LOGIN)
    recording.answers(LOST[kind])
    with pytest.raises(CallFailed) as caught:
        async with streams.stream(request(recording.url), None):
            pass
    assert caught.value.failure.kind is FailureKind.SESSION_ENDED


async def test_what_is_streamed_keeps_to_the_pace_of_calls(
    upstreams: HttpUpstreams, streams: HttpStreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(RuntimeSettings(upstreams=(UpstreamRule("*", pacing=Pacing(0.001, 2, 0)),)))
    await upstreams.send(request(recording.url))
    async with streams.stream(request(recording.url), None) as response:
        assert response.status == 200
    for _ in range(2):
        with pytest.raises(CallFailed) as caught:
            async with streams.stream(request(recording.url), None):
                pass
        assert caught.value.failure.kind is FailureKind.TOO_MANY_CALLS
    assert len(recording.requests) == 2


async def test_what_is_streamed_opens_the_circuit_for_calls(
    upstreams: HttpUpstreams, streams: HttpStreams, recording: RecordingUpstream
) -> None:
    upstreams.adopt(RuntimeSettings(upstreams=(UpstreamRule("*", breaker=Breaker(2, 60)),)))
    recording.answers(Reply(503))
    for _ in range(2):
        async with streams.stream(request(recording.url), None) as response:
            assert response.status == 503
    assert (await failing(upstreams, request(recording.url))).kind is FailureKind.CIRCUIT_OPEN
