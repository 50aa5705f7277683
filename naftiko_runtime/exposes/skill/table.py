"""Every skill that one listener tells of, merged from all skill adapters that name its port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from naftiko_runtime.exposes.authentication import Door, door_of, metadata_pages
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import SkillAdapterPlan, SkillPlan
from naftiko_runtime.problems import Consequence, Problem, Severity

FIRST_SEGMENT: Final = "skills"
"""What every path of the catalogue begins with."""


@dataclass(frozen=True, slots=True)
class ListedSkill:
    """A skill with the adapter that tells of it."""

    adapter: SkillAdapterPlan
    plan: SkillPlan


@dataclass(frozen=True, slots=True)
class SkillTable:
    """The skills by name, in the order of the files; `door` is what their adapters ask of
    callers."""

    skills: Mapping[str, ListedSkill]
    door: Door


def build_skill_table(
    adapters: Sequence[tuple[str, SkillAdapterPlan]],
) -> tuple[SkillTable, list[Problem]]:
    """The table of one port: pairs of a file's label and an adapter of that file, the first of
    several skills of one name keeping it."""
    skills: dict[str, ListedSkill] = {}
    problems: list[Problem] = []
    for _, adapter in adapters:
        for plan in adapter.skills:
            listed = ListedSkill(adapter, plan)
            first = skills.setdefault(plan.name, listed)
            if first is not listed:
                problems.append(_taken(first.plan, plan))
    asked = [adapter.authentication for _, adapter in adapters]
    return SkillTable(skills, door_of(asked, metadata_pages(asked))), problems


def _taken(first: SkillPlan, late: SkillPlan) -> Problem:
    return Problem(
        "skill-taken",
        late.place,
        (),
        f'the skill "{late.name}" is left out: {first.place} has the name already',
        "give one of the two another name, or another port to its adapter",
        Severity.WARNING,
        Consequence.PART,
    )
