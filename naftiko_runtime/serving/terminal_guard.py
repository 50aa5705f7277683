"""Holds a call from a terminal against the operator's guards.

They are for the callers of a running process, which parks calls, remembers keys and keeps the
journal. A call from a terminal has none of that, so that what would need it is refused; the other
guards hold as they do there, whichever callers they are for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.guards.limits import breach_of
from naftiko_runtime.guards.refusals import halted, read_only
from naftiko_runtime.guards.request_document import document_of
from naftiko_runtime.guards.rulebook import Rulebook, is_safe
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.destinations import Target
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import GuardRule, Mode, RuntimeSettings

TERMINAL: Final = "terminal"
"""The protocol of calls from a terminal, as an origin names it."""


class TerminalGuard:
    """Implements `Upstreams` for one call; closes nothing."""

    def __init__(
        self,
        upstreams: Upstreams,
        settings: RuntimeSettings,
        targets: Iterable[Target],
        arguments: Mapping[str, JsonValue],
    ) -> None:
        self._upstreams = upstreams
        self._settings = settings
        self._arguments = arguments
        rules = (replace(rule, callers=frozenset({TERMINAL})) for rule in settings.guards)
        self._rulebook = Rulebook(tuple(rules), targets)

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        failure = self._judge(request)
        if failure is not None:
            raise CallFailed(failure)
        return await self._upstreams.send(request)

    async def aclose(self) -> None:
        """The upstreams are whose they were."""

    def _judge(self, request: UpstreamRequest) -> Failure | None:
        safe, settings = is_safe(request), self._settings
        if not safe and settings.halt is not None and os.path.lexists(settings.halt):
            return halted(f"the operator has halted all changes, with {settings.halt}")
        rules = self._rulebook.rules_for(request, TERMINAL)
        if not safe and any(rule.mode is Mode.READ_ONLY for rule in rules):
            return read_only(request.operation)
        limits = tuple(limit for rule in rules for limit in rule.limits)
        if limits:
            breach = breach_of(limits, document_of(request, self._arguments), request.operation)
            if breach is not None:
                return breach
        return None if safe else self._beyond_a_terminal(request, rules)

    def _beyond_a_terminal(
        self, request: UpstreamRequest, rules: Iterable[GuardRule]
    ) -> Failure | None:
        needed, kind = [], FailureKind.READ_ONLY
        for rule in rules:
            if rule.approve is not None:
                needed.append("a person's approval")
                kind = FailureKind.APPROVAL_REQUIRED
            needed += ["a key that is remembered"] if rule.idempotency is not None else []
        needed += ["a record in the journal"] if self._settings.audit is not None else []
        if not needed:
            return None
        detail = (
            f'"{request.operation}" was not sent: {self._settings.file} asks for '
            f"{', '.join(dict.fromkeys(needed))}, which only a running service has - make the call "
            "there, or look at it with --dry-run"
        )
        return Failure(kind, detail)
