"""What `tools/list` and `server/discover` answer, said without the SDK.

It says what the SDK would say of the same table, and nothing where the SDK could say it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from naftiko_runtime import __version__
from naftiko_runtime.exposes.mcp.fast_requests import MODERN, FastRequest
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.exposes.mcp.tools import ListedTool
from naftiko_runtime.json_values import JsonValue

PAGE_SIZE: Final = 1000

_UNCACHED: Final[Mapping[str, JsonValue]] = {"cacheScope": "private", "ttlMs": 0}
"""Lists can change at any time, and clients are told when they do."""

_Item = TypeVar("_Item")


def page_after(
    items: Sequence[_Item], key: Callable[[_Item], str], cursor: str | None
) -> tuple[Sequence[_Item], str | None] | None:
    """The page after a cursor, and the cursor of the next one; None for an unknown cursor.

    A cursor is the key of the last item of the page before: a reload in between makes it invalid
    rather than skip items.
    """
    first = 0
    if cursor is not None:
        keys = [key(item) for item in items]
        if cursor not in keys:
            return None
        first = keys.index(cursor) + 1
    page = items[first : first + PAGE_SIZE]
    return page, key(page[-1]) if first + PAGE_SIZE < len(items) else None


def server_info(name: str, table: McpTable) -> dict[str, JsonValue]:
    """What the server says of itself in each answer of 2026-07-28."""
    info: dict[str, JsonValue] = {"name": name, "version": __version__}
    if table.title:
        info["title"] = table.title
    return info


def list_answer(table: McpTable, request: FastRequest) -> dict[str, JsonValue] | None:
    """The result of a request, without what all results of its version have; None where it is
    left to the SDK: an unknown cursor, a schema whose nulls the SDK may drop, and what there is
    besides tools."""
    if request.method == "tools/list":
        return _tools(table, request)
    if table.resources.resources or table.prompts.prompts:
        return None
    answer: dict[str, JsonValue] = {
        **_UNCACHED,
        "capabilities": {"tools": {"listChanged": True}},
        "supportedVersions": [MODERN],
    }
    return answer | ({"instructions": table.instructions} if table.instructions else {})


def _tools(table: McpTable, request: FastRequest) -> dict[str, JsonValue] | None:
    found = page_after(table.tools.tools, lambda tool: tool.name, request.cursor)
    if found is None:
        return None
    page, cursor = found
    entries = [_entry(tool, request) for tool in page]
    if any(_holds_null(entry) for entry in entries):
        return None
    answer: dict[str, JsonValue] = {"tools": list(entries)}
    if request.is_modern:
        answer |= _UNCACHED
    return answer | ({"nextCursor": cursor} if cursor is not None else {})


def _entry(tool: ListedTool, request: FastRequest) -> dict[str, JsonValue]:
    return dict(tool.entry if request.is_modern else tool.handshake_entry)


def _holds_null(entry: Mapping[str, JsonValue]) -> bool:
    """Whether a schema's own member is null, at the level of which the SDK knows the names."""
    schemas = (entry.get("inputSchema"), entry.get("outputSchema"))
    return any(
        value is None for schema in schemas if isinstance(schema, dict) for value in schema.values()
    )
