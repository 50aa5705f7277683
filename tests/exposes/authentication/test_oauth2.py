"""An OAuth 2 resource server: access tokens of a real issuer over real sockets (U1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.authentication.attempts import BURST
from naftiko_runtime.http_authentication import parse_challenges
from naftiko_runtime.plan.inbound import InboundPlan
from tests.exposes.authentication.guarded import (
    asking,
    bearer,
    challenges,
    guarding,
    refused,
)
from tests.exposes.rest.listener import Answered, Listener
from tests.issuer import AUDIENCE, After, Issuer, new_key, public_jwk, public_pem, unsigned
from tests.recording_upstream import Reply, reply_json

SCOPES = ("ships:read",)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


def asking_gatekeeper(folder: Path) -> Gatekeeper:
    trust = TrustStore(folder / "trust")
    return Gatekeeper(HttpUpstreams(UpstreamSettings(timeout=5.0, trust=trust)))


@pytest.fixture
def gatekeeper(tmp_path: Path) -> Gatekeeper:
    return asking_gatekeeper(tmp_path)


def resource(issuer: Issuer, scopes: tuple[str, ...] = SCOPES, **fields: str) -> InboundPlan:
    given = {"authorizationServerUri": issuer.url, "resource": AUDIENCE} | fields
    return asking("oauth2", in_query=False, scopes=scopes, **given)


def call(listener: Listener, token: str) -> Answered:
    return listener.get("/ships", bearer(token))


def is_refused(answered: Answered, reason: str = "") -> None:
    (text,) = refused(answered)
    (challenge,) = parse_challenges([text])
    assert challenge.parameters["error"] == "invalid_token"
    assert reason in challenge.parameters["error_description"]


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed"])
def test_a_token_of_the_issuer_lets_a_caller_in(kind: str, gatekeeper: Gatekeeper) -> None:
    with Issuer(kind) as issuer, guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token()).status == 200
        assert call(listener, issuer.token()).status == 200
        assert issuer.fetched("/jwks") == 1


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_every_signature_with_an_rsa_key_counts(
    algorithm: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token(algorithm=algorithm)).status == 200


def test_nothing_is_asked_of_the_issuer_before_a_caller_needs_it(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        refused(listener.get("/ships"))
        is_refused(call(listener, "no.token.at-all"))
        assert issuer.requests == []


def test_without_a_token_a_caller_is_told_where_to_get_one(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        (text,) = refused(listener.get("/ships"))
        (challenge,) = parse_challenges([text])
        assert challenge.scheme == "bearer"
        assert challenge.parameters == {
            "resource_metadata": "https://shipyard.example.com"
            "/.well-known/oauth-protected-resource/mcp",
            "scope": "ships:read",
        }


# Signatures


def test_U1_a_token_without_a_signature_is_refused(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        for algorithm in ("none", "None", "NONE", "nOnE", "", None):
            header = {"alg": algorithm, "kid": issuer.key_id}
            is_refused(call(listener, unsigned(issuer.claims(), header, b"")))
            is_refused(call(listener, unsigned(issuer.claims(), header, b"x")))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_U1_a_token_signed_with_the_public_key_as_secret_is_refused(
    algorithm: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    secrets = [
        public_pem(issuer.key),
        issuer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(public_jwk(issuer.key, issuer.key_id)).encode(),
        b"",
    ]
    hashing = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        for secret in secrets:
            header = {"alg": algorithm, "kid": issuer.key_id, "typ": "JWT"}
            body = unsigned(issuer.claims(), header, b"").rpartition(".")[0]
            signature = hmac.digest(secret, body.encode(), hashing[algorithm])
            is_refused(call(listener, unsigned(issuer.claims(), header, signature)))


def test_U1_a_shared_secret_in_the_key_set_signs_nothing(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    secret = b"0123456789abcdef0123456789abcdef"
    shared = {
        "kty": "oct",
        "kid": "shared",
        "alg": "HS256",
        "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode(),
    }
    issuer.pages["/jwks"] = lambda _: reply_json({"keys": [shared, *issuer.keys()]})
    token = jwt.encode(issuer.claims(), secret, "HS256", {"kid": "shared"})
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        is_refused(call(listener, token))
        assert call(listener, issuer.token()).status == 200


def test_U1_a_token_of_another_key_is_refused(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        is_refused(call(listener, issuer.token(new_key("rsa"))), "not signed by its issuer")
        is_refused(call(listener, issuer.token(new_key("ec"))))


def test_U1_a_token_that_was_changed_is_refused(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    header, body, signature = issuer.token().split(".")
    other = issuer.token(sub="admin").split(".")[1]
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        for token in (
            f"{header}.{other}.{signature}",
            f"{header}.{body}.{signature[:-4]}",
            f"{header}.{body}.",
            f"{header}.{body}",
            f"{header}..{signature}",
            f"{header}.{body}.{signature}.{signature}",
            "",
            "." * 5,
            "a" * 30_000,
        ):
            is_refused(call(listener, token))
        assert call(listener, f"{header}.{body}.{signature}").status == 200


@pytest.mark.parametrize(
    "key_id",
    [
        "../../../../dev/null",
        "/proc/self/environ",
        "https://evil.example/key",
        "' OR 1=1 --",
        "key-1\x00",
        "",
        "key-2",
    ],
)
def test_U1_a_key_id_only_ever_names_a_key_of_the_set(
    key_id: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        is_refused(call(listener, issuer.token(header={"kid": key_id})))


def test_U1_a_token_cannot_bring_or_name_its_own_key(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with Issuer() as evil, guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        for header in (
            {"jwk": public_jwk(evil.key, "evil")},
            {"jku": f"{evil.url}/jwks"},
            {"x5u": f"{evil.url}/cert"},
            {"jku": f"{evil.url}/jwks", "kid": "evil"},
        ):
            is_refused(call(listener, issuer.token(evil.key, header=header)))
        assert evil.requests == []


def signed(issuer: Issuer, header: dict[str, object]) -> str:
    """A token with any header at all, rightly signed with the issuer's RSA key."""
    head = {"alg": "RS256", "kid": issuer.key_id, "typ": "at+jwt"} | header
    unsigned_part = unsigned(issuer.claims(), head, b"").rpartition(".")[0]
    signature = jwt.get_algorithm_by_name("RS256").sign(unsigned_part.encode(), issuer.key)
    text = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    return f"{unsigned_part}.{text}"


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 7},
        {"typ": None},
        {"kid": 7},
        {"alg": "ES256K"},
        {"alg": "rs256"},
    ],
)
def test_a_header_that_is_not_understood_is_refused(
    header: dict[str, object], issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, signed(issuer, {})).status == 200
        is_refused(call(listener, signed(issuer, header)))


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"])
def test_the_types_of_access_tokens_are_accepted(
    kind: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, signed(issuer, {"typ": kind})).status == 200


def test_a_token_without_a_key_id_is_tried_with_every_key(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    extra = [public_jwk(new_key("rsa"), None), public_jwk(new_key("ec"), "ec")]
    issuer.pages["/jwks"] = lambda _: reply_json({"keys": [*extra, *issuer.keys()]})
    token = jwt.encode(issuer.claims(), issuer.key, "RS256")
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, token).status == 200


@pytest.mark.parametrize(
    "members",
    [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "RS512"}, {"alg": "RSA-OAEP"}, {"kty": "oct"}],
)
def test_a_key_that_is_for_something_else_verifies_nothing(
    members: dict[str, object], issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    jwk = public_jwk(issuer.key, issuer.key_id) | members
    issuer.pages["/jwks"] = lambda _: reply_json({"keys": [jwk]})
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        is_refused(call(listener, issuer.token()))


# Claims


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "https://other.example"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": AUDIENCE + "/x"}, "audience"),
        ({"aud": AUDIENCE.upper()}, "audience"),
        ({"aud": {"x": AUDIENCE}}, "audience"),
        ({"exp": After(-60)}, "expired"),
        ({"exp": None}, "expiry"),
        ({"exp": "2999-01-01"}, "no time"),
        ({"exp": True}, "no time"),
        ({"nbf": After(3600)}, "not valid yet"),
        ({"iat": After(3600)}, "not valid yet"),
    ],
)
def test_U1_a_token_with_wrong_claims_is_refused(
    changes: dict[str, Any], reason: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        is_refused(call(listener, issuer.token(**changes)), reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE]},
        {"aud": ["https://other.example", AUDIENCE]},
        {"aud": AUDIENCE + "/"},
        {"exp": After(-1)},
        {"nbf": After(-10)},
        {"sub": None},
        {"scope": "ships:read"},
        {"scope": None, "scp": ["ships:read", "x"]},
        {"scope": ["ships:read"]},
    ],
)
def test_a_token_with_other_right_claims_is_accepted(
    changes: dict[str, Any], issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token(**changes)).status == 200


def test_a_declared_audience_counts_in_place_of_the_resource(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer, audience="ships-api"), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token(aud="ships-api")).status == 200
        is_refused(call(listener, issuer.token(aud=AUDIENCE)), "audience")
        is_refused(call(listener, issuer.token(aud="ships-api/")), "audience")


@pytest.mark.parametrize("scope", ["", "ships", "ships:read2 x", "SHIPS:READ", "ships:readx"])
def test_a_token_that_lacks_a_scope_is_forbidden_and_told_which(
    scope: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        answered = call(listener, issuer.token(scope=scope))
        answered.problem(403, "insufficient-scope")
        (challenge,) = parse_challenges(challenges(answered))
        assert challenge.parameters["error"] == "insufficient_scope"
        assert challenge.parameters["scope"] == "ships:read"
        assert "resource_metadata" in challenge.parameters
        assert listener.engine.calls == []


def test_without_declared_scopes_none_is_needed(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    with guarding(resource(issuer, scopes=()), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token(scope=None)).status == 200


# The issuer's keys


def test_new_keys_of_the_issuer_are_taken_up_at_once(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        old = issuer.token()
        assert call(listener, old).status == 200
        issuer.rotate()
        assert call(listener, issuer.token()).status == 200
        is_refused(call(listener, old))
        assert issuer.fetched("/jwks") == 3  # the old key was looked for once more


def test_invented_key_ids_do_not_flood_the_issuer(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token()).status == 200
        for number in range(15):
            is_refused(call(listener, issuer.token(header={"kid": f"invented-{number}"})))
        assert call(listener, issuer.token()).status == 200
        assert issuer.fetched("/jwks") <= 1 + 4


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("", "/.well-known/openid-configuration"),
        ("/realms/sea", "/realms/sea/.well-known/openid-configuration"),
        ("/realms/sea", "/realms/sea/.well-known/oauth-authorization-server"),
        ("/realms/sea", "/.well-known/openid-configuration/realms/sea"),
        ("/realms/sea", "/.well-known/oauth-authorization-server/realms/sea"),
    ],
)
def test_metadata_are_found_at_every_well_known_place(
    path: str, moved: str, gatekeeper: Gatekeeper
) -> None:
    with Issuer(path=path) as issuer:
        page = issuer.pages.pop(f"/.well-known/oauth-authorization-server{path}")
        issuer.pages[moved] = page
        with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
            assert call(listener, issuer.token()).status == 200


def test_an_issuer_may_spell_its_name_with_a_slash_at_the_end(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    page = issuer.metadata() | {"issuer": issuer.url + "/"}
    issuer.pages["/.well-known/oauth-authorization-server"] = lambda _: reply_json(page)
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token(iss=issuer.url + "/")).status == 200
        is_refused(call(listener, issuer.token(iss=issuer.url)), "another issuer")


def metadata_of(server: Issuer, /, **changes: object) -> None:
    page = server.metadata() | changes
    server.pages["/.well-known/oauth-authorization-server"] = lambda _: reply_json(page)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "http://user:pw@127.0.0.1/jwks"},
        {"jwks_uri": ["x"]},
    ],
)
def test_U1_metadata_that_are_not_to_be_believed_let_nobody_in(
    changes: dict[str, Any], issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    metadata_of(issuer, **changes)
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        answered = call(listener, issuer.token())
        document = answered.problem(503, "issuer-unavailable")
        assert issuer.url not in document["detail"]
        assert answered.header("retry-after") is not None
        assert issuer.fetched("/jwks") == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(404),
        Reply(302, [("Location", "/elsewhere")]),
        Reply(200, (), b"not json"),
        reply_json([]),
        reply_json({"keys": "none"}),
        Reply(200, (), b"[" * 1_000_000),
        Reply(raw=b""),
    ],
)
def test_a_key_set_that_cannot_be_read_lets_nobody_in(
    reply: Reply, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    issuer.pages["/jwks"] = lambda _: reply
    issuer.pages["/elsewhere"] = lambda _: reply_json({"keys": issuer.keys()})
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        call(listener, issuer.token()).problem(503, "issuer-unavailable")
        assert issuer.fetched("/elsewhere") == 0


def test_odd_keys_in_the_set_hide_no_good_one(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    odd = [None, 7, {}, {"kty": "RSA"}, {"kty": "RSA", "n": "!", "e": "AQAB"}, {"kty": "X"}]
    odd.append({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "key-1"})
    issuer.pages["/jwks"] = lambda _: reply_json({"keys": [*odd, *issuer.keys()]})
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, issuer.token()).status == 200


def test_an_issuer_that_is_away_lets_nobody_in_but_those_whose_keys_are_known(
    issuer: Issuer, tmp_path: Path
) -> None:
    with guarding(resource(issuer), gatekeeper=asking_gatekeeper(tmp_path)) as listener:
        assert call(listener, issuer.token()).status == 200
        issuer.close()
        assert call(listener, issuer.token()).status == 200
        is_refused(call(listener, issuer.token(new_key("rsa"))))
    with guarding(resource(issuer), gatekeeper=asking_gatekeeper(tmp_path)) as listener:
        call(listener, issuer.token()).problem(503, "issuer-unavailable")


# Introspection


def introspected(issuer: Issuer, **fields: str) -> InboundPlan:
    client = {"clientId": "us", "clientSecret": "pw"}
    return resource(issuer, SCOPES, tokenValidation="introspection", **(client | fields))


def test_an_opaque_token_is_asked_about_each_time(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    issuer.active["opaque"] = issuer.claims()
    with guarding(introspected(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, "opaque").status == 200
        assert call(listener, "opaque").status == 200
        del issuer.active["opaque"]
        is_refused(call(listener, "opaque"), "not active")
    forms = issuer.asked("/introspect")
    assert forms == [{"token": "opaque", "token_type_hint": "access_token"}] * 3
    assert issuer.fetched("/.well-known/oauth-authorization-server") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "https://other.example"}, "audience"),
        ({"aud": None}, "audience"),
        ({"exp": After(-60)}, "expired"),
        ({"nbf": After(3600)}, "not valid yet"),
        ({"active": "true"}, "not active"),
        ({"active": 1}, "not active"),
    ],
)
def test_claims_of_an_active_token_are_checked_too(
    changes: dict[str, Any], reason: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    issuer.active["opaque"] = issuer.claims(**changes)
    with guarding(introspected(issuer), gatekeeper=gatekeeper) as listener:
        is_refused(call(listener, "opaque"), reason)


def test_the_issuer_need_not_repeat_its_name_and_the_expiry(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    issuer.active["opaque"] = issuer.claims(iss=None, exp=None, iat=None)
    with guarding(introspected(issuer), gatekeeper=gatekeeper) as listener:
        assert call(listener, "opaque").status == 200


def test_an_active_token_without_the_scope_is_forbidden(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    issuer.active["opaque"] = issuer.claims(scope="other")
    with guarding(introspected(issuer), gatekeeper=gatekeeper) as listener:
        call(listener, "opaque").problem(403, "insufficient-scope")


def test_who_may_not_ask_the_issuer_lets_nobody_in(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    issuer.active["opaque"] = issuer.claims()
    with guarding(introspected(issuer, clientSecret="wrong"), gatekeeper=gatekeeper) as listener:
        call(listener, "opaque").problem(503, "issuer-unavailable")


def test_an_issuer_without_introspection_lets_nobody_in(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    metadata_of(issuer, introspection_endpoint=None)
    with guarding(introspected(issuer), gatekeeper=gatekeeper) as listener:
        call(listener, "opaque").problem(503, "issuer-unavailable")


def test_a_token_that_has_expired_is_no_guess(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    """U7: a busy client whose token ends under it must not have to wait for the next one."""
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        for number in range(2 * BURST):
            is_refused(call(listener, issuer.token(exp=After(-60), jti=str(number))), "expired")
        assert call(listener, issuer.token()).status == 200


def test_tokens_that_are_made_up_are_guesses(issuer: Issuer, gatekeeper: Gatekeeper) -> None:
    other = new_key("rsa")
    with guarding(resource(issuer), gatekeeper=gatekeeper) as listener:
        for number in range(BURST):
            is_refused(call(listener, issuer.token(other, jti=str(number))))
        call(listener, issuer.token(other)).problem(429, "too-many-failures")
