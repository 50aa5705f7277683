"""HTTP Digest over real sockets, with httpx2's client and with one of the test's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import httpx2
import pytest

from naftiko_runtime.exposes.authentication import nonces
from naftiko_runtime.exposes.authentication.nonces import Nonces
from naftiko_runtime.http_authentication import AuthFields, parse_challenges, quoted, written
from tests.exposes.authentication.guarded import (
    DIGEST,
    TOKEN,
    USER,
    asking,
    basic,
    bearer,
    challenges,
    guarding,
    refused,
)
from tests.exposes.rest.listener import Answered, Listener
from tests.exposes.rest.plans import QUERY, given, served

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass
class DigestClient:
    """Answers a challenge as curl does; `changes` replace fields of its answer."""

    listener: Listener
    algorithm: str = "SHA-256"
    user: str = USER
    password: str = TOKEN
    count: int = 0
    challenge: AuthFields = field(default_factory=lambda: AuthFields(""))

    def ask(self) -> None:
        """Gets a challenge for the algorithm."""
        found = parse_challenges(challenges(self.listener.get("/ships")))
        by_algorithm = {each.parameters["algorithm"]: each for each in found}
        self.challenge, self.count = by_algorithm[self.algorithm], 0

    def header(self, method: str, target: str, **changes: str) -> str:
        self.count += 1
        fields = {
            "username": self.user,
            "realm": self.challenge.parameters["realm"],
            "nonce": self.challenge.parameters["nonce"],
            "uri": target,
            "algorithm": self.algorithm,
            "qop": "auth",
            "nc": f"{self.count:08x}",
            "cnonce": "0a4f113b",
        } | changes
        first = self._hash(f"{self.user}:{fields['realm']}:{self.password}")
        second = self._hash(f"{method}:{fields['uri']}")
        middle = ":".join(fields[name] for name in ("nonce", "nc", "cnonce", "qop"))
        fields.setdefault("response", self._hash(f"{first}:{middle}:{second}"))
        bare = {"algorithm", "qop", "nc"}
        return written(
            "Digest",
            [(name, text if name in bare else quoted(text)) for name, text in fields.items()],
        )

    def get(self, target: str = "/ships", **changes: str) -> Answered:
        return self.listener.get(target, {"Authorization": self.header("GET", target, **changes)})

    def _hash(self, text: str) -> str:
        return HASHES[self.algorithm](text.encode()).hexdigest()


def test_the_challenge_offers_sha_256_before_md5() -> None:
    with guarding(DIGEST) as listener:
        offered = parse_challenges(refused(listener.get("/ships")))
        assert [each.scheme for each in offered] == ["digest", "digest"]
        assert [each.parameters["algorithm"] for each in offered] == ["SHA-256", "MD5"]
        assert {each.parameters["qop"] for each in offered} == {"auth"}
        assert all("stale" not in each.parameters for each in offered)


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_who_knows_the_password_is_let_in_again_and_again(algorithm: str) -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener, algorithm)
        client.ask()
        assert [client.get().status for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("password", [TOKEN, "ünïcødé ☃", 'with "quotes" and \\'])
def test_a_client_library_is_let_in_with_any_password(password: str) -> None:
    with guarding(asking("digest", username=USER, password=password)) as listener:
        auth = httpx2.DigestAuth(USER, password)
        answered = httpx2.get(f"{listener.origin}/ships?a=%2f&b", auth=auth, timeout=60)
        assert answered.status_code == 200
        assert listener.engine.calls == ["GET /ships"]


def test_an_algorithm_that_is_not_named_is_md5() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener, "MD5")
        client.ask()
        header = client.header("GET", "/ships").replace("algorithm=MD5, ", "")
        assert listener.get("/ships", {"Authorization": header}).status == 200


def test_a_user_name_beyond_ascii_is_read_in_its_extended_form() -> None:
    with guarding(asking("digest", username="Jäsøn", password=TOKEN)) as listener:
        client = DigestClient(listener, user="Jäsøn")
        client.ask()
        header = client.header("GET", "/ships", username="X").replace(
            'username="X"', "username*=UTF-8''J%C3%A4s%C3%B8n"
        )
        assert listener.get("/ships", {"Authorization": header}).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"response": "0" * 64},
        {"response": ""},
        {"username": "nobody"},
        {"realm": "elsewhere"},
        {"qop": "auth-int"},
        {"nc": "1"},
        {"nc": "0000000g"},
        {"cnonce": ""},
        {"uri": "/docks"},
        {"uri": "/ships?more"},
        {"algorithm": "MD5"},
        {"algorithm": "SHA-256-sess"},
        {"algorithm": "none"},
    ],
)
def test_a_wrong_proof_is_refused(changes: dict[str, str]) -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        assert all("stale" not in text for text in refused(client.get(**changes)))
        assert listener.engine.calls == []


def test_a_wrong_password_is_refused() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener, password="wrong")
        client.ask()
        refused(client.get())


@pytest.mark.parametrize(
    "headers",
    [basic(USER, TOKEN), bearer(TOKEN), {"Authorization": "Digest"}, {"Authorization": "Digest ="}],
)
def test_other_credentials_are_refused(headers: dict[str, str]) -> None:
    with guarding(DIGEST) as listener:
        assert refused(listener.get("/ships", headers))[0].startswith("Digest ")


def test_fields_given_twice_are_refused() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        header = client.header("GET", "/ships") + ', uri="/ships"'
        refused(listener.get("/ships", {"Authorization": header}))


def test_a_proof_is_for_one_method_and_target() -> None:
    both = (served("GET", "/ships", given("a", QUERY)), served("DELETE", "/ships"))
    with guarding(DIGEST, *both) as listener:
        client = DigestClient(listener)
        client.ask()
        header = {"Authorization": client.header("GET", "/ships?a=1")}
        refused(listener.call("DELETE", "/ships?a=1", None, header))
        refused(listener.get("/ships?a=2", header))
        assert listener.get("/ships?a=1", header).status == 200


def test_a_proof_that_is_sent_again_is_stale() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        header = {"Authorization": client.header("GET", "/ships")}
        assert listener.get("/ships", header).status == 200
        assert all("stale=true" in text for text in refused(listener.get("/ships", header)))
        assert listener.engine.calls == ["GET /ships"]


def test_counts_may_arrive_out_of_order_but_once_each() -> None:
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        statuses = [client.get(nc=f"{count:08x}").status for count in (3, 1, 2, 3, 1, 4)]
        assert statuses == [200, 200, 200, 401, 401, 200]


def test_a_nonce_that_was_not_issued_here_is_stale_for_who_knows_the_password() -> None:
    """A client with the nonce of another run gets a new one without asking its user again."""
    with guarding(DIGEST) as listener:
        client = DigestClient(listener)
        client.ask()
        challenge = refused(client.get(nonce="bm90IGlzc3VlZCBoZXJl"))[0]
        assert "stale=true" in challenge
        client.challenge = parse_challenges([challenge])[0]
        assert client.get().status == 200


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_nonce_ends_with_its_time() -> None:
    clock = Clock()
    issuing = Nonces(b"key", clock)
    nonce = issuing.issue()
    clock.now += nonces.SECONDS - 1
    assert issuing.take(nonce, 1)
    clock.now += 2
    assert not issuing.take(nonce, 2)


def test_processes_with_one_key_take_each_others_nonces() -> None:
    assert Nonces(b"key").take(Nonces(b"key").issue(), 1)
    assert not Nonces(b"key").take(Nonces(b"other").issue(), 1)


@pytest.mark.parametrize("change", [lambda n: n[:-4], lambda n: "A" + n[1:], lambda n: n + "AAAA"])
def test_a_nonce_that_was_tampered_with_is_not_taken(change: object) -> None:
    issuing = Nonces(b"key")
    assert not issuing.take(change(issuing.issue()), 1)  # type: ignore[operator]


def test_what_is_forgotten_of_a_nonce_does_not_open_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nonces, "_MOST", 2)
    clock = Clock()
    issuing = Nonces(b"key", clock)
    first = issuing.issue()
    assert issuing.take(first, 1)
    for _ in range(2):
        clock.now += 1
        assert issuing.take(issuing.issue(), 1)
    assert not issuing.take(first, 1)


def test_counts_far_behind_the_highest_are_refused() -> None:
    issuing = Nonces(b"key")
    nonce = issuing.issue()
    assert issuing.take(nonce, 1000)
    assert issuing.take(nonce, 1000 - 127)
    assert not issuing.take(nonce, 1000 - 128)
    assert not issuing.take(nonce, 0)


def test_a_count_far_ahead_takes_no_time_or_space() -> None:
    issuing = Nonces(b"key")
    nonce = issuing.issue()
    assert issuing.take(nonce, 1)
    assert issuing.take(nonce, 0xFFFFFFFF)
    assert not issuing.take(nonce, 1)
