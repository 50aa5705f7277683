"""Proves a password to upstreams that challenge for it (RFC 7616).

The first request to an upstream goes out without credentials and is answered with a challenge;
later ones answer the last challenge ahead, until the upstream says that its nonce is stale.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.consumes.credentials.handshake import (
    Send,
    challenges_of,
    origin_of,
    with_authorization,
)
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.http_authentication import AuthFields, parse_challenges, quoted, written
from naftiko_runtime.http_digest import ALGORITHMS, response, session_hash, user_hash
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.logins import DigestLogin
from naftiko_runtime.plan.operation import UpstreamRequest

_MOST: Final = 256
"""Upstreams and users whose challenge is kept."""

_SESSION: Final = "-SESS"
_ASCII: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(slots=True)
class _Challenge:
    """The last challenge of an upstream to a user, how often it was answered, and whether answers
    were accepted. It is not answered ahead any more once one was refused. The client's nonce stays
    the same as long as the upstream's, which the `-sess` variants need."""

    fields: AuthFields
    algorithm: str
    in_session: bool
    cnonce: str
    count: int = 0
    accepted: bool = False
    refused: bool = False


class DigestChallenges:
    """Implements Handshake for DigestLogin."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._known: OrderedDict[tuple[str, DigestLogin], _Challenge] = OrderedDict()

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """The answer; a 401 is passed on when the upstream gives no new challenge that could be
        answered, so a wrong password is tried once."""
        login = _login(request)
        key = (origin_of(request.url), login)
        known = self._known.get(key)
        ahead = None if known is None or known.refused else known
        value = None if ahead is None else _answer(ahead, request, login)
        first = await self._send(with_authorization(request, value))
        if first.status != 401:
            if ahead is not None:
                ahead.accepted = True
            return first
        offered = _best(challenges_of(first))
        if offered is None or not _is_news(offered, ahead):
            if ahead is not None:
                ahead.refused = True
            return first
        latest = self._known.get(key)  # another call may have been challenged meanwhile
        if latest is not None and latest.fields == offered.fields:
            offered = latest
        self._remember(key, offered)
        second = await self._send(with_authorization(request, _answer(offered, request, login)))
        offered.accepted, offered.refused = second.status != 401, second.status == 401
        return second

    async def authorized(self, request: UpstreamRequest) -> UpstreamRequest:
        """Where there is no challenge to answer yet, a HEAD request, which changes nothing, asks
        for one."""
        login = _login(request)
        key = (origin_of(request.url), login)
        known = self._known.get(key)
        if known is None or known.refused:
            probe = replace(with_authorization(request, None), method="HEAD", content=None)
            answer = await self._send(probe)
            known = _best(challenges_of(answer)) if answer.status == 401 else None
            if known is not None:
                self._remember(key, known)
        value = None if known is None else _answer(known, request, login)
        return with_authorization(request, value)

    def note_refusal(self, request: UpstreamRequest, challenges: Sequence[str]) -> None:
        key = (origin_of(request.url), _login(request))
        known, offered = self._known.get(key), _best(challenges)
        if known is not None:
            known.refused = True
        if offered is not None and (known is None or offered.fields != known.fields):
            self._remember(key, offered)

    async def aclose(self) -> None:
        self._known.clear()

    def _remember(self, key: tuple[str, DigestLogin], challenge: _Challenge) -> None:
        self._known[key] = challenge
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


def _login(request: UpstreamRequest) -> DigestLogin:
    assert isinstance(request.login, DigestLogin)
    return request.login


def _is_news(offered: _Challenge, answered: _Challenge | None) -> bool:
    """Whether to answer a challenge that came after an answer. Not where the upstream says no to
    the password itself: the nonce was not stale, and answers with it have not been accepted
    before (some servers replace a nonce without a word)."""
    if answered is None:
        return True
    new, old = offered.fields.parameters, answered.fields.parameters
    if new.get("stale", "").lower() == "true" or new["realm"] != old["realm"]:
        return True
    return answered.accepted and new["nonce"] != old["nonce"]


def _best(values: Sequence[str]) -> _Challenge | None:
    """The strongest challenge that can be answered. Never another scheme: Basic would give the
    password away to whoever asks for it."""
    found: dict[str, _Challenge] = {}
    for fields in parse_challenges(values):
        name = fields.parameters.get("algorithm", "MD5").upper()
        algorithm = name.removesuffix(_SESSION)
        qualities = fields.parameters.get("qop")
        usable = qualities is None or "auth" in [each.strip() for each in qualities.split(",")]
        known = algorithm in ALGORITHMS and "nonce" in fields.parameters
        if fields.scheme == "digest" and known and usable and "realm" in fields.parameters:
            challenge = _Challenge(
                fields, algorithm, name.endswith(_SESSION), secrets.token_urlsafe(18)
            )
            found.setdefault(algorithm, challenge)
    return next((found[name] for name in ALGORITHMS if name in found), None)


def _answer(challenge: _Challenge, request: UpstreamRequest, login: DigestLogin) -> str | None:
    """The credentials for one request. None for a URL that nothing can be sent to."""
    try:
        target = split_url(request.url)[1].decode("ascii")
    except AddressError:
        return None
    given = challenge.fields.parameters
    hashed = user_hash(challenge.algorithm, login.username, given["realm"], login.password.reveal())
    if challenge.in_session:
        hashed = session_hash(challenge.algorithm, hashed, given["nonce"], challenge.cnonce)
    challenge.count += 1
    count = f"{challenge.count:08x}"
    counted = f"{count}:{challenge.cnonce}:auth" if "qop" in given else ""
    proof = response(challenge.algorithm, hashed, given["nonce"], counted, request.method, target)
    fields = [
        _username(login.username),
        ("realm", quoted(given["realm"])),
        ("nonce", quoted(given["nonce"])),
        ("uri", quoted(target)),
        ("response", quoted(proof)),
    ]
    if "algorithm" in given:
        fields.append(("algorithm", given["algorithm"]))
    if "opaque" in given:
        fields.append(("opaque", quoted(given["opaque"])))
    if counted:
        fields += [("qop", "auth"), ("nc", count), ("cnonce", quoted(challenge.cnonce))]
    elif challenge.in_session:
        fields.append(("cnonce", quoted(challenge.cnonce)))
    return written("Digest", fields)


def _username(name: str) -> tuple[str, str]:
    if _ASCII.fullmatch(name):
        return "username", quoted(name)
    return "username*", f"UTF-8''{quote(name, safe='')}"
