"""The ways to origins: what calls under the operator's rules have to keep to, and what their
answers teach the calls that follow."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from naftiko_runtime.consumes.addresses import Address
from naftiko_runtime.consumes.breaker import Circuit
from naftiko_runtime.consumes.conduct import Conduct, Share
from naftiko_runtime.consumes.faults import label
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.consumes.pacing.bucket import SECOND
from naftiko_runtime.consumes.pacing.line import TooMany
from naftiko_runtime.consumes.pacing.pacer import Pacer
from naftiko_runtime.consumes.retrying import is_out_of_order, retry_after
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import UpstreamRequest


@dataclass(frozen=True, slots=True)
class Lane:
    """The way of one operation's calls to one origin. `pacers` has the narrowest first."""

    address: Address
    pacers: tuple[Pacer, ...]
    circuit: Circuit | None

    async def enter(self, request: UpstreamRequest, most_seconds: float) -> int:
        """Returns when a call may be sent, with the number under which `note` or `leave` is to be
        told what became of it. Raises CallFailed (TOO_MANY_CALLS, CIRCUIT_OPEN) when it may
        not."""
        self._check_circuit(request)
        for pacer in self.pacers[1:]:  # before a token of the first is spent in vain
            try:
                pacer.check(most_seconds)
            except TooMany as error:
                raise CallFailed(self._too_many(request, pacer, error)) from None
        for pacer in self.pacers:
            try:
                await pacer.turn(most_seconds)
            except TooMany as error:
                raise CallFailed(self._too_many(request, pacer, error)) from None
        if self.circuit is None:
            return 0
        self._check_circuit(request)
        return self.circuit.admit(time.monotonic())

    def note(self, number: int, outcome: UpstreamResponse | Failure) -> None:
        """What became of a call."""
        self._note_pace(outcome)
        if self.circuit is None:
            return
        if is_out_of_order(outcome):
            self.circuit.failed(number, time.monotonic())
        elif isinstance(outcome, Failure) and not outcome.executed:
            self.circuit.abandoned(number)
        else:
            self.circuit.succeeded(number)

    def leave(self, number: int) -> None:
        """A call was given up before anything became of it."""
        if self.circuit is not None:
            self.circuit.abandoned(number)

    def _note_pace(self, outcome: UpstreamResponse | Failure) -> None:
        """An upstream that is busy is left in peace for as long as it says. A 429 is about the
        calls of the narrowest bucket: one slow path need not stop all others."""
        if isinstance(outcome, Failure) or not self.pacers:
            return
        seconds = retry_after(outcome)
        if outcome.status == 429:
            pacer = self.pacers[0]
            if seconds is None:
                pacer.empty()
            else:
                pacer.pause(seconds)
        elif seconds is not None:
            self.pacers[-1].pause(seconds)

    def _check_circuit(self, request: UpstreamRequest) -> None:
        if self.circuit is None:
            return
        seconds = self.circuit.closed_for(time.monotonic())
        if seconds is None:
            return
        after = max(1, ceil(seconds))
        detail = (
            f"{label(request, self.address)}: not sent, since it has failed several times in a row "
            f"- try again in {after} s"
        )
        raise CallFailed(Failure(FailureKind.CIRCUIT_OPEN, detail, retry_after=after))

    def _too_many(self, request: UpstreamRequest, pacer: Pacer, error: TooMany) -> Failure:
        pacing, after = pacer.pacing, max(1, ceil(error.wait / SECOND))
        detail = (
            f"{label(request, self.address)}: not sent, since more calls want their turn than the "
            f"settings let wait ({pacing.rate:g} a second, {pacing.queue} in line for at most "
            f"{pacing.wait:g} s) - try again in {after} s"
        )
        return Failure(FailureKind.TOO_MANY_CALLS, detail, retry_after=after)


class Lanes:
    """The lanes of one process, whatever client sends on them. What they have learnt outlasts a
    change of the rules."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._pacers: dict[tuple[Share, str], Pacer] = {}
        self._circuits: dict[tuple[Share, str], Circuit] = {}

    def find(self, conduct: Conduct, address: Address) -> Lane:
        pacers = []
        for share, pacing in conduct.paces:
            pacer = self._pacers.get((share, address.origin))
            if pacer is None:
                pacer = self._pacers[share, address.origin] = Pacer(pacing, self._clock)
            elif pacer.pacing is not pacing:
                pacer.adopt(pacing)
            pacers.append(pacer)
        return Lane(address, tuple(pacers), self._circuit(conduct, address))

    def _circuit(self, conduct: Conduct, address: Address) -> Circuit | None:
        if conduct.breaker is None:
            return None
        share, settings = conduct.breaker
        circuit = self._circuits.get((share, address.origin))
        if circuit is None:
            circuit = self._circuits[share, address.origin] = Circuit(settings)
        circuit.settings = settings
        return circuit
