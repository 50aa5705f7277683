"""Which operations callers may use without any guard to change something."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko_runtime.guards.rulebook import calls_of
from naftiko_runtime.plan.operation import CapabilityPlan, OperationPlan


def changing_tools(plans: Iterable[CapabilityPlan]) -> list[str]:
    """The names of the tools that can change something, in the order of the files. A tool that is
    declared read-only is taken at its word."""
    return [
        tool.name
        for plan in plans
        for adapter in plan.mcp
        for tool in adapter.tools
        if may_change(tool.operation)
    ]


def may_change(plan: OperationPlan) -> bool:
    """Whether an operation can change something, by its methods and by what is declared of it."""
    unsafe = any(not call.is_safe or call.names_method for call in calls_of(plan))
    return plan.changes or (unsafe and not plan.read_only)
