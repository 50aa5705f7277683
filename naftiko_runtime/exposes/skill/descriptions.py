"""What the catalogue says of skills and their tools, in the shapes of the reference engine."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko_runtime.exposes.folder import FolderFile
from naftiko_runtime.exposes.media_types import guess_media_type
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.adapters import SkillPlan, SkillToolPlan

UNKNOWN_TYPE = "application/octet-stream"


def describe_skills(plans: Iterable[SkillPlan]) -> JsonValue:
    """The catalogue: each skill with the names of its tools."""
    skills: list[JsonValue] = []
    for plan in plans:
        entry: dict[str, JsonValue] = {"name": plan.name, "description": plan.description}
        if "license" in plan.fields:
            entry["license"] = plan.fields["license"]
        entry["tools"] = [tool.name for tool in plan.tools]
        skills.append(entry)
    return {"count": len(skills), "skills": skills}


def describe_skill(plan: SkillPlan) -> JsonValue:
    """One skill with all its fields, and how each tool is called or where it is explained."""
    return {
        "name": plan.name,
        "description": plan.description,
        **plan.fields,
        "tools": [_describe_tool(tool) for tool in plan.tools],
    }


def _describe_tool(tool: SkillToolPlan) -> JsonValue:
    entry: dict[str, JsonValue] = {"name": tool.name, "description": tool.description}
    if tool.source is None:
        return {**entry, "type": "instruction", "instruction": tool.instruction}
    reference: JsonValue = {
        "targetNamespace": tool.source.namespace,
        "action": tool.source.action,
        "mode": tool.source.mode.value,
    }
    return {**entry, "type": "derived", "invocationRef": reference}


def describe_files(plan: SkillPlan, files: Iterable[FolderFile]) -> JsonValue:
    """The files of a skill's folder. `size` is in bytes."""
    return {
        "name": plan.name,
        "files": [
            {"path": file.path, "size": file.size, "type": media_type(file.path)} for file in files
        ],
    }


def media_type(path: str) -> str:
    return guess_media_type(path) or UNKNOWN_TYPE
