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
    """Marks what cannot be found: `shape` where the document is of another shape than the path
    expects, `place` where all is missing that should hold it."""

    SHAPE = "shape"
    PLACE = "place"


Found: TypeAlias = JsonValue | Missing | Odd


@lru_cache(maxsize=1024)
def compile_request_path(text: str) -> Callable[[JsonValue], list[Found]]:
    """What a path finds in a document: values, MISSING for what is not there (or null) in a place
    that is, Odd for what cannot be said. Never an empty list. Raises JsonPathSyntaxError when it
    is made."""
    segments = parse_strict(text).segments
    single = [Query((segment,)).singular_keys() is not None for segment in segments]
    first = single.index(False) if False in single else len(segments)
    last = len(segments) - single[::-1].index(False) if False in single else first
    head = Query(segments[:first]).singular_keys() or ()
    tail = Query(segments[last:]).singular_keys() or ()
    spread = compile_nodes(Query(segments[first:last], relative=True)) if first < last else None

    def find(document: JsonValue) -> list[Found]:
        start = _follow(document, head, may_miss=spread is None)
        if spread is None or isinstance(start, Missing | Odd):
            return [start]
        if not isinstance(start, list | dict):
            return [Odd.SHAPE]
        evaluation = Evaluation(document)
        try:
            nodes = spread(start, evaluation)
        except JsonPathBudgetExceeded:
            return [Odd.SHAPE]
        return [_follow(node, tail) for node in nodes] or [MISSING]

    return find


def _follow(node: JsonValue, keys: tuple[str | int, ...], *, may_miss: bool = True) -> Found:
    """What is there; MISSING for a null on the way, and for the last key if it may be missing."""
    for position, key in enumerate(keys, 1):
        if node is None:
            return MISSING
        if isinstance(key, str):
            if not isinstance(node, dict):
                return Odd.SHAPE
            if key not in node:
                return _absent(node, key, may_miss=may_miss and position == len(keys))
            node = node[key]
        else:
            if not isinstance(node, list):
                return Odd.SHAPE
            if not -len(node) <= key < len(node):
                return MISSING if may_miss and position == len(keys) else Odd.PLACE
            node = node[key]
    return MISSING if node is None else node


def _absent(node: dict[str, JsonValue], key: str, *, may_miss: bool) -> Found:
    if _has_alike(node, key):
        return Odd.SHAPE
    return MISSING if may_miss else Odd.PLACE


def _has_alike(node: dict[str, JsonValue], key: str) -> bool:
    folded = key.strip().casefold()
    return any(name.strip().casefold() == folded for name in node)
