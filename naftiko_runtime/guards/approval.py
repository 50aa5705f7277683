"""The life of a call that a person has to approve, as a pure state machine.

A call is parked under a hash of all that identifies it: who asks, through which protocol, for
which request, by which version of which capability file. Whoever changes one of them asks for
another call. A record says what has been decided about one; `step` says what becomes of it when
something happens, and what the one who saw it happen may do. Records are replaced by
compare-and-set alone, so that of two who act on the same record one has to look again.

A person's yes is used up by the first caller who takes it, before anything is sent: a crash after
that loses the yes, and never sends a request twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import TypeAlias

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.origin import Origin


class Decision(Enum):
    """What a person has said of a parked call so far."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ParkedCall:
    """A call that waits for a person, or for its caller to come back.

    `until` is when it is forgotten, by the store's clock; `expires` how long each wait may take.
    `capability` and `name` say which exposed operation or tool asked; `operation` is the consumed
    one. `request` is `{method, url, headers, body}` as it would be sent, without credentials;
    `preview` what the upstream says would come of it, None where it was not asked. `by` is who
    decided.
    """

    id: str
    origin: Origin
    capability: str
    name: str
    operation: str
    request: Mapping[str, JsonValue]
    arguments: Mapping[str, JsonValue]
    until: float
    expires: float
    preview: JsonValue = None
    decision: Decision = Decision.OPEN
    by: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The call came in. `call` is how it would be parked; its id is used by no other."""

    call: ParkedCall


@dataclass(frozen=True, slots=True)
class Decided:
    """A person decided on the call of that id."""

    id: str
    approve: bool
    by: str


Event: TypeAlias = Asked | Decided


class Effect(Enum):
    """What follows, once the record of the step is in place of the one before."""

    WAIT = "the caller is told to wait for a person"
    REFUSE = "the caller is told that a person refused"
    SEND = "the caller, and nobody else, sends the request, once"
    NOTED = "the person is told that it has been noted"
    TOO_LATE = "the person is told that there is nothing to decide any more"


@dataclass(frozen=True, slots=True)
class Step:
    """The record to put in place of the one before (None: none), and what follows."""

    record: ParkedCall | None
    effect: Effect


def step(record: ParkedCall | None, event: Event, now: float) -> Step:
    """What an event makes of a record; None is no record, as is one whose time is over."""
    if record is not None and record.until <= now:
        record = None
    if isinstance(event, Asked):
        return _asked(record, event.call)
    return _decided(record, event, now)


def _asked(record: ParkedCall | None, call: ParkedCall) -> Step:
    if record is None:
        return Step(call, Effect.WAIT)
    if record.decision is Decision.APPROVED:
        return Step(None, Effect.SEND)
    if record.decision is Decision.REFUSED:
        return Step(record, Effect.REFUSE)
    return Step(record, Effect.WAIT)


def _decided(record: ParkedCall | None, event: Decided, now: float) -> Step:
    """A no is final. A yes can be taken back until the caller has used it; saying it again gives
    no more time."""
    if record is None or record.id != event.id or record.decision is Decision.REFUSED:
        return Step(record, Effect.TOO_LATE)
    if event.approve and record.decision is Decision.APPROVED:
        return Step(record, Effect.NOTED)
    decision = Decision.APPROVED if event.approve else Decision.REFUSED
    until = now + record.expires
    return Step(replace(record, decision=decision, until=until, by=event.by), Effect.NOTED)
