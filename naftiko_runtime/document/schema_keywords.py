"""The keywords of JSON Schema 2020-12 that concern one value, as functions that record faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import DocumentPath

Schema: TypeAlias = Mapping[str, JsonValue]


class FaultKind(StrEnum):
    TYPE = "type"
    CHOICE = "choice"
    PATTERN = "pattern"
    TOO_SMALL = "too small"
    TOO_LARGE = "too large"
    MISSING = "missing"
    MISSING_ANY = "missing any"
    """None of several keys is there."""
    UNKNOWN_KEY = "unknown key"
    REFUSED = "refused"
    """No value is allowed here: a `false` schema, a failed `not`, two branches of a `oneOf`."""


class Fault(NamedTuple):
    """What a keyword found wrong with the value at `path`."""

    kind: FaultKind
    path: DocumentPath
    value: JsonValue
    """The value, or the key itself where a key is at fault (`propertyNames`)."""
    detail: JsonValue
    """What was expected: type names, choices, the missing or unknown key, a bound."""
    schema: Schema
    """The schema that says so; its annotations hold words for the message."""
    beyond: bool
    """Whether only the official schema (`x-strict`) says so."""


Check: TypeAlias = Callable[[JsonValue, DocumentPath, list[Fault]], None]

_CLASSES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
    "number": frozenset({int, float}),
    "integer": frozenset({int}),
}


def pass_all(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
    """The check that every value passes."""


def refuse_all(schema: Schema, beyond: bool) -> Check:
    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        faults.append(Fault(FaultKind.REFUSED, path, value, None, schema, beyond))

    return check


def of_type(schema: Schema, beyond: bool, further: Check) -> Check:
    """`type`; the schema's other keywords (`further`) are asked only if it holds."""
    names: list[JsonValue] = (
        schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    )
    classes = frozenset[type]().union(*(_CLASSES[str(name)] for name in names))
    # 8080.0 is an integer to JSON Schema.
    whole_floats = "integer" in names and float not in classes

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        is_whole = whole_floats and isinstance(value, float) and value.is_integer()
        if is_whole or value.__class__ in classes:
            further(value, path, faults)
        else:
            faults.append(Fault(FaultKind.TYPE, path, value, names, schema, beyond))

    return check


def one_of_values(schema: Schema, beyond: bool) -> Check:
    """`enum`, and `const` as an enum of one. The schema file lists text only."""
    choices = schema["enum"] if "enum" in schema else [schema["const"]]
    assert isinstance(choices, list)
    assert all(isinstance(choice, str) for choice in choices)

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        if value not in choices:
            faults.append(Fault(FaultKind.CHOICE, path, value, choices, schema, beyond))

    return check


def matching(schema: Schema, beyond: bool) -> Check:
    """`pattern`. In ECMA 262 a final `$` is the end of the text, in Python also a last line."""
    source = str(schema["pattern"])
    search = re.compile(re.sub(r"\$$", r"\\Z", source)).search

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        if isinstance(value, str) and search(value) is None:
            faults.append(Fault(FaultKind.PATTERN, path, value, source, schema, beyond))

    return check


def bounded(keyword: str, schema: Schema, beyond: bool) -> Check:
    """`minimum`, `maximum`, and those of lengths and numbers of elements."""
    bound = schema[keyword]
    assert isinstance(bound, int | float)
    is_least = keyword.startswith("min")
    kind = FaultKind.TOO_SMALL if is_least else FaultKind.TOO_LARGE
    measured = {"Length": str, "Items": list}.get(keyword[3:])

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        if measured is None:
            if not isinstance(value, int | float) or isinstance(value, bool):
                return
            size = float(value)
        elif isinstance(value, str | list) and isinstance(value, measured):
            size = len(value)
        else:
            return
        if size < bound if is_least else size > bound:
            faults.append(Fault(kind, path, value, bound, schema, beyond))

    return check


def negated(inner: Check, schema: Schema, beyond: bool) -> Check:
    """`not`."""

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        found: list[Fault] = []
        inner(value, path, found)
        if not found:
            faults.append(Fault(FaultKind.REFUSED, path, value, None, schema, beyond))

    return check


def each_item(inner: Check) -> Check:
    """`items`."""

    def check(value: JsonValue, path: DocumentPath, faults: list[Fault]) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                inner(item, (*path, index), faults)

    return check
