"""What each port answers with: the tables of its adapters, built away from the event loop."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko_runtime.exposes.control.paths import first_segments
from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.exposes.rest.table import RestTable, ServedOperation, build_rest_table
from naftiko_runtime.exposes.skill.table import FIRST_SEGMENT, SkillTable, build_skill_table
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.settings import PortSettings
from naftiko_runtime.serving.sharing import PortPlan, share_ports


@dataclass(frozen=True, slots=True)
class PortTables:
    """A port with what it answers with; None where no adapter of that kind names it."""

    plan: PortPlan
    rest: RestTable | None
    mcp: McpTable | None
    skills: SkillTable | None = None
    control: ControlAdapterPlan | None = None


def build_tables(
    plans: Sequence[CapabilityPlan], settings: PortSettings, before: Sequence[PortTables] = ()
) -> tuple[tuple[PortTables, ...], list[Problem]]:
    """The tables of all ports, and what stands in the way of something of a file. What the plans
    have in common with tables of `before` is taken from there."""
    ports, problems = share_ports(plans, settings)
    known = {tables.plan.key: tables for tables in before}
    built = []
    for port in ports:
        rest = mcp = None
        old = known.get(port.key)
        if port.rest:
            rest, found = build_rest_table(port.rest, old.rest if old else None)
            problems += found
        if port.mcp:
            mcp, found = build_mcp_table(port.mcp, old.mcp if old else None)
            problems += found
        skills, control = _build_beside(port, rest, problems)
        built.append(PortTables(port, rest, mcp, skills, control))
    return tuple(built), problems


def _build_beside(
    port: PortPlan, rest: RestTable | None, problems: list[Problem]
) -> tuple[SkillTable | None, ControlAdapterPlan | None]:
    """The skills and the control adapter of a port, unless operations of files have their paths:
    those are what the port is for."""
    skills, control = None, port.control
    if port.skills:
        place = port.skills[0][1].place
        clash = _clash(rest, frozenset({FIRST_SEGMENT}))
        if clash is not None:
            problems.append(_path_taken("the skills", place, clash))
        else:
            skills, found = build_skill_table(port.skills)
            problems += found
    if control is not None:
        clash = _clash(rest, first_segments(control))
        if clash is not None:
            problems.append(_path_taken("the control endpoints", control.place, clash))
            control = None
    return skills, control


def _clash(rest: RestTable | None, segments: frozenset[str]) -> ServedOperation | None:
    """An operation whose path begins with one of the segments, written out (a variable there
    gives way to them, as variables do to exact paths)."""
    for operation in rest.operations if rest is not None else ():
        first = operation.route.patterns[0]
        if len(first) == 1 and first[0] in segments:
            return operation
    return None


def _path_taken(what: str, place: Place, owner: ServedOperation) -> Problem:
    plan = owner.plan
    return Problem(
        "path-taken",
        place,
        (),
        f'{what} are not served: "{plan.method} {plan.route}" of operation "{plan.name}" at '
        f"{plan.place} has one of their paths",
        "give this adapter a port of its own",
        Severity.ERROR,
        Consequence.PART,
    )
