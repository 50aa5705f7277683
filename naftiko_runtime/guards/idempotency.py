"""What is known of a key that makes repeated calls one, as a pure state machine.

The first call with a key claims it before it sends anything. What becomes of the claim depends on
what is known at the end: the answer, which every repetition gets; that nothing was executed, which
frees the key; or nothing, which keeps the key taken, as the same order could be sent twice
otherwise. A process that dies leaves its claim as it is, which is to know nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass


class Known(Enum):
    """What is known of the outcome of the call that has a key."""

    CLAIMED = "claimed"
    ANSWERED = "answered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is taken. `owner` is the one call that may settle it, `request` what its
    repetitions have in common with it, and `answer` what they get once there is one."""

    owner: str
    request: str
    known: Known = Known.CLAIMED
    answer: Mapping[str, JsonValue] | None = None


class Standing(Enum):
    """Where a call stands that found a claim, or none."""

    OURS = "the key is free: the call may be sent once the claim is in place"
    REPLAY = "the answer is known"
    UNSETTLED = "another call has it, which may be on its way still"
    UNKNOWN = "nobody knows what became of it"
    CONFLICT = "it was used for something else"


def begin(claim: Claim | None, owner: str, request: str) -> tuple[Claim | None, Standing]:
    """What a call makes of what it found under its key, and where it stands."""
    if claim is None:
        return Claim(owner, request), Standing.OURS
    if claim.request != request or claim.owner == owner:
        return claim, Standing.CONFLICT  # no call repeats itself
    if claim.known is Known.ANSWERED:
        return claim, Standing.REPLAY
    return claim, Standing.UNSETTLED if claim.known is Known.CLAIMED else Standing.UNKNOWN


class Settled(Enum):
    """How a call ended that has a key."""

    ANSWERED = "answered"
    NOT_EXECUTED = "not executed"
    UNKNOWN = "unknown"


def settle(
    claim: Claim | None, owner: str, how: Settled, answer: Mapping[str, JsonValue] | None = None
) -> Claim | None:
    """What the end of a call makes of what it finds under its key: only its own claim, and only
    once, is settled."""
    if claim is None or claim.owner != owner or claim.known is not Known.CLAIMED:
        return claim
    if how is Settled.NOT_EXECUTED:
        return None
    if how is Settled.UNKNOWN:
        return replace(claim, known=Known.UNKNOWN)
    return replace(claim, known=Known.ANSWERED, answer=answer)
