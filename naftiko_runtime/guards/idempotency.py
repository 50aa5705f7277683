"""What is known of a key that makes repeated calls one, as a pure state machine.

The first call with a key claims it before it sends anything. What becomes of the claim depends on
what is known at the end: the answer, which every repetition gets; that nothing was executed, which
frees the key; or nothing, which keeps the key taken, as the same order could be sent twice
otherwise. A process that dies leaves its claim as it is, which is to know nothing.

A call may end in a question of the upstream, upon which something is executed or not: repetitions
get the question. Whoever answers it closes the key before the answer is sent, so that none of them
is sent whatever becomes of the answer, and only a no that the upstream took frees it.
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
    ASKED = "asked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is taken. `owner` is the one call that may settle it, `request` what its
    repetitions have in common with it, and `answer` what they get once there is one. `question`
    is the id of the one that the call ended in."""

    owner: str
    request: str
    known: Known = Known.CLAIMED
    answer: Mapping[str, JsonValue] | None = None
    question: str = ""


class Standing(Enum):
    """Where a call stands that found a claim, or none."""

    OURS = "the key is free: the call may be sent once the claim is in place"
    REPLAY = "the answer is known"
    UNSETTLED = "another call has it, which may be on its way still"
    UNKNOWN = "nobody knows what became of it"
    CONFLICT = "it was used for something else"
    CLOSED = "the question that the call ended in has been answered"


def begin(claim: Claim | None, owner: str, request: str) -> tuple[Claim | None, Standing]:
    """What a call makes of what it found under its key, and where it stands."""
    if claim is None:
        return Claim(owner, request), Standing.OURS
    if claim.request != request or claim.owner == owner:
        return claim, Standing.CONFLICT  # no call repeats itself
    if claim.known in (Known.ANSWERED, Known.ASKED):
        return claim, Standing.REPLAY
    if claim.known is Known.CLOSED:
        return claim, Standing.CLOSED
    return claim, Standing.UNSETTLED if claim.known is Known.CLAIMED else Standing.UNKNOWN


class Settled(Enum):
    """How a call ended that has a key."""

    ANSWERED = "answered"
    NOT_EXECUTED = "not executed"
    UNKNOWN = "unknown"
    ASKED = "asked"


def settle(
    claim: Claim | None,
    owner: str,
    how: Settled,
    answer: Mapping[str, JsonValue] | None = None,
    question: str = "",
) -> Claim | None:
    """What the end of a call makes of what it finds under its key: only its own claim, and only
    once, is settled."""
    if claim is None or claim.owner != owner or claim.known is not Known.CLAIMED:
        return claim
    if how is Settled.NOT_EXECUTED:
        return None
    if how is Settled.UNKNOWN:
        return replace(claim, known=Known.UNKNOWN)
    if how is Settled.ASKED:
        return replace(claim, known=Known.ASKED, answer=answer, question=question)
    return replace(claim, known=Known.ANSWERED, answer=answer)


def begin_answer(claim: Claim | None, owner: str, question: str) -> Claim | None:
    """What a call that is about to answer a question makes of a key. It owns the key from then on,
    if the question was open."""
    if claim is None or claim.known is not Known.ASKED or claim.question != question:
        return claim
    return replace(claim, known=Known.CLOSED, owner=owner)


class Reply(Enum):
    """How a call ended that answers a question."""

    NOT_SENT = "nothing was sent"
    DECLINED = "the upstream took a no"
    ASKED_AGAIN = "another question followed"
    SENT = "anything else"


def end_answer(
    claim: Claim | None,
    owner: str,
    how: Reply,
    answer: Mapping[str, JsonValue] | None = None,
    question: str = "",
) -> Claim | None:
    """What the end of that call makes of it; nothing, where the key is not its own."""
    if claim is None or claim.owner != owner or claim.known is not Known.CLOSED:
        return claim
    if how is Reply.NOT_SENT:
        return replace(claim, known=Known.ASKED)
    if how is Reply.DECLINED:
        return None
    if how is Reply.ASKED_AGAIN:
        return replace(claim, known=Known.ASKED, answer=answer, question=question)
    return claim
