"""What `naftiko approve` says to a running process: as on the page, for programs, with a key.

The key is in a file that only the user who started the process can read. Cookies count for nothing
here, so that no page can make a browser use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from naftiko_runtime.exposes.approvals.decisions import Decisions
from naftiko_runtime.exposes.authentication.sealed import Sealed
from naftiko_runtime.exposes.endpoints import Handler, Request, json_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.request_body import read_body
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.guards.approval import ParkedCall
from naftiko_runtime.json_codec import JsonError, decode_request_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.state.store import StateUnavailable

PREFIX: Final = "operator"
"""The first segment of the paths here."""

_LARGEST: Final = 4096
_BY: Final = "naftiko approve"


class Remote:
    """The endpoints of one process. `key` is what callers have to bring."""

    def __init__(self, decisions: Callable[[], Decisions], key: str) -> None:
        self._decisions = decisions
        self._key = Sealed(key)

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("operator", "calls"):
                return {"GET": self._list}
            case ("operator", "calls", _):
                return {"POST": self._decide}
        return None

    async def _list(self, request: Request) -> Reply:
        self._check(request)
        try:
            now, calls = await self._decisions().now(), await self._decisions().pending()
        except StateUnavailable as error:
            raise fail(FailureKind.STATE_UNAVAILABLE, str(error)) from None
        return json_reply({"calls": [_described(call, now) for call in calls]})

    async def _decide(self, request: Request) -> Reply:
        self._check(request)
        approve = await _read_decision(request)
        try:
            noted = await self._decisions().decide(request.segments[2], approve, _BY)
        except StateUnavailable as error:
            raise fail(FailureKind.STATE_UNAVAILABLE, str(error)) from None
        return json_reply({"noted": noted})

    def _check(self, request: Request) -> None:
        given = request.caller.credentials("bearer")
        if given is None or not self._key.is_(given):
            raise fail(FailureKind.UNAUTHENTICATED, "the key of this process is asked for here")


def _described(call: ParkedCall, now: float) -> JsonValue:
    return {
        "id": call.id,
        "protocol": call.origin.protocol,
        "principal": call.origin.principal,
        "capability": call.capability,
        "name": call.name,
        "operation": call.operation,
        "request": dict(call.request),
        "arguments": dict(call.arguments),
        "preview": call.preview,
        "seconds": max(0, round(call.until - now)),
    }


async def _read_decision(request: Request) -> bool:
    body = await read_body(request.headers, request.receive, _LARGEST)
    try:
        value = decode_request_json(body or b"")
    except JsonError:
        value = None
    approve = value.get("approve") if isinstance(value, dict) else None
    if not isinstance(approve, bool):
        raise fail(FailureKind.INVALID_INPUT, '"approve" is neither true nor false')
    return approve
