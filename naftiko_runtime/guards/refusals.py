"""What callers are told when a guard keeps a request from being sent."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.guards.approval import ParkedCall
from naftiko_runtime.guards.idempotency import Standing
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.settings.model import ApprovalPage

_KEYS: Final = {
    Standing.CONFLICT: (
        FailureKind.KEY_CONFLICT,
        "was used for another call before - repeat that call as it was, or give a new key",
    ),
    Standing.CLOSED: (
        FailureKind.KEY_CONFLICT,
        "was used by a call that ended in a question, which has been answered since - look what "
        "became of it before you order the same with a new key",
    ),
    Standing.UNSETTLED: (
        FailureKind.OUTCOME_UNKNOWN,
        "is in use by a call that has not ended - look what became of it before you repeat it",
    ),
    Standing.UNKNOWN: (
        FailureKind.OUTCOME_UNKNOWN,
        "was used by a call of which nobody knows whether it was executed - look before you order "
        "the same with a new key",
    ),
}


def halted(reason: str) -> Failure:
    return Failure(FailureKind.HALTED, f"{reason} - nothing was sent; reading goes on")


def read_only(operation: str) -> Failure:
    detail = (
        f'"{operation}" can change something, which the operator\'s settings do not allow - '
        "nothing was sent"
    )
    return Failure(FailureKind.READ_ONLY, detail)


def not_forwarded(method: str, upstream: str) -> Failure:
    detail = (
        f'{method} is not passed on to "{upstream}", since the operator guards operations there - '
        "call the operation itself"
    )
    return Failure(FailureKind.READ_ONLY, detail)


def key_taken(operation: str, standing: Standing) -> Failure:
    kind, what = _KEYS[standing]
    executed = kind is FailureKind.OUTCOME_UNKNOWN
    return Failure(kind, f'the key of "{operation}" {what}', executed=executed)


def approval_required(call: ParkedCall, page: ApprovalPage) -> Failure:
    url = page.link(call.id)
    seconds = math.ceil(call.expires)
    detail = (
        f'a person has to approve "{call.name}" first, at {url} or with "naftiko approve '
        f'{call.id}" - then make the same call again within {seconds} s'
    )
    message = f'"{call.name}" wants to send {call.request["method"]} {call.request["url"]}'
    return Failure(
        FailureKind.APPROVAL_REQUIRED,
        detail,
        details={"approval": _shown(call, url)},
        question=Question(call.id, message, url),
    )


def _shown(call: ParkedCall, url: str) -> dict[str, JsonValue]:
    expires = datetime.fromtimestamp(call.until, UTC).isoformat(timespec="seconds")
    shown: dict[str, JsonValue] = {
        "id": call.id,
        "url": url,
        "expires": expires.replace("+00:00", "Z"),
        "request": dict(call.request),
    }
    if call.preview is not None:
        shown["preview"] = call.preview
    return shown


def approval_refused(call: ParkedCall) -> Failure:
    detail = f'a person refused "{call.name}" - nothing was sent; do not try again'
    return Failure(FailureKind.APPROVAL_REFUSED, detail, details={"approval": {"id": call.id}})


def approval_missed(call: ParkedCall) -> Failure:
    detail = f'nobody approved "{call.name}" in time - nothing was sent'
    return Failure(FailureKind.APPROVAL_REFUSED, detail, details={"approval": {"id": call.id}})


def no_room(name: str, seconds: float) -> Failure:
    detail = (
        f'"{name}" has to be approved, and too many calls wait for a person already - nothing was '
        "sent; have some of them approved or refused first"
    )
    return Failure(FailureKind.TOO_MANY_CALLS, detail, retry_after=max(1, math.ceil(seconds)))


def too_large(name: str) -> Failure:
    detail = f'"{name}" is too large for a person to look through - nothing was sent'
    return Failure(FailureKind.APPROVAL_REFUSED, detail)


def unavailable(kind: FailureKind, why: str) -> Failure:
    return Failure(kind, f"nothing was sent: {why}", retry_after=5)
