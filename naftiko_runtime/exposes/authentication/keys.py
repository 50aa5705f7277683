"""The public keys that an issuer signs tokens with (RFC 7517)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from naftiko_runtime.consumes.authorization_server import (
    AuthorizationServerError,
    ServerMetadata,
    discover,
    fetch_json,
)
from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_BY_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC P-256": ("ES256",),
    "EC P-384": ("ES384",),
    "EC P-521": ("ES512",),
    "OKP Ed25519": ("EdDSA",),
}
"""The algorithms of each kind of key. All are signatures with a key pair: a shared secret, or
none, never counts, whatever a token's header or a key set says."""

ALGORITHMS: Final = frozenset(name for names in _BY_KIND.values() for name in names)

_FRESH_SECONDS: Final = 600.0
_STALE_SECONDS: Final = 3600.0
"""How long keys are used after the issuer was last heard of, while it cannot be reached."""

_PAUSE_SECONDS: Final = 2.0
"""How long a failure to get the keys counts for those who ask next."""

_REFRESHES: Final = 4
_SECONDS_PER_REFRESH: Final = 30.0
"""Key sets fetched because of unknown key ids: anyone can invent one, so they are rationed."""

_MOST_KEYS: Final = 64
_LEAST_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Key:
    id: str | None
    algorithms: frozenset[str]
    public: PublicKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """An issuer's keys, with its name as it spells it, at the time (monotonic) they were had."""

    issuer: str
    keys: tuple[Key, ...]
    at: float

    def matching(self, key_id: str | None, algorithm: str) -> Sequence[Key]:
        """The keys that a token may have been signed with; all of the algorithm where it names
        none."""
        return [
            key
            for key in self.keys
            if algorithm in key.algorithms and (key_id is None or key.id == key_id)
        ]


class IssuerKeys:
    """Keeps the key set of one issuer. Fetches it when a token first needs it, again when it has
    aged, and when a token names a key that is not in it."""

    def __init__(
        self, issuer: str, upstreams: Upstreams, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._upstreams = upstreams
        self._clock = clock
        self._set: KeySet | None = None
        self._checked = 0.0
        self._failure: tuple[float, str] | None = None
        self._fetching = asyncio.Lock()
        self._left = float(_REFRESHES)
        self._left_at = clock()

    async def find(self, key_id: str | None, algorithm: str) -> tuple[str, Sequence[Key]]:
        """The issuer's name and the keys to try. Raises AuthorizationServerError when there is no
        key set to look in."""
        asked = self._clock()
        current = await self._current()
        found = current.matching(key_id, algorithm)
        if not found and current.at < asked and self._may_refresh():
            current = await self._refreshed(current)
            found = current.matching(key_id, algorithm)
        return current.issuer, found

    async def _current(self) -> KeySet:
        known = self._set
        if known is not None and self._clock() - self._checked < _FRESH_SECONDS:
            return known
        return await self._refreshed(known)

    async def _refreshed(self, seen: KeySet | None) -> KeySet:
        """A newer key set than `seen`; callers who ask at the same time wait for one fetch."""
        async with self._fetching:
            known = self._set
            if known is not None and known is not seen:
                return known
            if self._failure is not None and self._clock() - self._failure[0] < _PAUSE_SECONDS:
                return self._kept(known, self._failure[1])
            try:
                self._set = await self._fetch()
            except AuthorizationServerError as error:
                self._failure = (self._clock(), str(error))
                return self._kept(known, str(error))
            self._failure, self._checked = None, self._clock()
            return self._set

    def _kept(self, known: KeySet | None, why: str) -> KeySet:
        """The last key set, for a while after its issuer was heard of last."""
        if known is None or self._clock() - known.at > _FRESH_SECONDS + _STALE_SECONDS:
            raise AuthorizationServerError(why)
        return known

    def _may_refresh(self) -> bool:
        now = self._clock()
        self._left = min(_REFRESHES, self._left + (now - self._left_at) / _SECONDS_PER_REFRESH)
        self._left_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def _fetch(self) -> KeySet:
        metadata = await discover(self._upstreams, self._issuer, self._issuer)
        document = await fetch_json(self._upstreams, self._issuer, _keys_uri(metadata))
        listed = document.get("keys")
        if not isinstance(listed, list):
            raise AuthorizationServerError(f"{metadata.jwks_uri} holds no key set")
        read = (read_key(each) for each in listed[:_MOST_KEYS] if isinstance(each, dict))
        keys = tuple(key for key in read if key is not None)
        return KeySet(metadata.issuer, keys, self._clock())


def _keys_uri(metadata: ServerMetadata) -> str:
    if not metadata.jwks_uri:
        raise AuthorizationServerError(f'the metadata of {metadata.issuer} name no "jwks_uri"')
    return metadata.jwks_uri


def read_key(jwk: Mapping[str, JsonValue]) -> Key | None:
    """A public key for signatures out of a key set; None for any other, which is passed over."""
    kind = " ".join(str(jwk[name]) for name in ("kty", "crv") if name in jwk)
    algorithms = _BY_KIND.get(kind)
    operations = jwk.get("key_ops")
    if algorithms is None or jwk.get("use", "sig") != "sig":
        return None
    if isinstance(operations, list) and "verify" not in operations:
        return None
    if "alg" in jwk:
        algorithms = tuple(name for name in algorithms if name == jwk["alg"])
    try:
        public = jwt.PyJWK({**jwk, "alg": _BY_KIND[kind][0]}).key
    except jwt.PyJWTError:
        return None
    if not isinstance(public, PublicKey) or not algorithms:
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < _LEAST_RSA_BITS:
        return None
    key_id = jwk.get("kid")
    return Key(key_id if isinstance(key_id, str) else None, frozenset(algorithms), public)
