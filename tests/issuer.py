"""An OAuth authorization server for tests: own keys, metadata and key set over real HTTP.

with Issuer() as issuer:
    token = issuer.token(aud="https://api.example")
    issuer.rotate()                      # other keys from now on
    issuer.fetched("/jwks")              # how often something was asked for
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

AUDIENCE = "https://shipyard.example.com/mcp"
"""What the tokens of an issuer are for unless a test says otherwise."""

_NAMES = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}


class After(int):
    """Seconds from when a token is made: what a claim of time is given as."""


def new_key(kind: str) -> PrivateKey:
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "ed":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(key: PrivateKey, key_id: str | None, **members: object) -> dict[str, Any]:
    """The public half as it stands in a key set."""
    algorithm = jwt.get_algorithm_by_name(_NAMES[_kind(key)])
    jwk: dict[str, Any] = algorithm.to_jwk(key.public_key(), as_dict=True)
    return jwk | ({"kid": key_id} if key_id is not None else {}) | members


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _kind(key: PrivateKey) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return "ec"
    return "ed" if isinstance(key, ed25519.Ed25519PrivateKey) else "rsa"


class Issuer:
    """The server. Its answers can be replaced in `pages`; `requests` are those that it got.

    `path` is part of its name. Tokens of the client credentials grant are numbered: `token-1`.
    """

    def __init__(self, kind: str = "rsa", path: str = "", client: str = "us:pw") -> None:
        self._upstream = RecordingUpstream()
        self._upstream.answers(self._answer)
        self.url = self._upstream.url + path
        self.path = path
        self.client = client
        self.kind = kind
        self.key_id = "key-1"
        self.key = new_key(kind)
        self.pages: dict[str, Callable[[RecordedRequest], Reply]] = {
            f"/.well-known/oauth-authorization-server{path}": lambda _: reply_json(self.metadata()),
            "/jwks": lambda _: reply_json({"keys": self.keys()}),
            "/token": self._grant,
            "/introspect": self._introspect,
        }
        self.active: dict[str, Mapping[str, object]] = {}
        self.lifetime: object = 3600
        self.hold: threading.Event | None = None
        self._granted = 0
        self._lock = threading.Lock()

    @property
    def requests(self) -> list[RecordedRequest]:
        return list(self._upstream.requests)

    def fetched(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)

    def asked(self, path: str) -> list[dict[str, str]]:
        """The forms that were posted to a path."""
        forms = [parse_qs(r.body.decode()) for r in self.requests if r.path == path]
        return [{name: values[0] for name, values in form.items()} for form in forms]

    def metadata(self) -> dict[str, object]:
        origin = self._upstream.url
        return {
            "issuer": self.url,
            "jwks_uri": f"{origin}/jwks",
            "token_endpoint": f"{origin}/token",
            "introspection_endpoint": f"{origin}/introspect",
        }

    def keys(self) -> list[dict[str, Any]]:
        return [public_jwk(self.key, self.key_id)]

    def rotate(self) -> None:
        number = int(self.key_id.partition("-")[2]) + 1
        self.key, self.key_id = new_key(self.kind), f"key-{number}"

    def claims(self, **changes: object) -> dict[str, object]:
        """What a good token says; a change to None leaves a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "user-1",
            "client_id": "app-1",
            "iat": now,
            "exp": now + 600,
            "scope": "ships:read ships:write",
        } | changes
        return {
            name: now + value if isinstance(value, After) else value
            for name, value in claims.items()
            if value is not None
        }

    def token(
        self,
        key: PrivateKey | None = None,
        algorithm: str | None = None,
        header: Mapping[str, object] | None = None,
        **changes: object,
    ) -> str:
        """A signed access token, good but for the changes."""
        key = key or self.key
        headers: dict[str, Any] = {"kid": self.key_id, "typ": "at+jwt", **(header or {})}
        return jwt.encode(
            self.claims(**changes), key, algorithm=algorithm or _NAMES[_kind(key)], headers=headers
        )

    def close(self) -> None:
        """Answers nobody any more: the port is free."""
        self._upstream.__exit__(None, None, None)

    def _answer(self, request: RecordedRequest) -> Reply:
        page = self.pages.get(request.path)
        return Reply(404) if page is None else page(request)

    def _grant(self, request: RecordedRequest) -> Reply:
        if self.hold is not None:
            self.hold.wait(20)
        if not self._knows_client(request):
            return reply_json({"error": "invalid_client"}, 401)
        with self._lock:
            self._granted += 1
            number = self._granted
        grant = {"access_token": f"token-{number}-of-the-issuer", "token_type": "Bearer"}
        lifetime = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return reply_json(grant | lifetime)

    def _introspect(self, request: RecordedRequest) -> Reply:
        if not self._knows_client(request):
            return reply_json({"error": "invalid_client"}, 401)
        token = parse_qs(request.body.decode())["token"][0]
        claims = self.active.get(token)
        return reply_json({"active": False} if claims is None else {"active": True, **claims})

    def _knows_client(self, request: RecordedRequest) -> bool:
        form = parse_qs(request.body.decode())
        if "client_secret" in form:
            return f"{form['client_id'][0]}:{form['client_secret'][0]}" == self.client
        expected = base64.b64encode(self.client.encode()).decode()
        return request.header("authorization") == f"Basic {expected}"

    def __enter__(self) -> Self:
        self._upstream.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._upstream._thread.is_alive():
            self.close()


def unsigned(claims: Mapping[str, object], header: Mapping[str, object], signature: bytes) -> str:
    """A token of these parts, whatever they are."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts).decode()
