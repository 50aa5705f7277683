"""HTTP Digest (RFC 7616): the caller proves that he knows the password, and does not send it.

Quality of protection is `auth`; SHA-256 is offered before MD5, which older clients need.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from naftiko_runtime.exposes.authentication.caller import Caller, without_authorization
from naftiko_runtime.exposes.authentication.nonces import Nonces
from naftiko_runtime.exposes.authentication.scheme import (
    REALM,
    Headers,
    Passed,
    Refused,
    Verdict,
    missing,
    wrong,
)
from naftiko_runtime.failures import FailureKind
from naftiko_runtime.http_authentication import (
    AuthSyntaxError,
    parse_credentials,
    quoted,
    written,
)
from naftiko_runtime.http_digest import ALGORITHMS, response, user_hash
from naftiko_runtime.plan.inbound import InboundPlan

_COUNT: Final = re.compile(r"[0-9a-fA-F]{8}")
_WHAT: Final = "the user name or the password"


class DigestScheme:
    """Keeps the hash of user, realm and password for each algorithm, not the password."""

    def __init__(self, plan: InboundPlan, key: bytes) -> None:
        """`key` signs nonces; it is the same in all processes of a service."""
        self._username = plan.text("username")
        self._principal = Passed(f"digest:{self._username}")
        self._hashes = {
            algorithm: user_hash(algorithm, self._username, REALM, plan.text("password"))
            for algorithm in ALGORITHMS
        }
        self._nonces = Nonces(key)

    def presented(self, caller: Caller) -> bytes | None:
        """The nonce, which stays the same over many calls; the proof does not."""
        given = caller.credentials("digest")
        return None if given is None else _read(given).get("nonce", "").encode()

    async def judge(self, caller: Caller) -> Verdict:
        given = caller.credentials("digest")
        if given is None:
            return missing("a user name and a password", *self._challenges())
        proof = _read(given)
        if not self._is_proved(proof, caller):
            return wrong(_WHAT, *self._challenges())
        if not self._nonces.take(proof["nonce"], int(proof["nc"], 16)):
            challenges = self._challenges(stale=True)
            detail = "the nonce is used up - repeat the request with the new one"
            return Refused(FailureKind.UNAUTHENTICATED, detail, challenges)
        return self._principal

    def without_credentials(self, headers: Headers, query: bytes) -> tuple[Headers, bytes]:
        return without_authorization(headers), query

    def _is_proved(self, proof: Mapping[str, str], caller: Caller) -> bool:
        hashed = self._hashes.get(proof.get("algorithm", "MD5").upper())
        if (
            hashed is None
            or proof.get("qop") != "auth"
            or proof.get("realm") != REALM
            or not _COUNT.fullmatch(proof.get("nc", ""))
            or not proof.get("nonce")
            or not proof.get("cnonce")
            or proof.get("uri", "").encode("latin-1", "replace") != caller.target
        ):
            return False
        expected = response(
            proof.get("algorithm", "MD5").upper(),
            hashed,
            proof["nonce"],
            f"{proof['nc']}:{proof['cnonce']}:auth",
            caller.method,
            proof["uri"],
        )
        same_user = hmac.compare_digest(_username(proof), self._username.encode())
        given = proof.get("response", "").lower().encode("utf-8", "replace")
        return hmac.compare_digest(given, expected.encode()) and same_user

    def _challenges(self, *, stale: bool = False) -> tuple[str, ...]:
        """One challenge for each algorithm, the stronger first, all with the same nonce."""
        nonce = self._nonces.issue()
        return tuple(
            written(
                "Digest",
                [
                    ("realm", quoted(REALM)),
                    ("qop", quoted("auth")),
                    ("algorithm", algorithm),
                    ("nonce", quoted(nonce)),
                    *([("stale", "true")] if stale else []),
                    ("charset", "UTF-8"),
                ],
            )
            for algorithm in ALGORITHMS
        )


def _read(given: bytes) -> Mapping[str, str]:
    try:
        return parse_credentials("Digest " + given.decode("latin-1")).parameters
    except AuthSyntaxError:
        return {}


def _username(proof: Mapping[str, str]) -> bytes:
    """The user name as UTF-8, from `username` or `username*` (RFC 7616, section 3.4.4)."""
    extended = proof.get("username*")
    if extended is None:
        return proof.get("username", "").encode("latin-1", "replace")
    charset, _, rest = extended.partition("'")
    if charset.upper() != "UTF-8" or "username" in proof:
        return b""
    return unquote(rest.partition("'")[2], errors="replace").encode()
