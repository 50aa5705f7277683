"""The tools that one listener offers, under names that clients accept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.naming import nearest_name, tool_alias, unique_name
from naftiko_runtime.exposes.mcp.schema import (
    ResultShape,
    ToolArgument,
    result_shape,
    tool_arguments,
    tool_entry,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import Inputs, McpAdapterPlan, OperationPlan, ToolPlan
from naftiko_runtime.problems import Consequence, Problem, Severity

Execute: TypeAlias = Callable[[OperationPlan, Inputs], Awaitable[Outcome]]
"""The engine, with the upstreams that it needs."""

_LONGEST_INSTRUCTIONS = 4000


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as it is listed and called.

    `entry` is what `tools/list` shows, `handshake_entry` what it shows to clients of the
    versions with a handshake. `by_name` finds arguments by listed name and by the file's name,
    `by_loose_name` by either, folded.
    """

    name: str
    plan: ToolPlan
    arguments: tuple[ToolArgument, ...]
    result: ResultShape | None
    entry: Mapping[str, JsonValue]
    handshake_entry: Mapping[str, JsonValue]
    by_name: Mapping[str, ToolArgument]
    by_loose_name: Mapping[str, ToolArgument]


@dataclass(frozen=True, slots=True)
class ToolTable:
    """All tools of a listener in the order of listing. `by_name` also holds the names of the
    file; `title` and `instructions` say what the tools are about."""

    tools: tuple[ListedTool, ...] = ()
    by_name: Mapping[str, ListedTool] = field(default_factory=dict)
    title: str = ""
    instructions: str = ""

    def find(self, name: str) -> ListedTool | None:
        return self.by_name.get(name)

    def nearest(self, name: str) -> str | None:
        """The listed name that a caller may have meant."""
        return nearest_name(name, (tool.name for tool in self.tools))

    def lists_as(self, other: ToolTable) -> bool:
        """Whether clients would see no difference."""
        return [tool.entry for tool in self.tools] == [tool.entry for tool in other.tools]


def build_tool_table(
    adapters: Sequence[tuple[str, McpAdapterPlan]],
) -> tuple[ToolTable, list[Problem]]:
    """The table of one listener, out of its adapters, each with its file, in the order of
    precedence: the first of several tools of one name keeps it."""
    planned = [(adapter, plan) for _, adapter in adapters for plan in adapter.tools]
    names, problems = _listed_names(planned)
    tools = []
    for name, (_, plan) in zip(names, planned, strict=True):
        try:
            tools.append(_list_tool(name, plan))
        except (ValueError, TypeError, RecursionError) as error:
            problems.append(_unlistable(plan, error))
    by_name = {tool.name: tool for tool in tools}
    for tool in tools:
        by_name.setdefault(tool.plan.name, tool)
    namespaces = dict.fromkeys(adapter.namespace for _, adapter in adapters)
    instructions = _instructions(adapter for _, adapter in adapters)
    return ToolTable(tuple(tools), by_name, ", ".join(namespaces), instructions), problems


def _listed_names(
    planned: Sequence[tuple[McpAdapterPlan, ToolPlan]],
) -> tuple[list[str], list[Problem]]:
    """A name for each tool. Names are given away in two rounds, so that a tool which has to be
    renamed never takes the name of one that comes later."""
    owners: dict[str, ToolPlan] = {}
    names: list[str | None] = []
    for _, plan in planned:
        alias = tool_alias(plan.name)
        names.append(None if alias in owners else alias)
        owners.setdefault(alias, plan)
    problems = []
    for index, (adapter, plan) in enumerate(planned):
        if names[index] is None:
            renamed = unique_name(tool_alias(f"{adapter.namespace}_{plan.name}"), owners)
            problems.append(_renamed(plan, owners[tool_alias(plan.name)], renamed))
            owners[renamed] = plan
            names[index] = renamed
    return [name for name in names if name is not None], problems


def _list_tool(name: str, plan: ToolPlan) -> ListedTool:
    arguments = tool_arguments(plan.operation)
    result = result_shape(plan.operation.output.schema)
    entry = tool_entry(name, plan, arguments, result, handshake=False)
    handshake_entry = entry
    if result is not None and result.wrapper is not None:
        handshake_entry = tool_entry(name, plan, arguments, result, handshake=True)
    by_name = {each.name: each for each in arguments}
    by_loose_name: dict[str, ToolArgument] = {}
    for each in arguments:
        if each.plan is not None:
            by_name.setdefault(each.plan.name, each)
            by_loose_name.setdefault(each.plan.loose, each)
    for each in arguments:
        by_loose_name.setdefault(fold_name(each.name), each)
    return ListedTool(name, plan, arguments, result, entry, handshake_entry, by_name, by_loose_name)


def _instructions(adapters: Iterable[McpAdapterPlan]) -> str:
    """What the files say of their adapters, a paragraph each."""
    paragraphs = dict.fromkeys(
        f"{adapter.namespace}: {adapter.description}" for adapter in adapters if adapter.description
    )
    text = "\n\n".join(paragraphs)
    return text if len(text) <= _LONGEST_INSTRUCTIONS else text[: _LONGEST_INSTRUCTIONS - 1] + "…"


def _renamed(plan: ToolPlan, first: ToolPlan, name: str) -> Problem:
    return Problem(
        "tool-renamed",
        plan.place,
        (),
        f'tool "{plan.name}" is listed as "{name}", as {first.place} has the name already',
        "give one of the two another name",
        Severity.WARNING,
        Consequence.NOTHING,
    )


def _unlistable(plan: ToolPlan, error: Exception) -> Problem:
    return Problem(
        "tool-unlistable",
        plan.place,
        (),
        f'tool "{plan.name}" cannot be described to clients: {error}',
        "correct its schemas and descriptions",
        Severity.ERROR,
        Consequence.PART,
    )
