"""OAuth 2 client credentials towards upstreams, with an issuer that counts what it is asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.credentials.client_tokens import ClientTokens
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.plan.logins import ClientLogin
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.consumes.conftest import Opener
from tests.issuer import Issuer
from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json

pytestmark = pytest.mark.anyio

CHALLENGE = ("WWW-Authenticate", 'Bearer realm="ships", error="invalid_token"')


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
def ships(upstream: RecordingUpstream) -> RecordingUpstream:
    """An upstream that tells which token it was called with."""
    upstream.answers(lambda request: reply_json({"ok": True}))
    return upstream


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def login_at(server: Issuer, **changes: object) -> ClientLogin:
    login = ClientLogin(
        issuer=server.url,
        token_endpoint="",
        client_id="us",
        client_secret=Secret("pw"),
        scopes=("ships:read", "ships:write"),
        audience="",
        resource="https://ships.example.com",
    )
    return replace(login, **changes)  # type: ignore[arg-type]


def asking(
    upstream: RecordingUpstream, login: ClientLogin, method: str = "GET", target: str = "/ships"
) -> UpstreamRequest:
    content = b'{"x": 1}' if method == "POST" else None
    url = upstream.url + target
    return UpstreamRequest("ships", "ships.list", method, url, (), content, (), login)


def tokens(upstream: RecordingUpstream) -> list[str]:
    """The numbers of the tokens that it was called with."""
    values = [request.header("authorization") or "" for request in upstream.requests]
    return [value.removeprefix("Bearer token-").removesuffix("-of-the-issuer") for value in values]


async def failure_of(upstreams: HttpUpstreams, request: UpstreamRequest) -> Failure:
    with pytest.raises(CallFailed) as caught:
        await upstreams.send(request)
    assert "pw" not in caught.value.failure.detail.split()
    return caught.value.failure


async def test_a_token_is_fetched_once_and_used_for_all_calls(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    async with client() as upstreams:
        for method in ("GET", "POST", "DELETE"):
            answer = await upstreams.send(asking(ships, login_at(issuer), method))
            assert answer.status == 200
    assert tokens(ships) == ["1", "1", "1"]
    assert issuer.asked("/token") == [
        {
            "grant_type": "client_credentials",
            "scope": "ships:read ships:write",
            "resource": "https://ships.example.com",
        }
    ]


async def test_calls_at_the_same_time_wait_for_one_token(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    issuer.hold = threading.Event()
    async with client() as upstreams:
        calls = [
            asyncio.create_task(upstreams.send(asking(ships, login_at(issuer), method)))
            for method in ["GET", "POST"] * 20
        ]
        while issuer.fetched("/token") == 0:
            await asyncio.sleep(0.01)
        assert ships.requests == []
        issuer.hold.set()
        assert {(await call).status for call in calls} == {200}
    assert issuer.fetched("/token") == 1
    assert set(tokens(ships)) == {"1"}


async def test_who_hangs_up_does_not_take_the_token_from_the_others(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    issuer.hold = threading.Event()
    async with client() as upstreams:
        first = asyncio.create_task(upstreams.send(asking(ships, login_at(issuer))))
        while issuer.fetched("/token") == 0:
            await asyncio.sleep(0.01)
        second = asyncio.create_task(upstreams.send(asking(ships, login_at(issuer))))
        first.cancel()
        await asyncio.wait([first])
        issuer.hold.set()
        assert (await second).status == 200
    assert issuer.fetched("/token") == 1


async def test_the_file_s_token_endpoint_needs_no_metadata(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    login = login_at(issuer, token_endpoint=f"{issuer.url}/token", issuer="https://nowhere.invalid")
    async with client() as upstreams:
        assert (await upstreams.send(asking(ships, login))).status == 200
    assert [request.path for request in issuer.requests] == ["/token"]


async def test_metadata_are_found_where_openid_connect_has_them(
    client: Opener, ships: RecordingUpstream
) -> None:
    with Issuer(path="/realms/harbour") as issuer:
        known = issuer.pages.pop("/.well-known/oauth-authorization-server/realms/harbour")
        issuer.pages["/realms/harbour/.well-known/openid-configuration"] = known
        async with client() as upstreams:
            assert (await upstreams.send(asking(ships, login_at(issuer)))).status == 200


async def test_an_audience_goes_in_place_of_the_resource(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    login = login_at(issuer, audience="ships-api", scopes=())
    async with client() as upstreams:
        await upstreams.send(asking(ships, login))
    (form,) = issuer.asked("/token")
    assert form == {"grant_type": "client_credentials", "audience": "ships-api"}


async def test_client_and_secret_are_encoded_before_they_are_joined(
    client: Opener, ships: RecordingUpstream
) -> None:
    """RFC 6749, section 2.3.1."""
    with Issuer(client="u+s%3A:p%26w+%25") as issuer:
        login = login_at(issuer, client_id="u s:", client_secret=Secret("p&w %"))
        async with client() as upstreams:
            assert (await upstreams.send(asking(ships, login))).status == 200


async def test_a_server_that_takes_secrets_in_the_body_only_gets_them_there(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    page = issuer.metadata() | {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    issuer.pages["/.well-known/oauth-authorization-server"] = lambda _: reply_json(page)
    async with client() as upstreams:
        assert (await upstreams.send(asking(ships, login_at(issuer)))).status == 200
    (form,) = issuer.asked("/token")
    assert (form["client_id"], form["client_secret"]) == ("us", "pw")


async def test_each_login_has_a_token_of_its_own(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    async with client() as upstreams:
        for scopes in (("a",), ("b",), ("a",)):
            await upstreams.send(asking(ships, login_at(issuer, scopes=scopes)))
    assert tokens(ships) == ["1", "2", "1"]


async def test_another_origin_gets_a_token_of_its_own(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    with RecordingUpstream() as other:
        async with client() as upstreams:
            await upstreams.send(asking(ships, login_at(issuer)))
            await upstreams.send(asking(other, login_at(issuer)))
        assert (tokens(ships), tokens(other)) == (["1"], ["2"])


async def test_a_token_is_renewed_before_it_ends_and_nobody_waits_for_it(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    clock = Clock()
    issuer.lifetime = 100
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        request = asking(ships, login_at(issuer))
        await logins.send(request)
        clock.now += 89
        await logins.send(request)
        assert issuer.fetched("/token") == 1
        clock.now += 2
        issuer.hold = threading.Event()
        await asyncio.gather(*(logins.send(request) for _ in range(5)))
        assert tokens(ships) == ["1"] * 7
        issuer.hold.set()
        while issuer.fetched("/token") < 2 or tokens(ships)[-1] != "2":
            await asyncio.sleep(0.01)
            await logins.send(request)
        await logins.aclose()
    assert issuer.fetched("/token") == 2


async def test_a_token_that_has_ended_is_not_used(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    clock = Clock()
    issuer.lifetime = "100"
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        await logins.send(asking(ships, login_at(issuer)))
        clock.now += 101
        await logins.send(asking(ships, login_at(issuer)))
    assert tokens(ships) == ["1", "2"]


async def test_a_good_token_goes_on_while_the_issuer_is_away(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    clock = Clock()
    issuer.lifetime = 100
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        await logins.send(asking(ships, login_at(issuer)))
        issuer.pages["/token"] = lambda _: Reply(500)
        clock.now += 95
        for _ in range(3):
            assert (await logins.send(asking(ships, login_at(issuer)))).status == 200
            await asyncio.sleep(0.05)
        clock.now += 10
        with pytest.raises(CallFailed) as caught:
            await logins.send(asking(ships, login_at(issuer)))
    assert caught.value.failure.kind is FailureKind.UPSTREAM_CREDENTIALS
    assert tokens(ships) == ["1"] * 4


@pytest.mark.parametrize("lifetime", [None, "soon", True, -1, [1], "NaN", 10**400])
async def test_a_lifetime_that_says_nothing_is_taken_for_a_short_one(
    client: Opener, issuer: Issuer, ships: RecordingUpstream, lifetime: object
) -> None:
    clock = Clock()
    issuer.lifetime = lifetime
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        for seconds in (0, 200, 200):
            clock.now += seconds
            await logins.send(asking(ships, login_at(issuer)))
    assert tokens(ships) == ["1", "1", "2"]


def refusing_first(*headers: tuple[str, str]) -> Reply:
    return Reply(401, headers, b"no")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_refused_token_is_replaced_and_the_call_repeated_once(
    client: Opener, issuer: Issuer, upstream: RecordingUpstream, method: str
) -> None:
    """A Bearer challenge says that nothing was done with the request, whatever its method."""
    clock = Clock()
    upstream.answers(reply_json({}), refusing_first(CHALLENGE), reply_json({"ok": True}))
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        await logins.send(asking(upstream, login_at(issuer)))
        clock.now += 60
        answer = await logins.send(asking(upstream, login_at(issuer), method))
    assert answer.status == 200
    assert tokens(upstream) == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("method", "sent"), [("GET", 3), ("HEAD", 3), ("POST", 2), ("PUT", 2), ("DELETE", 2)]
)
async def test_without_a_challenge_only_what_changes_nothing_is_repeated(
    client: Opener, issuer: Issuer, upstream: RecordingUpstream, method: str, sent: int
) -> None:
    """O1: a bare 401 may come from behind the upstream, when an order has been placed already."""
    clock = Clock()
    upstream.answers(reply_json({}), refusing_first(), reply_json({}))
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        await logins.send(asking(upstream, login_at(issuer)))
        clock.now += 60
        await logins.send(asking(upstream, login_at(issuer), method))
        assert len(upstream.requests) == sent
        await logins.send(asking(upstream, login_at(issuer)))
    assert tokens(upstream)[-1] == "2"


async def test_a_second_refusal_is_passed_on(
    client: Opener, issuer: Issuer, upstream: RecordingUpstream
) -> None:
    clock = Clock()
    upstream.answers(reply_json({}), refusing_first(CHALLENGE))
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        await logins.send(asking(upstream, login_at(issuer)))
        clock.now += 60
        answer = await logins.send(asking(upstream, login_at(issuer), "POST"))
    assert (answer.status, answer.body) == (401, b"no")
    assert tokens(upstream) == ["1", "1", "2"]


async def test_an_upstream_that_refuses_every_token_does_not_flood_the_issuer(
    client: Opener, issuer: Issuer, upstream: RecordingUpstream
) -> None:
    upstream.answers(refusing_first(CHALLENGE))
    async with client() as upstreams:
        for _ in range(10):
            assert (await upstreams.send(asking(upstream, login_at(issuer)))).status == 401
    assert issuer.fetched("/token") == 1
    assert len(upstream.requests) == 10


async def test_calls_that_were_refused_together_share_the_next_token(
    client: Opener, issuer: Issuer, upstream: RecordingUpstream
) -> None:
    clock = Clock()

    def answer(request: RecordedRequest) -> Reply:
        old = "token-1-" in (request.header("authorization") or "")
        refused = old and request.path == "/later"
        return refusing_first(CHALLENGE) if refused else reply_json({})

    upstream.answers(answer)
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        await logins.send(asking(upstream, login_at(issuer)))
        clock.now += 60
        later = asking(upstream, login_at(issuer), "POST", "/later")
        answers = await asyncio.gather(*(logins.send(later) for _ in range(10)))
    assert {each.status for each in answers} == {200}
    assert issuer.fetched("/token") == 2


async def test_an_upstream_that_echoes_the_token_does_not_give_it_away(
    client: Opener, issuer: Issuer, upstream: RecordingUpstream
) -> None:
    """R7: callers never see what they are called with."""
    upstream.answers(lambda r: reply_json({"seen": r.header("authorization")}))
    async with client() as upstreams:
        answer = await upstreams.send(asking(upstream, login_at(issuer)))
    assert answer.body == b'{"seen": "Bearer ***"}'


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (reply_json({"error": "invalid_client"}, 401), '401 "invalid_client"'),
        (reply_json({"error": "invalid_scope", "error_description": "<b>"}, 400), "invalid_scope"),
        (reply_json({"error": "x\r\ny\x1b[31m"}, 400), "answered 400 -"),
        (Reply(403, (), b"<html>"), "answered 403"),
        (Reply(500), "answered 500"),
        (Reply(302, [("Location", "https://elsewhere.example")]), "answered 302"),
        (Reply(200, (), b"<html>"), "no JSON object"),
        (reply_json(["x"]), "no JSON object"),
        (reply_json({}), "gave no access token"),
        (reply_json({"access_token": "a b"}), "gave no access token"),
        (reply_json({"access_token": "x\r\nEvil: 1"}), "gave no access token"),
        (reply_json({"access_token": 7}), "gave no access token"),
        (reply_json({"access_token": "x", "token_type": "mac"}), "another type"),
        (Reply(200, (), b"x" * 600_000), "more than 512 KiB"),
    ],
)
async def test_no_token_no_call(
    client: Opener, issuer: Issuer, ships: RecordingUpstream, reply: Reply, said: str
) -> None:
    issuer.pages["/token"] = lambda _: reply
    async with client() as upstreams:
        failure = await failure_of(upstreams, asking(ships, login_at(issuer), "POST"))
    assert failure.kind is FailureKind.UPSTREAM_CREDENTIALS
    assert said in failure.detail
    assert '"ships.list"' in failure.detail
    assert not failure.executed
    assert ships.requests == []


async def test_metadata_of_another_issuer_are_not_believed(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    page = issuer.metadata() | {"issuer": "https://evil.example"}
    issuer.pages["/.well-known/oauth-authorization-server"] = lambda _: reply_json(page)
    async with client() as upstreams:
        failure = await failure_of(upstreams, asking(ships, login_at(issuer)))
    assert "another issuer" in failure.detail
    assert issuer.fetched("/token") == 0


@pytest.mark.parametrize("endpoint", ["http://10.0.0.1/token", "file:///etc/passwd", 7, "/token"])
async def test_metadata_cannot_send_the_secret_over_an_open_line(
    client: Opener, issuer: Issuer, ships: RecordingUpstream, endpoint: object
) -> None:
    page = issuer.metadata() | {"token_endpoint": endpoint}
    issuer.pages["/.well-known/oauth-authorization-server"] = lambda _: reply_json(page)
    async with client() as upstreams:
        failure = await failure_of(upstreams, asking(ships, login_at(issuer)))
    assert '"token_endpoint"' in failure.detail


async def test_an_issuer_that_is_away_fails_all_who_wait_at_once(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    issuer.close()
    async with client() as upstreams:
        failures = await asyncio.gather(
            *(failure_of(upstreams, asking(ships, login_at(issuer))) for _ in range(5))
        )
    assert {failure.kind for failure in failures} == {FailureKind.UPSTREAM_CREDENTIALS}
    assert not any(failure.executed for failure in failures)


async def test_a_request_that_can_be_sent_once_gets_a_token_and_its_refusal_counts(
    client: Opener, issuer: Issuer, ships: RecordingUpstream
) -> None:
    """A body that goes through without being held cannot be sent again."""
    clock = Clock()
    async with client() as upstreams:
        logins = ClientTokens(upstreams.send, clock)
        request = asking(ships, login_at(issuer), "POST")
        for _ in range(2):
            ready = await logins.authorized(request)
            assert ready.login is None
            assert list(ready.headers) == [("Authorization", "Bearer token-1-of-the-issuer")]
        clock.now += 60
        logins.note_refusal(request, [CHALLENGE[1]])
        ready = await logins.authorized(request)
        assert list(ready.headers) == [("Authorization", "Bearer token-2-of-the-issuer")]
    assert ships.requests == []
