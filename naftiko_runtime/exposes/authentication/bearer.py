"""Bearer tokens that are known in advance (RFC 6750, section 2.1)."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.exposes.authentication.caller import Caller, without_authorization
from naftiko_runtime.exposes.authentication.scheme import (
    REALM,
    Headers,
    Passed,
    Verdict,
    missing,
    wrong,
)
from naftiko_runtime.exposes.authentication.sealed import Sealed
from naftiko_runtime.http_authentication import quoted, written
from naftiko_runtime.plan.inbound import InboundPlan

_PRINCIPAL: Final = Passed("bearer")
_WHAT: Final = 'a token in "Authorization: Bearer TOKEN"'
_CHALLENGE: Final = written("Bearer", [("realm", quoted(REALM))])
_INVALID: Final = written("Bearer", [("realm", quoted(REALM)), ("error", quoted("invalid_token"))])


class BearerScheme:
    def __init__(self, plan: InboundPlan) -> None:
        self._token = Sealed(plan.text("token"))

    def presented(self, caller: Caller) -> bytes | None:
        return caller.credentials("bearer")

    async def judge(self, caller: Caller) -> Verdict:
        given = caller.credentials("bearer")
        if given is None:
            return missing(_WHAT, _CHALLENGE)
        return _PRINCIPAL if self._token.is_(given) else wrong("the bearer token", _INVALID)

    def without_credentials(self, headers: Headers, query: bytes) -> tuple[Headers, bytes]:
        return without_authorization(headers), query
