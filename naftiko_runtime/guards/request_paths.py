"""JSONPaths into the document of a request, read so that nothing slips by them.

A plain JSONPath says nothing of what it does not find. Here each node that the path gets to as far
as its last wildcard has to have the rest, and whatever has another shape than the path expects, or
a name that differs in case only, is told from what is simply not there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from naftiko_runtime.json_values import MISSING, JsonValue, Missing
from naftiko_runtime.plan.jsonpath import JsonPathBudgetExceeded, parse_strict
from naftiko_runtime.plan.jsonpath.ast import Query
from naftiko_runtime.plan.jsonpath.compile import compile_nodes
from naftiko_runtime.plan.jsonpath.evaluation import Evaluation


class Odd(Enum):
    """Marks a place where the document is of another shape than the path expects."""

    ODD = "odd"


Found: TypeAlias = JsonValue | Missing | Odd
ODD = Odd.ODD


@lru_cache(maxsize=1024)
def compile_request_path(text: str) -> Callable[[JsonValue], list[Found]]:
    """What a path finds in a document: values, MISSING for what is not there (or null), ODD for
    what cannot be said. Never an empty list. Raises JsonPathSyntaxError when it is made."""
    segments = parse_strict(text).segments
    single = [Query((segment,)).singular_keys() is not None for segment in segments]
    first = single.index(False) if False in single else len(segments)
    last = len(segments) - single[::-1].index(False) if False in single else first
    head = Query(segments[:first]).singular_keys() or ()
    tail = Query(segments[last:]).singular_keys() or ()
    spread = compile_nodes(Query(segments[first:last], relative=True)) if first < last else None

    def find(document: JsonValue) -> list[Found]:
        start = _follow(document, head)
        if spread is None or isinstance(start, Missing | Odd):
            return [start]
        if not isinstance(start, list | dict):
            return [ODD]
        evaluation = Evaluation(document)
        try:
            nodes = spread(start, evaluation)
        except JsonPathBudgetExceeded:
            return [ODD]
        return [_follow(node, tail) for node in nodes] or [MISSING]

    return find


def _follow(node: JsonValue, keys: tuple[str | int, ...]) -> Found:
    for key in keys:
        if node is None:
            return MISSING
        if isinstance(key, str):
            if not isinstance(node, dict):
                return ODD
            if key not in node:
                return ODD if _has_alike(node, key) else MISSING
            node = node[key]
        else:
            if not isinstance(node, list):
                return ODD
            if not -len(node) <= key < len(node):
                return MISSING
            node = node[key]
    return MISSING if node is None else node


def _has_alike(node: dict[str, JsonValue], key: str) -> bool:
    folded = key.strip().casefold()
    return any(name.strip().casefold() == folded for name in node)
