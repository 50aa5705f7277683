"""What the claims of an access token have to say, however the token was validated."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

LEEWAY: Final = 30
"""Seconds that the issuer's clock may differ from ours."""


class TokenRefused(Exception):
    """A token that lets nobody in; the message is a clause about "the access token". `genuine`
    says that its issuer has issued it: then it is no guess."""

    def __init__(self, clause: str, *, genuine: bool = False) -> None:
        super().__init__(clause)
        self.genuine = genuine


@dataclass(frozen=True, slots=True)
class Expected:
    """Whom a token must come from and be meant for. `audiences` are the spellings that count;
    `scopes` are those that it must have."""

    audiences: frozenset[str]
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is valid. `missing` are the wanted scopes that it lacks."""

    principal: str
    missing: frozenset[str]


def check_claims(
    claims: Mapping[str, JsonValue],
    issuer: str,
    expected: Expected,
    now: float,
    *,
    vouched: bool = False,
) -> Token:
    """The token that claims make (RFC 9068, section 4; RFC 7662, section 2.2).

    `vouched` says that the issuer itself has just given the claims: it need not repeat its name,
    nor say when a token ends that is active now. `now` is in seconds. Raises TokenRefused.
    """
    if claims.get("iss") != issuer and not (vouched and "iss" not in claims):
        raise _unfit("comes from another issuer")
    if "exp" not in claims and not vouched:
        raise _unfit("says nothing of its expiry")
    _check_times(claims, now)
    audience = claims.get("aud")
    meant_for = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and each in expected.audiences for each in meant_for):
        raise _unfit("is not meant for this service: its audience is another one")
    return Token(_principal(claims), expected.scopes - _scopes(claims))


def _check_times(claims: Mapping[str, JsonValue], now: float) -> None:
    expiry = _time(claims, "exp")
    if expiry is not None and not expiry > now - LEEWAY:
        raise _unfit("has expired")
    for name in ("nbf", "iat"):
        start = _time(claims, name)
        if start is not None and not start <= now + LEEWAY:
            raise _unfit("is not valid yet")


def _time(claims: Mapping[str, JsonValue], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if not isinstance(value, bool) and isinstance(value, int | float | Decimal):
        with suppress(OverflowError):
            return float(value)
    raise _unfit(f'has a claim "{name}" that is no time')


def _unfit(clause: str) -> TokenRefused:
    return TokenRefused(clause, genuine=True)


def _scopes(claims: Mapping[str, JsonValue]) -> frozenset[str]:
    """`scope` (RFC 8693, section 4.2: text) or `scp`, each as text or list, as issuers write it."""
    given = claims.get("scope", claims.get("scp"))
    if isinstance(given, str):
        return frozenset(given.split(" "))
    if isinstance(given, list):
        return frozenset(each for each in given if isinstance(each, str))
    return frozenset()


def _principal(claims: Mapping[str, JsonValue]) -> str:
    """Who the token is about: subject and client, either of which may be absent."""
    subject, client = claims.get("sub"), claims.get("client_id", claims.get("azp"))
    return f"oauth2:{subject!r}:{client!r}"
