"""All that one listener offers to MCP clients: tools, resources and prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Final

from naftiko_runtime.exposes.authentication import OPEN, Door, door_of, metadata_pages
from naftiko_runtime.exposes.mcp.prompts import PromptTable, build_prompt_table
from naftiko_runtime.exposes.mcp.resources import ResourceTable, build_resource_table
from naftiko_runtime.exposes.mcp.tools import ToolTable, build_tool_table
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.operation import McpAdapterPlan
from naftiko_runtime.problems import Problem

ENDPOINTS: Final = ("/mcp",)
"""Where clients find the endpoint, beside the root."""

_LONGEST_INSTRUCTIONS: Final = 4000


@dataclass(frozen=True, slots=True)
class McpTable:
    """`title` and `instructions` say what it is all about, `door` what callers have to pass.
    `adapters` are what the table was built of, each with its file."""

    tools: ToolTable = field(default_factory=ToolTable)
    resources: ResourceTable = field(default_factory=ResourceTable)
    prompts: PromptTable = field(default_factory=PromptTable)
    title: str = ""
    instructions: str = ""
    door: Door = OPEN
    adapters: tuple[tuple[str, McpAdapterPlan], ...] = ()

    def seen_by(self, passed: frozenset[InboundPlan]) -> McpTable:
        """The table of what a caller may use who has passed these authentications: not even names
        in it depend on what he may not. Looks into folders of files as building does."""
        seen = [
            each
            for each in self.adapters
            if each[1].authentication is None or each[1].authentication in passed
        ]
        return self if len(seen) == len(self.adapters) else build_mcp_table(seen)[0]

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind there are, by the kind's name. A folder of files counts as one."""
        return {
            "tool": len(self.tools.tools),
            "resource": len(self.resources.resources),
            "prompt": len(self.prompts.prompts),
        }

    @property
    def summary(self) -> str:
        """`3 tools, 1 prompt`: the kinds that there are, and tools anyway."""
        return ", ".join(
            f"{number} {kind}{'' if number == 1 else 's'}"
            for kind, number in self.counts.items()
            if number or kind == "tool"
        )

    @property
    def is_empty(self) -> bool:
        return not any(self.counts.values())


def build_mcp_table(
    adapters: Sequence[tuple[str, McpAdapterPlan]], before: McpTable | None = None
) -> tuple[McpTable, list[Problem]]:
    """The table of one listener, out of its adapters, each with its file, in the order of
    precedence: the first of several parts of one name or URI keeps it. Tools that a table of
    `before` has are taken from there. Looks into folders of files, so it is to be called beside the
    event loop."""
    tools, of_tools = build_tool_table(adapters, before.tools if before is not None else None)
    resources, of_resources = build_resource_table(adapters)
    prompts, of_prompts = build_prompt_table(adapters)
    title = ", ".join(dict.fromkeys(adapter.namespace for _, adapter in adapters))
    instructions = _instructions(adapter for _, adapter in adapters)
    asked = [adapter.authentication for _, adapter in adapters]
    door = door_of(asked, metadata_pages(asked, ENDPOINTS))
    table = McpTable(tools, resources, prompts, title, instructions, door, tuple(adapters))
    return table, [*of_tools, *of_resources, *of_prompts]


def _instructions(adapters: Iterable[McpAdapterPlan]) -> str:
    """What the files say of their adapters, a paragraph each, as far as there is room."""
    paragraphs: dict[str, None] = {}
    length = 0
    for adapter in adapters:
        if length > _LONGEST_INSTRUCTIONS + 2:
            break
        if adapter.description:
            paragraph = f"{adapter.namespace}: {adapter.description}"
            length += 0 if paragraph in paragraphs else len(paragraph) + 2
            paragraphs[paragraph] = None
    text = "\n\n".join(paragraphs)
    return text if len(text) <= _LONGEST_INSTRUCTIONS else text[: _LONGEST_INSTRUCTIONS - 1] + "…"
