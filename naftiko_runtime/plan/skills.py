"""Compiles a skill adapter: where each tool of each skill comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from naftiko_runtime.binds.files import path_beside
from naftiko_runtime.document.model import Skill, SkillAdapter, SkillTool
from naftiko_runtime.plan.adapters import (
    SkillAdapterPlan,
    SkillPlan,
    SkillToolPlan,
    ToolMode,
    ToolSource,
)
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.problems import Consequence, DocumentPath, Problem, Severity


def compile_skills(
    adapter: SkillAdapter,
    authentication: InboundPlan | None,
    actions: Mapping[tuple[str, str], ToolMode],
) -> tuple[SkillAdapterPlan, list[Problem]]:
    """The plan of a skill adapter, and what is wrong with its skills.

    `actions` are the operations and tools that the file serves, by namespace and name: a skill
    tells of no other ones.
    """
    problems: list[Problem] = []
    plan = SkillAdapterPlan(
        adapter.namespace,
        adapter.port,
        adapter.address,
        adapter.description,
        tuple(_compile_skill(skill, actions, problems) for skill in adapter.skills),
        adapter.place,
        authentication,
    )
    return plan, problems


def _compile_skill(
    skill: Skill, actions: Mapping[tuple[str, str], ToolMode], problems: list[Problem]
) -> SkillPlan:
    folder = None
    if skill.location is not None:
        folder = path_beside(skill.location, Path(skill.place.file).parent)
        if not folder.is_dir():
            message = f'the skill "{skill.name}" has no files: there is no folder "{folder}"'
            remedy = "locations are relative to the file that names them"
            path = (*skill.path, "location")
            problems.append(_problem("skill-location", skill, path, message, remedy))
    tools = (_compile_tool(tool, folder, actions, problems) for tool in skill.tools)
    return SkillPlan(
        skill.name,
        skill.description,
        skill.fields,
        folder,
        tuple(tool for tool in tools if tool is not None),
        skill.place,
    )


def _compile_tool(
    tool: SkillTool,
    folder: Path | None,
    actions: Mapping[tuple[str, str], ToolMode],
    problems: list[Problem],
) -> SkillToolPlan | None:
    """None, and a problem, for a tool that would lead nowhere."""
    if tool.source is not None:
        namespace, action = tool.source
        mode = actions.get(tool.source)
        if mode is None:
            message = f'"{action}" of "{namespace}" is out of service, so "{tool.name}" is as well'
            part = Consequence.PART
            problems.append(_problem("call-out-of-service", tool, tool.path, message, "", part))
            return None
        source = ToolSource(namespace, action, mode)
        return SkillToolPlan(tool.name, tool.description, source=source)
    instruction = tool.instruction or ""
    if folder is not None:
        path = (*tool.path, "instruction")
        if not _is_inside(folder, instruction):
            message = f'the instruction "{instruction}" is not in the folder of the skill'
            remedy = "give its path inside that folder, such as instructions/NAME.md"
            part = Consequence.PART
            problems.append(_problem("skill-location", tool, path, message, remedy, part))
            return None
        if not (folder / instruction).is_file():
            message = f'there is no file "{instruction}" in "{folder}"'
            problems.append(_problem("skill-location", tool, path, message, "add it"))
    return SkillToolPlan(tool.name, tool.description, instruction=instruction)


def _is_inside(folder: Path, path: str) -> bool:
    if not path or "\\" in path or "\0" in path or Path(path).is_absolute():
        return False
    if any(part in ("", ".", "..") for part in path.split("/")):
        return False
    real = Path(os.path.realpath(folder / path))
    return real.is_relative_to(os.path.realpath(folder))


def _problem(
    rule: str,
    node: Skill | SkillTool,
    path: DocumentPath,
    message: str,
    remedy: str,
    consequence: Consequence = Consequence.NOTHING,
) -> Problem:
    return Problem(rule, node.place, path, message, remedy, Severity.ERROR, consequence)
