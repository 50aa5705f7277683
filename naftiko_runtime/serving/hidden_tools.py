"""Leaves out the MCP tools that the operator hides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from naftiko_runtime.plan.operation import CapabilityPlan, McpAdapterPlan
from naftiko_runtime.settings.patterns import fits_any


def without_hidden(
    plans: Iterable[CapabilityPlan], patterns: Sequence[str]
) -> tuple[CapabilityPlan, ...]:
    """The plans without the tools that a pattern fits by the name that their file gives them."""
    if not patterns:
        return tuple(plans)
    return tuple(_reduced(plan, patterns) for plan in plans)


def _reduced(plan: CapabilityPlan, patterns: Sequence[str]) -> CapabilityPlan:
    adapters = tuple(_shown(adapter, patterns) for adapter in plan.mcp)
    return plan if adapters == plan.mcp else replace(plan, mcp=adapters)


def _shown(adapter: McpAdapterPlan, patterns: Sequence[str]) -> McpAdapterPlan:
    tools = tuple(tool for tool in adapter.tools if not fits_any(patterns, tool.name))
    return adapter if len(tools) == len(adapter.tools) else replace(adapter, tools=tools)
