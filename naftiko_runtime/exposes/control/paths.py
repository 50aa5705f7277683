"""Which paths a control adapter has."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.plan.adapters import ControlAdapterPlan

ANY: Final = "*"
"""A segment that may be anything."""


def paths_of(plan: ControlAdapterPlan) -> frozenset[tuple[str, ...]]:
    """The paths, by segments, that a control adapter's toggles turn on (ControlManagementSpec,
    ObservabilitySpec)."""
    toggles, observed, log = plan.management, plan.observability, plan.management.logs
    levels = log is not None and log.levels
    metrics = observed is not None and observed.metrics
    traces = observed is not None and observed.traces
    switches = {
        ("health", "live"): toggles.health,
        ("health", "ready"): toggles.health,
        ("status",): toggles.info,
        ("config",): toggles.info,
        ("config", "validate"): toggles.validate,
        ("config", "reload"): toggles.reload,
        ("logs",): levels,
        ("logs", ANY): levels,
        ("logs", "stream"): log is not None and log.subscribers > 0,
        ("scripting",): toggles.scripting is not None,
        ("metrics",): metrics,
        ("traces",): traces,
        ("traces", ANY): traces,
    }
    return frozenset(path for path, is_on in switches.items() if is_on)


def first_segments(plan: ControlAdapterPlan) -> frozenset[str]:
    """What the paths of a control adapter begin with."""
    return frozenset(path[0] for path in paths_of(plan))
