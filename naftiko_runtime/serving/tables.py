"""What each port answers with: the tables of its adapters, built away from the event loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.exposes.rest.table import RestTable, build_rest_table
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.settings import PortSettings
from naftiko_runtime.serving.sharing import PortPlan, share_ports


@dataclass(frozen=True, slots=True)
class PortTables:
    """A port with what it answers with; None where no adapter of that kind names it."""

    plan: PortPlan
    rest: RestTable | None
    mcp: McpTable | None


def build_tables(
    plans: Sequence[CapabilityPlan], settings: PortSettings
) -> tuple[tuple[PortTables, ...], list[Problem]]:
    """The tables of all ports, and what stands in the way of something of a file."""
    ports, problems = share_ports(plans, settings)
    built = []
    for port in ports:
        rest = mcp = None
        if port.rest:
            rest, found = build_rest_table(port.rest)
            problems += found
        if port.mcp:
            mcp, found = build_mcp_table(port.mcp)
            problems += found
        built.append(PortTables(port, rest, mcp))
    return tuple(built), problems
