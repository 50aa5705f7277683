"""Validates access tokens: by their signature, or by asking their issuer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import jwt

from naftiko_runtime.consumes.authorization_server import (
    AuthorizationServerError,
    Client,
    discover,
    post_form,
)
from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.exposes.authentication.claims import (
    Expected,
    Token,
    TokenRefused,
    check_claims,
)
from naftiko_runtime.exposes.authentication.keys import ALGORITHMS, IssuerKeys, Key
from naftiko_runtime.json_codec import JsonError, decode_json

_LONGEST: Final = 16 * 1024
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_JWS: Final = jwt.PyJWS(sorted(ALGORITHMS))


class Validation(Protocol):
    async def check(self, token: str) -> Token:
        """The token, if it is valid. Raises TokenRefused, or AuthorizationServerError when the
        issuer cannot be asked what has to be known."""
        ...


class SignedTokens:
    """JSON Web Tokens (RFC 9068), judged by the issuer's keys (`tokenValidation: jwks`).

    Of the token's header only `alg`, `kid` and `typ` are read: it can name no key of its own
    (`jwk`, `jku`, `x5u`), and nothing that has to be understood and is not (`crit`).
    """

    def __init__(
        self, keys: IssuerKeys, expected: Expected, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._expected = expected
        self._clock = clock

    async def check(self, token: str) -> Token:
        if not 0 < len(token) <= _LONGEST:
            raise TokenRefused("is empty or too long")
        try:
            header = _JWS.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise TokenRefused("is no JSON Web Token") from None
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise TokenRefused("is signed in a way that does not count here")
        kind = header.get("typ", "JWT")
        if "crit" in header or not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise TokenRefused("is not an access token")
        issuer, keys = await self._keys.find(key_id, algorithm)
        claims = _verified(token, keys, algorithm)
        try:
            document = decode_json(claims)
        except JsonError:
            document = None
        if not isinstance(document, dict):
            raise TokenRefused("holds no claims")
        return check_claims(document, issuer, self._expected, self._clock())


def _verified(token: str, keys: Sequence[Key], algorithm: str) -> bytes:
    for key in keys:
        try:
            payload: bytes = _JWS.decode(token, key.public, [algorithm])
        except jwt.PyJWTError:
            continue
        return payload
    raise TokenRefused("is not signed by its issuer")


class IntrospectedTokens:
    """Tokens of any form, about which the issuer is asked each time (RFC 7662)."""

    def __init__(
        self,
        issuer: str,
        upstreams: Upstreams,
        client: Client,
        expected: Expected,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._upstreams = upstreams
        self._client = client
        self._expected = expected
        self._clock = clock
        self._endpoint = ""
        self._name = issuer
        self._discovering = asyncio.Lock()

    async def check(self, token: str) -> Token:
        if not 0 < len(token) <= _LONGEST:
            raise TokenRefused("is empty or too long")
        endpoint = self._endpoint or await self._discovered()
        form = [("token", token), ("token_type_hint", "access_token")]
        try:
            status, claims = await post_form(
                self._upstreams, self._issuer, endpoint, form, self._client
            )
        except AuthorizationServerError:
            self._endpoint = ""  # it may have moved
            raise
        if status != 200:
            raise AuthorizationServerError(
                f"{endpoint} answered {status} - check clientId and clientSecret"
            )
        if claims.get("active") is not True:
            raise TokenRefused("is not active")
        return check_claims(claims, self._name, self._expected, self._clock(), vouched=True)

    async def _discovered(self) -> str:
        async with self._discovering:
            if self._endpoint:
                return self._endpoint
            metadata = await discover(self._upstreams, self._issuer, self._issuer)
            if not metadata.introspection_endpoint:
                raise AuthorizationServerError(
                    f'the metadata of {metadata.issuer} name no "introspection_endpoint"'
                )
            self._name = metadata.issuer
            self._endpoint = metadata.introspection_endpoint
            return self._endpoint
