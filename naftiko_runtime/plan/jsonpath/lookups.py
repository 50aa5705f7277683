"""Readers for paths that find at most one value, and for the rows of a list: the common paths.

They count nothing: what they visit is bounded by the path itself, or by one list of the document.
A name is looked up without asking for the type first. Objects are the only JSON values that accept
a text as key, so every other value answers with TypeError, which costs nothing until it happens.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any, TypeAlias

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded
from naftiko_runtime.plan.jsonpath.evaluation import NODE_BUDGET

Reader: TypeAlias = Callable[[Any], MaybeJson]
"""From a value to the one below it, or MISSING; given MISSING, it answers MISSING."""


def compile_reader(keys: tuple[str | int, ...]) -> Reader:
    """Follows names and indexes from a value."""
    hops: list[Reader] = []
    for is_name, run in groupby(keys, key=lambda key: isinstance(key, str)):
        if is_name:
            hops.append(_names_reader([str(key) for key in run]))
        else:
            hops.extend(_index_reader(int(key)) for key in run)
    if not hops:
        return lambda value: value
    if len(hops) == 1:
        return hops[0]
    if len(hops) == 2:
        first, second = hops
        return lambda value: second(first(value))

    def read(value: MaybeJson) -> MaybeJson:
        for hop in hops:
            value = hop(value)
        return value

    return read


def compile_rows(
    prefix: tuple[str | int, ...], suffix: tuple[str, ...]
) -> Callable[[JsonValue], list[JsonValue]]:
    """The path `$.prefix[*].suffix`, as a list; suffixes hold at most two names."""
    to_parent = compile_reader(prefix)
    if not suffix:
        return lambda document: _rows_of(to_parent(document)).copy()
    if len(suffix) == 1:
        return _one_name_rows(to_parent, suffix[0])
    return _two_names_rows(to_parent, *suffix)


def _rows_of(parent: MaybeJson) -> list[Any]:
    """What `[*]` finds; the list is the document's own."""
    if not isinstance(parent, list):
        if not isinstance(parent, dict):
            return []
        parent = list(parent.values())
    if len(parent) > NODE_BUDGET:
        raise JsonPathBudgetExceeded(NODE_BUDGET)
    return parent


def _one_name_rows(to_parent: Reader, name: str) -> Callable[[JsonValue], list[JsonValue]]:
    def read(document: JsonValue) -> list[JsonValue]:
        rows: Any = to_parent(document)
        if type(rows) is not list or len(rows) > NODE_BUDGET:
            rows = _rows_of(rows)
        try:
            return [row[name] for row in rows]
        except (KeyError, TypeError):
            return _column(rows, name)

    return read


def _two_names_rows(
    to_parent: Reader, first: str, second: str
) -> Callable[[JsonValue], list[JsonValue]]:
    def read(document: JsonValue) -> list[JsonValue]:
        rows: Any = to_parent(document)
        if type(rows) is not list or len(rows) > NODE_BUDGET:
            rows = _rows_of(rows)
        try:
            return [row[first][second] for row in rows]
        except (KeyError, TypeError):
            return _column(_column(rows, first), second)

    return read


def _column(rows: list[Any], name: str) -> list[JsonValue]:
    return [row[name] for row in rows if isinstance(row, dict) and name in row]


def _names_reader(names: list[str]) -> Reader:
    if len(names) == 1:
        return _one_name_reader(names[0])
    if len(names) == 2:
        return _two_names_reader(*names)
    if len(names) == 3:
        return _three_names_reader(*names)

    def read(value: Any) -> MaybeJson:
        try:
            for name in names:
                value = value[name]
        except (KeyError, TypeError):
            return MISSING
        return value  # type: ignore[no-any-return]

    return read


def _one_name_reader(name: str) -> Reader:
    def read(value: Any) -> MaybeJson:
        try:
            return value[name]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            return MISSING

    return read


def _two_names_reader(first: str, second: str) -> Reader:
    def read(value: Any) -> MaybeJson:
        try:
            return value[first][second]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            return MISSING

    return read


def _three_names_reader(first: str, second: str, third: str) -> Reader:
    def read(value: Any) -> MaybeJson:
        try:
            return value[first][second][third]  # type: ignore[no-any-return]
        except (KeyError, TypeError):
            return MISSING

    return read


def _index_reader(index: int) -> Reader:
    def read(value: Any) -> MaybeJson:
        if isinstance(value, list) and -len(value) <= index < len(value):
            return value[index]  # type: ignore[no-any-return]
        return MISSING

    return read
