"""Which sessions the operator's settings have kept open, and by which calls."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import CapabilityPlan, OperationPlan
from naftiko_runtime.serving.logs import log_event
from naftiko_runtime.settings.keeping_alive import may_be_kept
from naftiko_runtime.settings.model import KeepAlive, RuntimeSettings
from naftiko_runtime.settings.upstreams import rule_for

SessionKey: TypeAlias = tuple[str, str]
"""The origin, and the method and path that are called there: several files may consume them under
names of their own."""


@dataclass(frozen=True, slots=True)
class KeptSession:
    """`plan` is that of a single call; `every` is in seconds."""

    origin: str
    plan: OperationPlan
    every: float


def kept_sessions(
    plans: Sequence[CapabilityPlan], settings: RuntimeSettings
) -> dict[SessionKey, KeptSession]:
    """One session for each origin and request, whatever number of files and names share it. A
    call that no file consumes, or that can change something, is a problem of the settings, and not
    looked at here."""
    wanted: dict[SessionKey, KeptSession] = {}
    for asked in _in_force(plans, settings):
        for plan in plans:
            name = _name_in(plan, asked.call)
            origin = None if name is None else plan.upstreams.get(name.partition(".")[0])
            if name is None or origin is None:
                continue
            key = origin, _request_of(plan, name)
            if key not in wanted or asked.every < wanted[key].every:
                try:
                    operation = plan.consumed[name]()
                except ValueError as error:
                    message = f"no session is kept open at {origin}: {error}"
                    log_event(logging.WARNING, "session-failing", message, upstream=origin)
                else:
                    if may_be_kept(operation, asked):
                        wanted[key] = KeptSession(origin, operation, asked.every)
    return wanted


def changing_calls(plans: Iterable[CapabilityPlan], settings: RuntimeSettings) -> set[str]:
    """The operations that are to keep sessions open and are not called, as they can change
    something: a problem of the settings."""
    asked = [rule.keep_alive for rule in settings.upstreams if rule.keep_alive is not None]
    found: set[str] = set()
    for plan in plans if asked else ():
        for each in asked:
            name = _name_in(plan, each.call)
            with contextlib.suppress(ValueError):  # a problem of the file
                if name is not None and not may_be_kept(plan.consumed[name](), each):
                    found.add(each.call)
    return found


def _in_force(plans: Iterable[CapabilityPlan], settings: RuntimeSettings) -> list[KeepAlive]:
    """What is asked for any of the namespaces that are consumed."""
    if all(rule.keep_alive is None for rule in settings.upstreams):
        return []  # as nearly always, and calls wait for it at each reload
    namespaces = dict.fromkeys(namespace for plan in plans for namespace in plan.upstreams)
    rules = [rule_for(settings.upstreams, namespace) for namespace in namespaces]
    return list(dict.fromkeys(rule.keep_alive for rule in rules if rule.keep_alive is not None))


def _request_of(plan: CapabilityPlan, name: str) -> str:
    """What a consumed operation asks its server for, in one spelling."""
    found = (target for target in plan.targets if target.operation == name)
    return next((f"{target.method} {target.path.pattern}" for target in found), name.casefold())


def _name_in(plan: CapabilityPlan, call: str) -> str | None:
    """The operation as the file spells it."""
    folded = call.casefold()
    return next((name for name in plan.consumed if name.casefold() == folded), None)
