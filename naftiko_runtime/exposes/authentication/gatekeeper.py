"""Judges callers by what adapters ask of them."""

from __future__ import annotations

import logging
import math
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Final, TypeAlias

from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.exposes.authentication.attempts import Attempts
from naftiko_runtime.exposes.authentication.caller import Caller
from naftiko_runtime.exposes.authentication.registry import SCHEMES, Means
from naftiko_runtime.exposes.authentication.scheme import Headers, Passed, Refused, Scheme
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.inbound import InboundPlan

_log = logging.getLogger("naftiko.authentication")
_MOST_SCHEMES: Final = 4096
_RETRY: Final = "5"
"""Seconds after which to ask again when an issuer of tokens does not answer."""

_WEIGHT: Final = (
    FailureKind.ISSUER_UNAVAILABLE,
    FailureKind.INSUFFICIENT_SCOPE,
    FailureKind.UNAUTHENTICATED,
)
"""Which of several refusals a caller is told: the one that comes closest to a yes."""


@dataclass(frozen=True, slots=True)
class Door:
    """What the adapters behind one way in ask of their callers.

    `plans` are the different ones in the order of the adapters. `open` says that some adapter asks
    for nothing. `metadata` are the public pages about protected resources, by path.
    """

    plans: tuple[InboundPlan, ...] = ()
    open: bool = True
    metadata: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))


OPEN: Final = Door()


def door_of(asked: Iterable[InboundPlan | None], metadata: Mapping[str, bytes]) -> Door:
    """The door to adapters that ask for these; no adapters at all make an open one."""
    everything = list(asked)
    plans = tuple(dict.fromkeys(plan for plan in everything if plan is not None))
    return Door(plans, None in everything or not everything, metadata) if plans else OPEN


@dataclass(frozen=True, slots=True)
class Admission:
    """The plans that a caller has passed, and who he is to them. No plans: an unknown caller, who
    sees what is open."""

    plans: frozenset[InboundPlan] = frozenset()
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a caller who does not get in."""

    failure: Failure
    headers: tuple[tuple[bytes, bytes], ...]


Verdict: TypeAlias = Admission | Refusal

ANYBODY: Final = Admission()


class Gatekeeper:
    """All schemes of a process, with what they remember: keys of issuers, nonces, wrong tries.

    Owned by the process and used from its event loop; it outlives reloads, so that a scheme that
    stays the same forgets nothing.
    """

    def __init__(self, issuers: Upstreams | None = None, key: bytes | None = None) -> None:
        """`issuers` asks authorization servers; without it no token of theirs is accepted. `key`
        is the same for all processes that share ports."""
        self._means = Means(issuers, key or secrets.token_bytes(32))
        self._schemes: OrderedDict[InboundPlan, Scheme] = OrderedDict()
        self._attempts = Attempts()

    async def admit(self, door: Door, caller: Caller) -> Verdict:
        """Which of the adapters behind a door a caller may see and call.

        Whoever gives no credentials sees what is open. Whoever gives some that pass nowhere is
        refused even then: he must learn that they are wrong, rather than miss what he expects.
        """
        schemes = [(plan, self._scheme(plan)) for plan in door.plans]
        given = {plan: scheme.presented(caller) for plan, scheme in schemes}
        tried = [credentials for credentials in given.values() if credentials is not None]
        if not tried and door.open:
            return ANYBODY
        wait = max((self._attempts.seconds_to_wait(caller.peer, each) for each in tried), default=0)
        if wait:
            return _slowed(wait)
        passed: dict[InboundPlan, str] = {}
        refused: list[Refused] = []
        for plan, scheme in schemes:
            verdict = await scheme.judge(caller)
            if isinstance(verdict, Passed):
                passed[plan] = verdict.principal
                self._attempts.passed(given[plan] or b"")
            else:
                refused.append(verdict)
        if passed:
            return Admission(frozenset(passed), "\n".join(passed.values()))
        if any(verdict.guess for verdict in refused):
            self._note_failure(caller, tried)
        return _refusal(refused)

    async def admit_to(self, plan: InboundPlan, caller: Caller) -> Verdict:
        """Whether a caller may call the operations of one adapter."""
        return await self.admit(Door((plan,), False), caller)

    def without_credentials(
        self, plan: InboundPlan, headers: Headers, query: bytes
    ) -> tuple[Headers, bytes]:
        """What an operation may see of a request: not what the caller was let in with, so that it
        cannot reach an upstream."""
        return self._scheme(plan).without_credentials(headers, query)

    def _scheme(self, plan: InboundPlan) -> Scheme:
        scheme = self._schemes.get(plan)
        if scheme is None:
            scheme = self._schemes[plan] = SCHEMES[plan.type](plan, self._means)
            if len(self._schemes) > _MOST_SCHEMES:
                self._schemes.popitem(last=False)
        return scheme

    def _note_failure(self, caller: Caller, tried: Sequence[bytes]) -> None:
        whole = b"\n".join([*tried, *caller.values(b"authorization")])
        if self._attempts.failed(caller.peer, tried[0], whole):
            _log.warning("many wrong credentials come from %s; it has to wait", caller.peer)


def _slowed(seconds: float) -> Refusal:
    wait = math.ceil(seconds)
    return Refusal(
        Failure(
            FailureKind.TOO_MANY_FAILURES,
            f"too many wrong credentials came from your address - wait {wait} s",
        ),
        ((b"retry-after", str(wait).encode()),),
    )


def _refusal(refused: Sequence[Refused]) -> Refusal:
    """What to tell a caller whom nothing lets in: every challenge where he has to authenticate."""
    told = min(refused, key=lambda each: _WEIGHT.index(each.kind))
    alike = [each for each in refused if each.kind is told.kind]
    tried = [each for each in alike if each.guess] or alike
    detail = " or ".join(dict.fromkeys(each.detail for each in tried))
    challenges = [text for each in alike for text in each.challenges]
    headers = [(b"www-authenticate", text.encode("latin-1", "replace")) for text in challenges]
    if told.kind is FailureKind.ISSUER_UNAVAILABLE:
        headers.append((b"retry-after", _RETRY.encode()))
    return Refusal(Failure(told.kind, detail), tuple(dict.fromkeys(headers)))
