"""What the operator's settings say of one consumed namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from naftiko_runtime.settings.model import UpstreamRule
from naftiko_runtime.settings.patterns import fits, precision


def rule_for(rules: Iterable[UpstreamRule], namespace: str) -> UpstreamRule:
    """All that is set for a namespace: each setting from the most precise rule that has it, the
    first of several equally precise ones. Its `match` is the namespace."""
    found = UpstreamRule(namespace)
    for rule in sorted(rules, key=lambda rule: precision(rule.match), reverse=True):
        if fits(rule.match, namespace):
            found = _completed(found, rule)
    return found


def _completed(found: UpstreamRule, by: UpstreamRule) -> UpstreamRule:
    """The rule with what only the other one sets. Pacings of operations come together."""
    return replace(
        found,
        timeout=by.timeout if found.timeout is None else found.timeout,
        pool=found.pool or by.pool,
        base_uri=found.base_uri or by.base_uri,
        trust=found.trust or by.trust,
        pacing=found.pacing or by.pacing,
        retries=found.retries or by.retries,
        breaker=found.breaker or by.breaker,
        keep_alive=found.keep_alive or by.keep_alive,
        login=found.login or by.login,
        operations={**by.operations, **found.operations},
        place=found.place or by.place,
    )
