"""A pace that several processes keep together without asking each other."""

from __future__ import annotations

from dataclasses import replace

from naftiko_runtime.settings.model import Pacing, RuntimeSettings, UpstreamRule


def share_of(settings: RuntimeSettings, processes: int) -> RuntimeSettings:
    """The settings that each of several processes works by, so that together they keep the paces
    of these: an equal part of each rate, and of what may go out at once, but one call at least."""
    if processes == 1:
        return settings
    rules = tuple(_part_of_rule(rule, processes) for rule in settings.upstreams)
    return replace(settings, upstreams=rules)


def _part_of_rule(rule: UpstreamRule, processes: int) -> UpstreamRule:
    return replace(
        rule,
        pacing=None if rule.pacing is None else _part(rule.pacing, processes),
        operations={name: _part(pacing, processes) for name, pacing in rule.operations.items()},
    )


def _part(pacing: Pacing, processes: int) -> Pacing:
    burst = max(1, pacing.burst // processes)
    return replace(pacing, rate=pacing.rate / processes, burst=burst)
