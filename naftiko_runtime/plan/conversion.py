"""Checks the values that callers give, and turns text into the declared type."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite

from naftiko_runtime.document.model import ParameterType
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.patterns import compile_pattern

_DIGITS = 4000
"""The most digits of an integer: Python writes no more than 4,300 of them."""

_INTEGER = re.compile(rf"[+-]?[0-9]{{1,{_DIGITS}}}")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
"""A number as people and machines write it in text; JSON's own grammar is narrower."""
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
    its type. Items of lists and members of objects are checked where the schema says what they
    are. Raises CallFailed (INVALID_INPUT). Raises PatternError itself, for a pattern that cannot be
    checked."""
    return _compile(name, name, type_, schema)


def _compile(
    name: str, label: str, type_: ParameterType | None, schema: Mapping[str, JsonValue]
) -> Convert:
    """`label` is how messages name a value inside the input `name`."""
    convert = _TYPES.get(type_) if type_ is not None else None
    convert_inside = _inside(name, label, type_, schema)
    checks = [make(schema[key]) for key, make in _KEYWORDS.items() if key in schema]

    def check(value: MaybeJson, textual: bool) -> JsonValue:
        assert not isinstance(value, Missing)
        if convert is not None:
            converted = convert(value, textual)
            if isinstance(converted, Missing):
                assert type_ is not None
                raise _invalid(name, label, f"expected {_EXPECTED[type_]}, got {show(value)}")
            value = converted
        if convert_inside is not None:
            value = convert_inside(value, textual)
        for test in checks:
            complaint = test(value)
            if complaint:
                raise _invalid(name, label, f"{complaint}, got {show(value)}")
        return value

    return check


def _inside(
    name: str, label: str, type_: ParameterType | None, schema: Mapping[str, JsonValue]
) -> Callable[[JsonValue, bool], JsonValue] | None:
    """The check of what is inside a value; None where the schema does not say."""
    items, properties = schema.get("items"), schema.get("properties")
    if type_ is ParameterType.ARRAY and isinstance(items, dict):
        return _each_item(_nested(name, label, items))
    if type_ is ParameterType.OBJECT and isinstance(properties, dict):
        return _each_member(name, label, schema, properties)
    return None


def _nested(name: str, label: str, schema: Mapping[str, JsonValue]) -> Convert:
    text = schema.get("type")
    known = ParameterType(text) if isinstance(text, str) and text in _TYPES else None
    return _compile(name, label, known, schema)


def _each_item(convert: Convert) -> Callable[[JsonValue, bool], JsonValue]:
    def check(value: JsonValue, textual: bool) -> JsonValue:
        if not isinstance(value, list):
            return value
        return [convert(item, textual) for item in value]

    return check


def _each_member(
    name: str,
    label: str,
    schema: Mapping[str, JsonValue],
    properties: Mapping[str, JsonValue],
) -> Callable[[JsonValue, bool], JsonValue]:
    """Checks the members that the schema knows. A null stands for a member that is not given, as
    it does for inputs. Members are required that `required` lists, or that say so themselves."""
    known = {key: member for key, member in properties.items() if isinstance(member, dict)}
    members = {key: _nested(name, f"{label}.{key}", member) for key, member in known.items()}
    listed = schema.get("required")
    required = [str(key) for key in listed] if isinstance(listed, list) else []
    required += [key for key, member in known.items() if member.get("required") is True]
    is_closed = schema.get("additionalProperties") is False

    def check(value: JsonValue, textual: bool) -> JsonValue:
        if not isinstance(value, dict):
            return value
        for key in required:
            if value.get(key) is None:
                raise _invalid(name, f"{label}.{key}", "is required")
        converted: dict[str, JsonValue] = {}
        for key, member in value.items():
            convert = members.get(key)
            if is_closed and key not in properties:
                allowed = ", ".join(f'"{each}"' for each in properties)
                raise _invalid(name, f"{label}.{key}"[:200], f"is unknown - known here: {allowed}")
            converted[key] = member if convert is None or member is None else convert(member, False)
        return converted

    return check


def _invalid(name: str, label: str, complaint: str) -> CallFailed:
    return fail(FailureKind.INVALID_INPUT, f'"{label}": {complaint}', field=name)


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
    if isinstance(value, float | Decimal) and isfinite(value) and _is_whole(Decimal(value)):
        return int(value)
    return Missing.MISSING


def _is_whole(number: Decimal) -> bool:
    """Whether it is an integer, and one that can be written out: `1e6000` is a bomb."""
    return number.adjusted() < _DIGITS and number == number.to_integral_value()


def _number(value: JsonValue, textual: bool) -> MaybeJson:
    if textual and isinstance(value, str) and NUMBER.fullmatch(value):
        return int(value) if _INTEGER.fullmatch(value) else Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Missing.MISSING
    return value if isinstance(value, int) or isfinite(value) else Missing.MISSING


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
        known = any(_is_choice(choice, value) for choice in choices)
        return None if known else f"expected one of {shown}"

    return check


def _is_choice(choice: JsonValue, value: JsonValue) -> bool:
    """Whether a value is one of the choices; for text also the text of a choice that the file
    writes as a number (`enum: [1, 2]` of a string)."""
    if isinstance(choice, bool) or isinstance(value, bool):
        return choice is value
    if isinstance(choice, int | float | Decimal):
        if isinstance(value, str):
            return str(choice) == value
        return isinstance(value, int | float | Decimal) and _decimal(choice) == _decimal(value)
    return choice == value


def _decimal(number: float | Decimal) -> Decimal:
    """A number as it is written: 1.1 the float is 1.1 the decimal."""
    return Decimal(str(number))


def _pattern(pattern: JsonValue) -> Check:
    """Raises PatternError."""
    matches = compile_pattern(str(pattern))

    def check(value: JsonValue) -> str | None:
        if not isinstance(value, str) or matches(value):
            return None
        return f"expected text that matches {pattern}"

    return check


def _bound(word: str, holds: Callable[[Decimal, Decimal], bool]) -> Callable[[JsonValue], Check]:
    def make(limit: JsonValue) -> Check:
        if isinstance(limit, bool) or not isinstance(limit, int | float | Decimal):
            return lambda value: None
        bound = _decimal(limit)

        def check(value: JsonValue) -> str | None:
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                return None
            return None if holds(_decimal(value), bound) else f"expected {word} {limit}"

        return check

    return make


def _length(
    kind: type[str] | type[list[JsonValue]], words: str, holds: Callable[[int, int], bool]
) -> Callable[[JsonValue], Check]:
    def make(limit: JsonValue) -> Check:
        if not isinstance(limit, int):
            return lambda value: None

        def check(value: JsonValue) -> str | None:
            if not isinstance(value, str | list) or not isinstance(value, kind):
                return None
            return None if holds(len(value), limit) else f"expected {words.format(limit)}"

        return check

    return make


_KEYWORDS: dict[str, Callable[[JsonValue], Check]] = {
    "enum": _enum,
    "pattern": _pattern,
    "minimum": _bound("at least", operator.ge),
    "maximum": _bound("at most", operator.le),
    "exclusiveMinimum": _bound("more than", operator.gt),
    "exclusiveMaximum": _bound("less than", operator.lt),
    "minLength": _length(str, "at least {} characters", operator.ge),
    "maxLength": _length(str, "at most {} characters", operator.le),
    "minItems": _length(list, "at least {} items", operator.ge),
    "maxItems": _length(list, "at most {} items", operator.le),
}
