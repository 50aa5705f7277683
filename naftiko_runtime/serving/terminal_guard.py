"""Holds a call from a terminal against the operator's guards, whichever callers they are for.

What a person has to approve is parked, and keys are remembered, in the state that processes share.
Without one they would be gone with the command, so that a call that needs them is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.guards.rulebook import Rulebook
from naftiko_runtime.plan.destinations import Target
from naftiko_runtime.plan.operation import OperationPlan, UpstreamRequest
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.settings.model import IN_MEMORY, GuardRule, RuntimeSettings

TERMINAL: Final = "terminal"
"""The protocol of calls from a terminal, as an origin names it."""


def for_a_terminal(collection: Collection) -> Collection:
    """The collection with the guards that hold for a terminal: all of them, but for what only
    StatelessGuard can judge."""
    settings = collection.settings
    rules = settings.guards
    if settings.state == IN_MEMORY:
        rules = tuple(replace(rule, approve=None, idempotency=None) for rule in rules)
    settings = replace(settings, guards=_for_terminals(rules))
    return replace(collection, operator=replace(collection.operator, settings=settings))


def _for_terminals(rules: Iterable[GuardRule]) -> tuple[GuardRule, ...]:
    return tuple(replace(rule, callers=frozenset({TERMINAL})) for rule in rules)


class StatelessGuard:
    """Implements `Upstreams` for calls of one operation that have passed all other guards: refuses
    those for which something would have to be remembered where nothing is. Closes nothing."""

    def __init__(
        self,
        upstreams: Upstreams,
        settings: RuntimeSettings,
        targets: Iterable[Target],
        plan: OperationPlan,
    ) -> None:
        self._upstreams = upstreams
        self._plan = plan
        self._settings = settings
        rules = settings.guards if settings.state == IN_MEMORY else ()
        self._rulebook = Rulebook(_for_terminals(rules), targets)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        rules = self._rulebook.rules_for(request, TERMINAL)
        if self._rulebook.may_change(self._plan, request, rules):
            if any(rule.approve is not None for rule in rules):
                raise self._refusal(request, FailureKind.APPROVAL_REQUIRED, "a person's approval")
            if any(rule.idempotency is not None for rule in rules):
                raise self._refusal(request, FailureKind.READ_ONLY, "a key that is remembered")
        return await self._upstreams.send(request)

    async def aclose(self) -> None:
        """The upstreams are whose they were."""

    def _refusal(self, request: UpstreamRequest, kind: FailureKind, what: str) -> CallFailed:
        detail = (
            f'"{request.operation}" was not sent: {self._settings.file} asks for {what}, and '
            "without a state that processes share this command cannot see to it - make the call "
            "through the running service, or look at it with --dry-run"
        )
        return CallFailed(Failure(kind, detail))
