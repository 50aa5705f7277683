"""Which of the operator's rules hold for a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from naftiko_runtime.plan.calls import changes_nothing, methods_of
from naftiko_runtime.plan.destinations import Target, destination_of, leads_to
from naftiko_runtime.plan.operation import (
    SAFE_METHODS,
    CallPlan,
    CallStepPlan,
    OperationPlan,
    OrchestrationPlan,
    UpstreamRequest,
)
from naftiko_runtime.settings.model import GuardRule, Mode
from naftiko_runtime.settings.patterns import fits_any

_MADE_FOR_CHANGES: Final = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods of which nobody can say that they change nothing (RFC 9110, section 9.3; RFC 5789)."""


class Rulebook:
    """The rules in their order, and where consumed operations go, which never change.

    A request goes by several names: that of the operation that sends it, and those of all
    operations, of whatever file, that would send it to the same place. For each of them the first
    rule that fits decides, so that a second name never makes a request less guarded.
    """

    def __init__(self, rules: tuple[GuardRule, ...], targets: Iterable[Target]) -> None:
        self._rules = rules
        self._targets = tuple(targets) if rules else ()
        self._known: dict[tuple[str, str], tuple[GuardRule, ...]] = {}

    def rules_for(self, request: UpstreamRequest, protocol: str) -> tuple[GuardRule, ...]:
        """The rules that hold for a request of a caller, all of them, in their order."""
        if not self._rules:
            return ()
        twins = self._twins(request)
        if not twins:
            return self._rules_of(request.operation, protocol)
        found = [self._first(name, protocol) for name in {request.operation, *twins}]
        return tuple(rule for rule in self._rules if any(rule is each for each in found))

    def concerns(self, plan: OperationPlan, protocol: str) -> bool:
        """Whether any request of an operation may have to be judged."""
        calls = calls_of(plan)
        if any(call.method not in SAFE_METHODS or call.names_method for call in calls):
            return True
        if calls and plan.changes:
            return True
        limiting = [rule for rule in self._rules if rule.limits and protocol in rule.callers]
        return any(
            fits_any(rule.match, name)
            for rule in limiting
            for call in calls
            for name in (call.operation, *self._alike(call.method))
        )

    def may_change(
        self, plan: OperationPlan, request: UpstreamRequest, rules: Iterable[GuardRule]
    ) -> bool:
        """Whether a request of an operation may change something, as these rules hold for it.

        A file is believed that declares that something is changed: by a call that is not safe, if
        there is one, else by any. One that declares that nothing is, of the operation or of the
        one call, is believed of POST (of the operation also of unknown methods), unless a rule
        holds up an operation that it names without `*`: then the operator knows better.
        """
        if methods_of(request) <= SAFE_METHODS:
            return _is_change_by_any_call(plan)
        harmless = changes_nothing(request)
        if not (plan.read_only or harmless) or methods_of(request) & _MADE_FOR_CHANGES:
            return True
        names = (request.operation, *self._twins(request))
        if any(_singles_out(rule, name) for rule in rules for name in names):
            return True
        return harmless and _is_change_by_any_call(plan)

    def has_keys(self) -> bool:
        """Whether any rule makes repetitions of calls one."""
        return any(rule.idempotency is not None for rule in self._rules)

    def guards_server_of(self, request: UpstreamRequest, protocol: str) -> bool:
        """Whether some operation is guarded at the server of a request, or everything of its
        upstream."""
        origin = destination_of(request.url).origin
        names = [each.operation for each in self._targets if each.origin == origin]
        found = [self._first(name, protocol) for name in (request.operation, *names)]
        return any(rule is not None and restricts(rule) for rule in found)

    def _rules_of(self, operation: str, protocol: str) -> tuple[GuardRule, ...]:
        """Those of one name, of which there are as many as files declare."""
        known = self._known.get((operation, protocol))
        if known is None:
            first = self._first(operation, protocol)
            known = self._known[operation, protocol] = () if first is None else (first,)
        return known

    def _first(self, name: str, protocol: str) -> GuardRule | None:
        return next(
            (
                rule
                for rule in self._rules
                if protocol in rule.callers and fits_any(rule.match, name)
            ),
            None,
        )

    def _twins(self, request: UpstreamRequest) -> list[str]:
        ways = [self._ruled[each] for each in methods_of(request) if each in self._ruled]
        if not ways:
            return []
        destination = destination_of(request.url)
        return [
            target.operation
            for way in ways
            for target in way.get(destination.origin, ())
            if leads_to(destination, target)
        ]

    @cached_property
    def _ruled(self) -> Mapping[str, Mapping[str, list[Target]]]:
        """The targets of operations that some rule fits, by method and origin. What no rule fits
        is not asked about in each call, of which there may be thousands of files."""
        found: dict[str, dict[str, list[Target]]] = {}
        for target in self._targets:
            if any(fits_any(rule.match, target.operation) for rule in self._rules):
                found.setdefault(target.method, {}).setdefault(target.origin, []).append(target)
        return found

    def _alike(self, method: str) -> list[str]:
        return [target.operation for target in self._targets if target.method == method]


def calls_of(plan: OperationPlan) -> list[CallPlan]:
    """The calls that an operation may make."""
    action = plan.action
    if isinstance(action, CallPlan):
        return [action]
    if isinstance(action, OrchestrationPlan):
        return [step.call for step in action.steps if isinstance(step, CallStepPlan)]
    return []


def _is_change_by_any_call(plan: OperationPlan) -> bool:
    return plan.changes and all(call.is_safe for call in calls_of(plan))


def _singles_out(rule: GuardRule, name: str) -> bool:
    if rule.mode is not Mode.READ_ONLY and rule.approve is None and rule.idempotency is None:
        return False
    spelt = (pattern for pattern in rule.match if "*" not in pattern.rpartition(".")[2])
    return fits_any(spelt, name)


def restricts(rule: GuardRule) -> bool:
    """Whether a rule keeps anything from being sent."""
    return (
        rule.mode is Mode.READ_ONLY
        or rule.approve is not None
        or rule.idempotency is not None
        or bool(rule.limits)
    )
