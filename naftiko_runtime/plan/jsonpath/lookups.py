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
    to_rows = compile_reader(prefix)
    column = _column_reader(suffix)

    def read(document: JsonValue) -> list[JsonValue]:
        rows = to_rows(document)
        if not isinstance(rows, list):
            if not isinstance(rows, dict):
                return []
            rows = list(rows.values())
        if len(rows) > NODE_BUDGET:
            raise JsonPathBudgetExceeded(NODE_BUDGET)
        return column(rows)

    return read


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


def _column_reader(names: tuple[str, ...]) -> Callable[[list[Any]], list[JsonValue]]:
    """From rows to what they hold under the names; rows that lack it are left out."""
    if not names:
        return lambda rows: rows.copy()
    if len(names) == 1:
        return _one_name_column(names[0])
    return _two_names_column(*names)


def _one_name_column(name: str) -> Callable[[list[Any]], list[JsonValue]]:
    def read(rows: list[Any]) -> list[JsonValue]:
        try:
            return [row[name] for row in rows]
        except (KeyError, TypeError):
            return [row[name] for row in rows if isinstance(row, dict) and name in row]

    return read


def _two_names_column(first: str, second: str) -> Callable[[list[Any]], list[JsonValue]]:
    inner = _one_name_column(second)

    def read(rows: list[Any]) -> list[JsonValue]:
        try:
            return [row[first][second] for row in rows]
        except (KeyError, TypeError):
            return inner([row[first] for row in rows if isinstance(row, dict) and first in row])

    return read
