"""Which upstreams the files have, and what is to be known of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import SAFE_METHODS, CallPlan, CapabilityPlan, OperationPlan
from naftiko_runtime.settings.keeping_alive import may_be_kept
from naftiko_runtime.settings.model import KeepAlive, RuntimeSettings, UpstreamRule
from naftiko_runtime.settings.upstreams import rule_for


@dataclass(frozen=True, slots=True)
class Subject:
    """One upstream: an origin, and the consumed namespaces whose calls go there under the same
    trust. `check` is the call that shows whether somebody is logged in, None where none can, or
    where nobody has to be."""

    origin: str
    namespaces: tuple[str, ...]
    rules: tuple[UpstreamRule, ...]
    needs_session: bool = False
    check: OperationPlan | None = None

    @property
    def login(self) -> str | None:
        return next((rule.login for rule in self.rules if rule.login is not None), None)


def subjects_of(
    plans: Sequence[CapabilityPlan], settings: RuntimeSettings, insecure: frozenset[str]
) -> list[Subject]:
    """The upstreams of all files whose addresses are known, in the order of the files."""
    grouped: dict[tuple[str, object, bool], list[str]] = {}
    for plan in plans:
        for namespace, origin in plan.upstreams.items():
            if origin is None:
                continue
            trust = rule_for(settings.upstreams, namespace).trust
            names = grouped.setdefault((origin, trust, namespace in insecure), [])
            if namespace not in names:
                names.append(namespace)
    return [_subject(origin, names, plans, settings) for (origin, *_), names in grouped.items()]


def _subject(
    origin: str, namespaces: list[str], plans: Sequence[CapabilityPlan], settings: RuntimeSettings
) -> Subject:
    rules = tuple(rule_for(settings.upstreams, namespace) for namespace in namespaces)
    kept = [rule.keep_alive for rule in rules if rule.keep_alive is not None]
    if not kept and all(rule.login is None for rule in rules):
        return Subject(origin, tuple(namespaces), rules)
    here = [plan for plan in plans if origin in plan.upstreams.values()]
    check = _named(here, kept) or _harmless(here, origin)
    return Subject(origin, tuple(namespaces), rules, True, check)


def _named(plans: Iterable[CapabilityPlan], calls: Iterable[KeepAlive]) -> OperationPlan | None:
    wanted = {each.call.casefold(): each for each in calls}
    for plan in plans:
        for name, compiled in plan.consumed.items():
            asked = wanted.get(name.casefold())
            if asked is None:
                continue
            try:
                operation = compiled()
            except ValueError:
                continue  # reported with the file
            if may_be_kept(operation, asked):
                return operation
    return None


def _harmless(plans: Iterable[CapabilityPlan], origin: str) -> OperationPlan | None:
    """A call that changes nothing and needs no input."""
    for plan in plans:
        for name, compiled in plan.consumed.items():
            if plan.upstreams.get(name.partition(".")[0]) != origin:
                continue
            try:
                operation = compiled()
            except ValueError:
                continue
            call = operation.action
            safe = isinstance(call, CallPlan) and call.method in SAFE_METHODS
            if safe and not any(each.required for each in operation.inputs):
                return operation
    return None
