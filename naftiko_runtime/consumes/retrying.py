"""When a call is sent again, and how long to wait before it is.

A call whose method is not safe is sent again only if it provably never left: PUT and DELETE are
idempotent (RFC 9110, section 9.2.2), but one that is repeated after another caller's change undoes
that change, so they do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.plan.operation import SAFE_METHODS
from naftiko_runtime.settings.model import Retries

BUSY: Final = frozenset({429, 503})
"""Statuses that may come with a `Retry-After`."""

OUT_OF_ORDER: Final = frozenset({502, 503, 504})
"""Statuses by which a server, or a gateway before it, says that it cannot serve for now. A 500 is
not among them: there the service itself answers, and many do so for a call that makes no sense."""

LONGEST_PAUSE: Final = 900.0
"""No `Retry-After` is honoured for longer, in seconds."""

_PASSING: Final = BUSY | OUT_OF_ORDER
_SECONDS: Final = re.compile(r"[0-9]{1,18}")


def is_worth_repeating(outcome: UpstreamResponse | Failure, method: str) -> bool:
    """Whether sending a call again is without danger, and may end better."""
    is_safe = method in SAFE_METHODS
    if isinstance(outcome, UpstreamResponse):
        return is_safe and outcome.status in _PASSING
    if outcome.kind is FailureKind.UPSTREAM_UNREACHABLE:
        return not outcome.executed
    return is_safe and outcome.kind is FailureKind.UPSTREAM_BROKEN


def is_out_of_order(outcome: UpstreamResponse | Failure) -> bool:
    """Whether an origin gives no answer, or says itself that it cannot."""
    if isinstance(outcome, UpstreamResponse):
        return outcome.status in OUT_OF_ORDER
    if outcome.kind is FailureKind.UPSTREAM_TIMEOUT:
        return outcome.executed  # else all connections were busy with other calls
    return outcome.kind in (FailureKind.UPSTREAM_UNREACHABLE, FailureKind.UPSTREAM_BROKEN)


def pause_before(retries: Retries, tries: int, random: Callable[[], float]) -> float:
    """Seconds to wait after so many tries (1 or more): a random part of a time that doubles, so
    that those who failed together do not come back together. `random` gives 0 to 1."""
    doubled = min(retries.longest, retries.delay * 2.0 ** min(tries - 1, 60))
    return doubled * random()


def retry_after(outcome: UpstreamResponse | Failure, now: datetime | None = None) -> float | None:
    """The seconds of the `Retry-After` (RFC 9110, section 10.2.3) of a 429 or 503, at most
    LONGEST_PAUSE; None where there is none, or none that can be read."""
    if isinstance(outcome, Failure) or outcome.status not in BUSY:
        return None
    value = (outcome.header("retry-after") or "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE)
