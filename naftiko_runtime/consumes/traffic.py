"""Sends calls as the operator's rules say: in turn, again where that is without danger, and not at
all to an origin that is out of order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import TypeAlias

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.consumes.conduct import Conduct, Conducts
from naftiko_runtime.consumes.lanes import Lane, Lanes
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.consumes.retrying import is_worth_repeating, pause_before, retry_after
from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.plan.calls import method_of
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import UpstreamRule

Attempt: TypeAlias = Callable[[UpstreamRequest, float | None], Awaitable[UpstreamResponse]]
"""Sends a request once, to be answered before a deadline in the loop's time. Raises CallFailed."""


class Traffic:
    """All that the operator's rules say about sending, and what they led to so far: owned by the
    client that sends calls, shared with the one that streams. Nothing of it has to be closed.

    `is_ruled` is False where the rules say nothing, so that calls are just sent.
    """

    def __init__(self) -> None:
        self.is_ruled = False
        self._rules: tuple[UpstreamRule, ...] = ()
        self._conducts = Conducts()
        self._lanes = Lanes()

    def adopt(self, rules: Sequence[UpstreamRule]) -> None:
        """Goes by these rules from the next call on."""
        if tuple(rules) != self._rules:
            self._rules = tuple(rules)
            self._conducts = Conducts(self._rules)
            self.is_ruled = bool(self._conducts)

    def conduct_of(self, request: UpstreamRequest) -> Conduct | None:
        """None where a request is just sent."""
        return self._conducts.find(request) if self.is_ruled else None

    def lane(self, request: UpstreamRequest, conduct: Conduct) -> Lane | None:
        """None where there is nothing to keep to, and for a URL that nothing can be sent to."""
        if not conduct.is_governed:
            return None
        try:
            return self._lanes.find(conduct, split_url(request.url)[0])
        except AddressError:
            return None

    async def send(
        self, request: UpstreamRequest, conduct: Conduct, attempt: Attempt, seconds: float
    ) -> UpstreamResponse:
        """The answer to a request, at the latest so many `seconds` after its first turn came.
        Raises CallFailed."""
        lane = self.lane(request, conduct)
        if lane is None:
            return await attempt(request, None)
        loop = asyncio.get_running_loop()
        deadline, tries, last = inf, 0, None
        while True:
            try:
                number = await lane.enter(request, deadline - loop.time())
            except CallFailed:
                if last is None:
                    raise
                return _given(last)
            deadline = min(deadline, loop.time() + seconds)
            last = await _try(lane, number, request, attempt, deadline)
            tries += 1
            pause = _pause_before_next(conduct, request, last, tries)
            if pause is None or loop.time() + pause >= deadline:
                return _given(last)
            await asyncio.sleep(pause)


async def _try(
    lane: Lane, number: int, request: UpstreamRequest, attempt: Attempt, deadline: float
) -> UpstreamResponse | Failure:
    outcome: UpstreamResponse | Failure | None = None
    try:
        outcome = await attempt(request, deadline)
    except CallFailed as failed:
        outcome = failed.failure
    finally:
        if outcome is None:
            lane.leave(number)
        else:
            lane.note(number, outcome)
    return outcome


def _pause_before_next(
    conduct: Conduct, request: UpstreamRequest, last: UpstreamResponse | Failure, tries: int
) -> float | None:
    """Seconds until another try, None when there is to be none."""
    retries = conduct.retries
    if retries is None or tries > retries.times or not is_worth_repeating(last, method_of(request)):
        return None
    pause = pause_before(retries, tries, random.random)
    return max(pause, retry_after(last) or 0.0)


def _given(outcome: UpstreamResponse | Failure) -> UpstreamResponse:
    if isinstance(outcome, Failure):
        raise CallFailed(outcome)
    return outcome
