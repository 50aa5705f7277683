"""User name and password (RFC 7617)."""

from __future__ import annotations

import base64
import binascii
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

_CHALLENGE: Final = written("Basic", [("realm", quoted(REALM)), ("charset", quoted("UTF-8"))])


class BasicScheme:
    """User name and password are compared as one text, so that a refusal does not say which of
    them was wrong."""

    def __init__(self, plan: InboundPlan) -> None:
        self._principal = Passed(f"basic:{plan.text('username')}")
        self._pair = Sealed(f"{plan.text('username')}:{plan.text('password')}")

    def presented(self, caller: Caller) -> bytes | None:
        return caller.credentials("basic")

    async def judge(self, caller: Caller) -> Verdict:
        given = caller.credentials("basic")
        if given is None:
            return missing("a user name and a password", _CHALLENGE)
        try:
            pair = base64.b64decode(given, validate=True)
        except binascii.Error:
            pair = b""
        if self._pair.is_(pair):
            return self._principal
        return wrong("the user name or the password", _CHALLENGE)

    def without_credentials(self, headers: Headers, query: bytes) -> tuple[Headers, bytes]:
        return without_authorization(headers), query
