"""Digest credentials towards upstreams that really challenge."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.consumes.credentials import Logins
from naftiko_runtime.http_authentication import parse_credentials
from naftiko_runtime.plan.logins import DigestLogin
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.consumes.conftest import Opener
from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json

pytestmark = pytest.mark.anyio

USER, PASSWORD = "mireille", "correct-horse"
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass
class DigestServer:
    """Answers 200 to a right proof and challenges anybody else.

    `algorithms` are what it offers, `qop` what it demands (None: nothing, as before RFC 2617).
    Each count of a nonce is good once; `stale` makes the present nonce a stale one.
    """

    algorithms: tuple[str | None, ...] = ("SHA-256",)
    qop: str | None = "auth"
    says_stale: bool = True
    password: str = PASSWORD
    nonce: int = 1
    counts: set[str] = field(default_factory=set)

    def stale(self) -> None:
        self.nonce, self.counts = self.nonce + 1, set()

    def __call__(self, request: RecordedRequest) -> Reply:
        header = request.header("authorization")
        if header is None:
            return self.challenge()
        proof = parse_credentials(header).parameters
        right = self._is_right(request, proof)
        if not right or proof["nonce"] != f"nonce-{self.nonce}":
            return self.challenge(stale=right and self.says_stale)
        if self.qop:
            assert proof["nc"] not in self.counts, "a count was used twice"
            self.counts.add(proof["nc"])
        return reply_json({"target": request.target, "body": request.body.decode()})

    def challenge(self, *, stale: bool = False) -> Reply:
        headers = []
        for algorithm in self.algorithms:
            text = f'Digest realm="docks, \\"all\\"", nonce="nonce-{self.nonce}", opaque="x\\\\y"'
            text += f', qop="{self.qop}"' if self.qop else ""
            text += f", algorithm={algorithm}" if algorithm else ""
            text += ", stale=TRUE" if stale else ""
            headers.append(("WWW-Authenticate", text))
        return Reply(401, headers, b"who are you?")

    def _is_right(self, request: RecordedRequest, proof: Mapping[str, str]) -> bool:
        algorithm = proof.get("algorithm", "MD5")
        hashing = HASHES[algorithm.removesuffix("-sess")]

        def h(text: str) -> str:
            return hashing(text.encode()).hexdigest()

        assert proof["realm"] == 'docks, "all"'
        assert proof["opaque"] == "x\\y"
        assert proof["uri"] == request.target
        first = h(f"{USER}:{proof['realm']}:{self.password}")
        if algorithm.endswith("-sess"):
            first = h(f"{first}:{proof['nonce']}:{proof['cnonce']}")
        middle = proof["nonce"]
        if self.qop:
            middle += f":{proof['nc']}:{proof['cnonce']}:{proof['qop']}"
        expected = h(f"{first}:{middle}:{h(f'{request.method}:{request.target}')}")
        return proof["response"] == expected and proof.get("username") == USER


def asking(
    upstream: RecordingUpstream,
    target: str = "/docks?a=%2f",
    method: str = "GET",
    content: bytes | None = None,
    user: str = USER,
    password: str = PASSWORD,
) -> UpstreamRequest:
    login = DigestLogin(user, Secret(password))
    url = upstream.url + target
    return UpstreamRequest("docks", "docks.list", method, url, (), content, (), login)


@pytest.fixture
def server(upstream: RecordingUpstream) -> DigestServer:
    server = DigestServer()
    upstream.answers(server)
    return server


@pytest.mark.parametrize(
    ("algorithms", "qop", "chosen"),
    [
        (("SHA-256",), "auth", "SHA-256"),
        (("MD5",), "auth", "MD5"),
        (("MD5", "SHA-256"), "auth", "SHA-256"),
        (("SHA-512-256", "MD5"), "auth", "MD5"),
        (("SHA-256-sess",), "auth", "SHA-256-sess"),
        (("MD5-sess",), "auth", "MD5-sess"),
        ((None,), "auth", None),
        ((None,), None, None),
        (("MD5",), "auth-int, auth", "MD5"),
        (("MD5",), "auth,auth-int", "MD5"),
    ],
)
async def test_the_strongest_challenge_that_is_known_is_answered(
    client: Opener,
    upstream: RecordingUpstream,
    algorithms: tuple[str | None, ...],
    qop: str | None,
    chosen: str | None,
) -> None:
    upstream.answers(DigestServer(algorithms, qop))
    async with client() as upstreams:
        answers = [await upstreams.send(asking(upstream)) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    proofs = [parse_credentials(r.header("authorization") or "") for r in upstream.requests[1:]]
    assert {proof.parameters.get("algorithm") for proof in proofs} == {chosen}


async def test_the_first_call_asks_and_later_ones_answer_ahead(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    async with client() as upstreams:
        for _ in range(3):
            assert (await upstreams.send(asking(upstream))).status == 200
    given = [request.header("authorization") is not None for request in upstream.requests]
    assert given == [False, True, True, True]
    assert server.counts == {"00000001", "00000002", "00000003"}


async def test_a_body_is_sent_again_with_the_answer(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    """The request without credentials has not been applied: that is what its 401 says."""
    async with client() as upstreams:
        answer = await upstreams.send(asking(upstream, "/orders", "POST", b'{"size": 1}'))
    assert answer.status == 200
    assert [request.body for request in upstream.requests] == [b'{"size": 1}'] * 2


@pytest.mark.parametrize("says_stale", [True, False])
async def test_a_stale_nonce_is_replaced_at_the_cost_of_one_repetition(
    client: Opener, upstream: RecordingUpstream, server: DigestServer, says_stale: bool
) -> None:
    server.says_stale = says_stale
    async with client() as upstreams:
        assert (await upstreams.send(asking(upstream))).status == 200
        server.stale()
        assert (await upstreams.send(asking(upstream, method="DELETE"))).status == 200
        assert (await upstreams.send(asking(upstream))).status == 200
    assert len(upstream.requests) == 2 + 2 + 1


async def test_a_wrong_password_is_tried_once_per_call_and_the_refusal_passed_on(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    async with client() as upstreams:
        answer = await upstreams.send(asking(upstream, password="wrong"))
        assert (answer.status, answer.body) == (401, b"who are you?")
        assert len(upstream.requests) == 2
        assert (await upstreams.send(asking(upstream, password="wrong"))).status == 401
        assert len(upstream.requests) <= 4
        assert (await upstreams.send(asking(upstream))).status == 200


async def test_a_password_that_was_changed_is_not_tried_for_ever(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    async with client() as upstreams:
        assert (await upstreams.send(asking(upstream))).status == 200
        server.password = "changed"
        assert (await upstreams.send(asking(upstream))).status == 401
        server.password = PASSWORD
        assert (await upstreams.send(asking(upstream))).status == 200


async def test_calls_at_the_same_time_never_use_a_count_twice(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    async with client() as upstreams:
        answers = await asyncio.gather(
            *(upstreams.send(asking(upstream, f"/docks/{number}")) for number in range(20))
        )
    assert {answer.status for answer in answers} == {200}
    assert len(server.counts) == 20


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="docks"',
        'Digest realm="docks", nonce="1", algorithm=SHA-512-256, qop="auth"',
        'Digest realm="docks", nonce="1", qop="auth-int"',
        'Digest realm="docks"',
        "Digest",
        "",
    ],
)
async def test_a_challenge_that_cannot_be_answered_is_passed_on(
    client: Opener, upstream: RecordingUpstream, challenge: str
) -> None:
    """Above all, the password is not given away to who asks for it in the clear."""
    upstream.answers(Reply(401, [("WWW-Authenticate", challenge)]))
    async with client() as upstreams:
        assert (await upstreams.send(asking(upstream))).status == 401
    assert [r.header("authorization") for r in upstream.requests] == [None]


async def test_an_upstream_without_a_challenge_is_called_once(
    client: Opener, upstream: RecordingUpstream
) -> None:
    async with client() as upstreams:
        assert (await upstreams.send(asking(upstream, method="POST"))).status == 200
    assert len(upstream.requests) == 1


async def test_a_challenge_is_for_one_origin_and_user(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    """E4: what was answered to one host is never sent ahead to another."""
    with RecordingUpstream() as other:
        async with client() as upstreams:
            await upstreams.send(asking(upstream))
            await upstreams.send(asking(other))
            await upstreams.send(asking(upstream, user="somebody"))
        assert other.requests[0].header("authorization") is None
        assert upstream.requests[2].header("authorization") is None


async def test_a_user_name_beyond_ascii_goes_in_its_extended_form(
    client: Opener, upstream: RecordingUpstream
) -> None:
    upstream.answers(DigestServer().challenge(), reply_json({}))
    async with client() as upstreams:
        await upstreams.send(asking(upstream, user="Jäsøn"))
    proof = parse_credentials(upstream.requests[1].header("authorization") or "").parameters
    assert proof["username*"] == "UTF-8''J%C3%A4s%C3%B8n"
    assert "username" not in proof


async def test_closing_forgets_and_open_clients_do_not_share(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    for _ in range(2):
        async with client() as upstreams:
            await upstreams.send(asking(upstream))
        server.stale()
    given = [request.header("authorization") is not None for request in upstream.requests]
    assert given == [False, True, False, True]


async def test_a_request_that_can_be_sent_once_answers_a_challenge_had_before(
    client: Opener, upstream: RecordingUpstream, server: DigestServer
) -> None:
    """A body that goes through without being held cannot be sent again."""
    async with client() as upstreams:
        logins = Logins(upstreams.send)
        for number in range(2):
            request = asking(upstream, f"/orders/{number}", "POST", b"x")
            assert request.login is not None
            ready = await logins.authorized(request, request.login)
            assert ready.login is None
            assert (await upstreams.send(ready)).status == 200
        server.stale()
        request = asking(upstream, "/orders/2", "POST", b"x")
        assert request.login is not None
        refused = await upstreams.send(await logins.authorized(request, request.login))
        assert refused.status == 401
        challenges = [value for name, value in refused.headers if name == "www-authenticate"]
        logins.note_refusal(request, request.login, challenges)
        ready = await logins.authorized(request, request.login)
        assert (await upstreams.send(ready)).status == 200
    methods = [each.method for each in upstream.requests]
    assert methods == ["HEAD", "POST", "POST", "POST", "POST"]
