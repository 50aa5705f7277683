"""A key in a header or a query parameter whose name the file gives."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from naftiko_runtime.exposes.authentication.caller import Caller
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

_PRINCIPAL: Final = Passed("apikey")


class ApiKeyScheme:
    """A key that is given twice is wrong, whatever the two are.

    HTTP has no registered challenge for keys, and a 401 must have one (RFC 9110, section 15.5.2):
    `ApiKey` says in words of its own where the key goes.
    """

    def __init__(self, plan: InboundPlan) -> None:
        self._key = Sealed(plan.text("value"))
        self._in_query = plan.in_query
        name = plan.text("key")
        self._name = name.encode() if plan.in_query else name.lower().encode()
        place = "query parameter" if plan.in_query else "header"
        self._what = f'a key in the {place} "{name}"'
        self._challenge = written(
            "ApiKey",
            [
                ("realm", quoted(REALM)),
                ("in", quoted("query" if plan.in_query else "header")),
                ("name", quoted(name)),
            ],
        )

    def presented(self, caller: Caller) -> bytes | None:
        keys = self._given(caller)
        return b"\n".join(keys) if keys else None

    async def judge(self, caller: Caller) -> Verdict:
        keys = self._given(caller)
        if not keys:
            return missing(self._what, self._challenge)
        if len(keys) == 1 and self._key.is_(keys[0]):
            return _PRINCIPAL
        return wrong("the key", self._challenge)

    def without_credentials(self, headers: Headers, query: bytes) -> tuple[Headers, bytes]:
        if self._in_query:
            rest = [part for part in query.split(b"&") if self._named(part) is None]
            return headers, b"&".join(rest)
        return [pair for pair in headers if pair[0] != self._name], query

    def _given(self, caller: Caller) -> list[bytes]:
        if not self._in_query:
            return [value.strip() for value in caller.values(self._name)]
        found = (self._named(part) for part in caller.query_string.split(b"&"))
        return [value for value in found if value is not None]

    def _named(self, part: bytes) -> bytes | None:
        """The value of a query parameter, if it is the key's."""
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        return unquote_to_bytes(value) if unquote_to_bytes(name) == self._name else None
