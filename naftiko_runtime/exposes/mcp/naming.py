"""Names that MCP clients accept, made out of names that authors chose freely.

Clients refuse tool names outside `^[a-zA-Z0-9_-]{1,64}$` and argument names outside
`^[a-zA-Z0-9_.-]{1,64}$`, some by dropping the whole list.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

LONGEST: Final = 64
_NOT_IN_TOOL_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")
_NOT_IN_ARGUMENT_NAMES: Final = re.compile(r"[^a-zA-Z0-9_.-]")


def tool_alias(name: str) -> str:
    """The name itself where clients accept it, else what it is listed as."""
    return _NOT_IN_TOOL_NAMES.sub("_", name)[:LONGEST] or "_"


def argument_alias(name: str) -> str:
    return _NOT_IN_ARGUMENT_NAMES.sub("_", name)[:LONGEST] or "_"


def unique_name(name: str, taken: Container[str]) -> str:
    """`name`, or the first of `name_2`, `name_3`, ... that is free, never longer than clients
    accept."""
    candidate, number = name, 2
    while candidate in taken:
        suffix = f"_{number}"
        candidate = name[: LONGEST - len(suffix)] + suffix
        number += 1
    return candidate
