"""The tools that one listener offers, under names that clients accept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import Final, TypeAlias

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.adapter_changes import change_of, parts_between, with_change
from naftiko_runtime.exposes.mcp.naming import listed_names, nearest_name, tool_alias
from naftiko_runtime.exposes.mcp.schema import (
    ResultShape,
    ToolArgument,
    result_shape,
    tool_arguments,
    tool_entry,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import Inputs, McpAdapterPlan, OperationPlan, ToolPlan
from naftiko_runtime.problems import Consequence, Problem, Severity

Execute: TypeAlias = Callable[[OperationPlan, Inputs], Awaitable[Outcome]]
"""The engine, with the upstreams that it needs."""

OUTCOME: Final = "naftiko.outcome"
"""Where the scope of an HTTP request holds the outcome of a call that was executed already, for
its question to be asked."""


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as it is listed and called.

    `entry` is what `tools/list` shows, `handshake_entry` what it shows to clients of the
    versions with a handshake. `by_name` finds arguments by listed name and by the file's name,
    `by_loose_name` by either, folded. `adapter` is where the tool comes from.
    """

    name: str
    plan: ToolPlan
    arguments: tuple[ToolArgument, ...]
    result: ResultShape | None
    entry: Mapping[str, JsonValue]
    handshake_entry: Mapping[str, JsonValue]
    by_name: Mapping[str, ToolArgument]
    by_loose_name: Mapping[str, ToolArgument]
    adapter: McpAdapterPlan


@dataclass(frozen=True, slots=True)
class ToolTable:
    """All tools of a listener in the order of listing. `by_name` also holds the names of the
    file. `is_plain`: all tools of `adapters`, each with its file, are listed by those names."""

    tools: tuple[ListedTool, ...] = ()
    by_name: Mapping[str, ListedTool] = field(default_factory=dict)
    adapters: Sequence[tuple[str, McpAdapterPlan]] = ()
    is_plain: bool = False

    def find(self, name: str) -> ListedTool | None:
        return self.by_name.get(name)

    def beside(self, tool: ListedTool, name: str) -> ListedTool | None:
        """The tool to which the adapter of `tool` gives this name."""
        return next(
            (
                other
                for other in self.tools
                if other.adapter is tool.adapter and other.plan.name == name
            ),
            None,
        )

    def nearest(self, name: str) -> str | None:
        """The listed name that a caller may have meant."""
        return nearest_name(name, (tool.name for tool in self.tools))

    def lists_as(self, other: ToolTable) -> bool:
        """Whether clients would see no difference."""
        return [tool.entry for tool in self.tools] == [tool.entry for tool in other.tools]


def build_tool_table(
    adapters: Sequence[tuple[str, McpAdapterPlan]], before: ToolTable | None = None
) -> tuple[ToolTable, list[Problem]]:
    """The tools of one listener, out of its adapters, each with its file, in the order of
    precedence: the first of several tools of one name keeps it. Describing a tool takes time, so
    those that a table of `before` has are taken from there."""
    changed = None if before is None else _changed(before, adapters)
    return _built(adapters, before) if changed is None else (changed, [])


def _changed(before: ToolTable, adapters: Sequence[tuple[str, McpAdapterPlan]]) -> ToolTable | None:
    """The table of `before` with other adapters, in a time that hardly depends on those that
    stay; None where not all tools go by their own names, so that others' names depend on them."""
    change = change_of(before.adapters, adapters) if before.is_plain else None
    if change is None:
        return None
    leaving = {id(adapter) for _, adapter in change.removed}
    by_name = {**before.by_name}
    place = parts_between(before.tools, before.adapters, change)
    for tool in before.tools[place]:
        if id(tool.adapter) in leaving:
            del by_name[tool.name]
    added = []
    planned = [(adapter, plan) for _, adapter in change.added for plan in adapter.tools]
    for adapter, plan in planned:
        if plan.name in by_name or tool_alias(plan.name) != plan.name:
            return None
        try:
            tool = by_name[plan.name] = _list_tool(plan.name, plan, adapter)
        except (ValueError, TypeError, RecursionError):
            return None
        added.append(tool)
    tools = with_change(before.tools, place, change, added)
    return ToolTable(tools, by_name, adapters, is_plain=True)


def _built(
    adapters: Sequence[tuple[str, McpAdapterPlan]], before: ToolTable | None
) -> tuple[ToolTable, list[Problem]]:
    known = {id(tool.plan): tool for tool in before.tools} if before is not None else {}
    planned = [(adapter, plan) for _, adapter in adapters for plan in adapter.tools]
    names = listed_names([(adapter.namespace, plan.name) for adapter, plan in planned])
    tools = []
    problems = []
    for (name, owner), (adapter, plan) in zip(names, planned, strict=True):
        if owner is not None:
            problems.append(_renamed(plan, planned[owner][1], name))
        same = known.get(id(plan))
        if same is not None and same.name == name and same.adapter is adapter:
            tools.append(same)
            continue
        try:
            tools.append(_list_tool(name, plan, adapter))
        except (ValueError, TypeError, RecursionError) as error:
            problems.append(_unlistable(plan, error))
    by_name = {tool.name: tool for tool in tools}
    for tool in tools:
        by_name.setdefault(tool.plan.name, tool)
    is_plain = not problems and all(tool.name == tool.plan.name for tool in tools)
    return ToolTable(tuple(tools), by_name, adapters, is_plain), problems


def _list_tool(name: str, plan: ToolPlan, adapter: McpAdapterPlan) -> ListedTool:
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
    return ListedTool(
        name, plan, arguments, result, entry, handshake_entry, by_name, by_loose_name, adapter
    )


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
