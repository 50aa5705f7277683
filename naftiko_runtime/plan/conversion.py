"""Checks the values that callers give, and turns text into the declared type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from naftiko_runtime.document.model import ParameterType
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing

_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_EXPECTED = {
    ParameterType.STRING: "text",
    ParameterType.INTEGER: "a whole number",
    ParameterType.NUMBER: "a number",
    ParameterType.BOOLEAN: "true or false",
    ParameterType.ARRAY: "a list",
    ParameterType.OBJECT: "an object",
}

Convert = Callable[[MaybeJson, bool], JsonValue]


def compile_conversion(
    name: str, type_: ParameterType | None, schema: Mapping[str, JsonValue]
) -> Convert:
    """The check of one input: takes the value as given and whether it came as text, returns it in
    its type. Raises CallFailed (INVALID_INPUT)."""
    convert = _TYPES.get(type_) if type_ is not None else None
    checks = [make(schema[key]) for key, make in _KEYWORDS.items() if key in schema]

    def check(value: MaybeJson, textual: bool) -> JsonValue:
        assert not isinstance(value, Missing)
        if convert is not None:
            converted = convert(value, textual)
            if isinstance(converted, Missing):
                assert type_ is not None
                raise _invalid(name, f"expected {_EXPECTED[type_]}, got {show(value)}")
            value = converted
        for test in checks:
            complaint = test(value)
            if complaint:
                raise _invalid(name, f"{complaint}, got {show(value)}")
        return value

    return check


def _invalid(name: str, complaint: str) -> CallFailed:
    return fail(FailureKind.INVALID_INPUT, f'"{name}": {complaint}', field=name)


def show(value: JsonValue) -> str:
    """A value as a message shows it: short, quoted, without line breaks."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else text[:57] + '..."'


def _string(value: JsonValue, textual: bool) -> MaybeJson:
    return value if isinstance(value, str) else Missing.MISSING


def _integer(value: JsonValue, textual: bool) -> MaybeJson:
    if textual and isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, bool):
        return Missing.MISSING
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal) and value == int(value):
        return int(value)
    return Missing.MISSING


def _number(value: JsonValue, textual: bool) -> MaybeJson:
    if textual and isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value) if _INTEGER.fullmatch(value) else Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Missing.MISSING
    return value


def _boolean(value: JsonValue, textual: bool) -> MaybeJson:
    if isinstance(value, bool):
        return value
    if textual and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return Missing.MISSING


def _array(value: JsonValue, textual: bool) -> MaybeJson:
    if isinstance(value, list):
        return value
    return [value] if textual else Missing.MISSING


def _object(value: JsonValue, textual: bool) -> MaybeJson:
    """An object; text in a query or header is passed on as it is (JSON has no one way there)."""
    return value if textual or isinstance(value, dict) else Missing.MISSING


_TYPES: dict[ParameterType, Callable[[JsonValue, bool], MaybeJson]] = {
    ParameterType.STRING: _string,
    ParameterType.INTEGER: _integer,
    ParameterType.NUMBER: _number,
    ParameterType.BOOLEAN: _boolean,
    ParameterType.ARRAY: _array,
    ParameterType.OBJECT: _object,
}

Check = Callable[[JsonValue], str | None]


def _enum(allowed: JsonValue) -> Check:
    choices = allowed if isinstance(allowed, list) else [allowed]
    shown = ", ".join(show(choice) for choice in choices)

    def check(value: JsonValue) -> str | None:
        known = any(c == value and isinstance(c, bool) == isinstance(value, bool) for c in choices)
        return None if known else f"expected one of {shown}"

    return check


def _pattern(pattern: JsonValue) -> Check:
    expression = re.compile(str(pattern))

    def check(value: JsonValue) -> str | None:
        if not isinstance(value, str):
            return None
        if len(value) > 4096 or not expression.search(value):
            return f"expected text that matches {pattern}"
        return None

    return check


def _bound(word: str, holds: Callable[[Decimal, Decimal], bool]) -> Callable[[JsonValue], Check]:
    def make(limit: JsonValue) -> Check:
        bound = Decimal(str(limit))

        def check(value: JsonValue) -> str | None:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                return None
            return None if holds(Decimal(str(value)), bound) else f"expected {word} {limit}"

        return check

    return make


def _length(word: str, holds: Callable[[int, int], bool]) -> Callable[[JsonValue], Check]:
    def make(limit: JsonValue) -> Check:
        bound = int(str(limit))

        def check(value: JsonValue) -> str | None:
            if not isinstance(value, str | list):
                return None
            return None if holds(len(value), bound) else f"expected {word} {limit} long"

        return check

    return make


_KEYWORDS: dict[str, Callable[[JsonValue], Check]] = {
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _bound("at least", lambda value, bound: value >= bound),
    "maximum": _bound("at most", lambda value, bound: value <= bound),
    "minLength": _length("at least", lambda length, bound: length >= bound),
    "maxLength": _length("at most", lambda length, bound: length <= bound),
}
CHECKED_KEYWORDS = frozenset(_KEYWORDS)
