"""Names that MCP clients accept, made out of names that authors chose freely.

Clients refuse tool names outside `^[a-zA-Z0-9_-]{1,64}$` and argument names outside
`^[a-zA-Z0-9_.-]{1,64}$`, some by dropping the whole list.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Sequence
from itertools import islice
from typing import Final

LONGEST: Final = 64
_MOST_COMPARED: Final = 1000
"""Comparing names takes some 20 microseconds each, and callers choose how often it is done."""
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


def listed_names(parts: Sequence[tuple[str, str]]) -> list[tuple[str, int | None]]:
    """A name for each part, given as the namespace and the name in its file, and the index of the
    part that has the name, where one had to be renamed.

    Names are given away in two rounds, so that a part which has to be renamed never takes the name
    of one that comes later.
    """
    owners: dict[str, int] = {}
    for index, (_, name) in enumerate(parts):
        owners.setdefault(tool_alias(name), index)
    taken = set(owners)
    named: list[tuple[str, int | None]] = []
    for index, (namespace, name) in enumerate(parts):
        alias = tool_alias(name)
        if owners[alias] == index:
            named.append((alias, None))
            continue
        renamed = unique_name(tool_alias(f"{namespace}_{name}"), taken)
        taken.add(renamed)
        named.append((renamed, owners[alias]))
    return named


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The name that a caller may have meant."""
    if len(name) > LONGEST:
        return None
    compared = list(islice(names, _MOST_COMPARED))
    return next(iter(difflib.get_close_matches(name, compared, n=1)), None)
