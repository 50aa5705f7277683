"""Checks of skill adapters that a schema cannot express (ExposedSkill, SkillTool)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    Adapter,
    ExposedOperation,
    McpAdapter,
    RestAdapter,
    Skill,
    SkillAdapter,
    SkillTool,
    Tool,
)
from naftiko_runtime.problems import DocumentPath


def check_skills(
    adapters: tuple[Adapter, ...], declared: Sequence[Adapter], reading: Reading
) -> tuple[Adapter, ...]:
    """The adapters, their skills without the tools that come from nowhere. `declared` are all
    adapters of the file with everything that they name, sound or not."""
    sources = {
        adapter.namespace: _actions(adapter)
        for adapter in declared
        if isinstance(adapter, RestAdapter | McpAdapter)
    }
    return tuple(
        _check_adapter(adapter, sources, reading) if isinstance(adapter, SkillAdapter) else adapter
        for adapter in adapters
    )


def action_name(part: ExposedOperation | Tool) -> str:
    """The name by which a skill refers to an operation or a tool: its own, or else that of the
    function that it refers to."""
    return part.name or (part.behaviour.reference or "").rpartition(".")[2]


def _actions(adapter: RestAdapter | McpAdapter) -> frozenset[str]:
    parts = adapter.operations if isinstance(adapter, RestAdapter) else adapter.tools
    return frozenset(action_name(part) for part in parts)


def _check_adapter(
    adapter: SkillAdapter, sources: Mapping[str, frozenset[str]], reading: Reading
) -> SkillAdapter:
    skills: dict[str, Skill] = {}
    for skill in adapter.skills:
        first = skills.setdefault(skill.name, skill)
        if first is not skill:
            message = f'"{skill.name}" is also the skill at line {first.place.line}'
            path = (*skill.path, "name")
            reading.refuse("duplicate-skill", path, message, "give each skill a name of its own")
            continue
        skills[skill.name] = replace(skill, tools=_sound_tools(skill, sources, reading))
    return replace(adapter, skills=tuple(skills.values()))


def _sound_tools(
    skill: Skill, sources: Mapping[str, frozenset[str]], reading: Reading
) -> tuple[SkillTool, ...]:
    tools: dict[str, SkillTool] = {}
    for tool in skill.tools:
        _check_tool(tool, skill, sources, reading)
        if reading.is_refused(tool.path):
            continue
        first = tools.setdefault(tool.name, tool)
        if first is not tool:
            message = f'"{tool.name}" is also the tool at line {first.place.line}'
            path = (*tool.path, "name")
            reading.refuse("duplicate-tool", path, message, "give each tool a name of its own")
    return tuple(tools.values())


def _check_tool(
    tool: SkillTool, skill: Skill, sources: Mapping[str, frozenset[str]], reading: Reading
) -> None:
    if tool.source is not None:
        namespace, action = tool.source
        known = sources.get(namespace)
        if known is None:
            path = (*tool.path, "from", "sourceNamespace")
            what = "rest or mcp adapter of this file"
            _refuse_unknown(reading, path, namespace, what, sources)
        elif action not in known:
            path = (*tool.path, "from", "action")
            _refuse_unknown(reading, path, action, f'operation or tool of "{namespace}"', known)
    elif skill.location is None:
        reading.refuse(
            "skill-location",
            (*tool.path, "instruction"),
            f'the instruction of "{tool.name}" is in no folder: the skill "{skill.name}" has no '
            '"location"',
            "give the skill the folder of its files: location: file:///./skills/NAME",
        )


def _refuse_unknown(
    reading: Reading, path: DocumentPath, name: str, what: str, known: Iterable[str]
) -> None:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, 1, 0.5)
    if close:
        remedy = f'did you mean "{close[0]}"?'
    else:
        remedy = f"known: {', '.join(names[:12])}" if names else "there is none at all"
    reading.refuse("unknown-reference", path, f'"{name}" names no {what}', remedy)
