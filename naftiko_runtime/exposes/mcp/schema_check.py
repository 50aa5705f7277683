"""Compiles a JSON Schema to a check of one value.

The schemas of outputs and bodies use few keywords, for which a compiled check is some thirty
times faster than a generic validator; a schema with any other keyword is left to `jsonschema`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType
from typing import Final

from naftiko_runtime.exposes.mcp.json_numbers import as_doubles
from naftiko_runtime.json_values import JsonValue

Check = Callable[[JsonValue], str | None]
"""Returns what is wrong with a value (where, and what was expected), or None."""

_Inner = Callable[[JsonValue], tuple[str, str] | None]
"""Returns where in the value something is wrong (`.orders[2]`, put together on the way out, as most
values are right), and what was expected."""

_ANNOTATIONS: Final = frozenset(
    "title description default examples format deprecated readOnly writeOnly "
    "$comment $schema".split()
)
_PYTHON_TYPES: Final[Mapping[str, frozenset[type]]] = {
    "null": frozenset({NoneType}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),
    "number": frozenset({int, float, Decimal}),
    "string": frozenset({str}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
}
"""The types whose every value is of a JSON type. Fractions may be whole, and then are integers."""


def compile_check(schema: Mapping[str, JsonValue]) -> Check:
    """The check of `schema` (JSON Schema 2020-12). References over the network are never followed;
    a schema that cannot be used fails every value, saying so."""
    inner = _compile(dict(schema))
    if inner is None:
        return _generic(schema)

    def check(value: JsonValue) -> str | None:
        complaint = inner(value)
        return None if complaint is None else f"${complaint[0]}: {complaint[1]}"

    return check


def lazy_check(schema: Mapping[str, JsonValue]) -> Check:
    """The same, compiled when it is first asked: most tools of a large table are never called."""
    compiled: Check | None = None

    def check(value: JsonValue) -> str | None:
        nonlocal compiled
        if compiled is None:
            compiled = compile_check(schema)
        return compiled(value)

    return check


def json_type(value: JsonValue) -> str:
    """The JSON type of a value; a whole number is an `integer` however it was written."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case Decimal():
            return "integer" if value == value.to_integral_value() else "number"


def _compile(schema: JsonValue) -> _Inner | None:
    """None when a keyword is met that is not known here."""
    if schema is True:
        return lambda value: None
    if not isinstance(schema, dict):
        return None
    checks: list[_Inner] = []
    object_keywords = {"properties", "required", "additionalProperties"}
    for keyword, argument in schema.items():
        if keyword in _ANNOTATIONS or keyword in object_keywords:
            continue
        make = _KEYWORDS.get(keyword)
        made = make(argument) if make is not None else None
        if made is None:
            return None
        checks.append(made)
    if object_keywords & schema.keys():
        members = _members(schema)
        if members is None:
            return None
        checks.append(members)
    return checks[0] if len(checks) == 1 else _all_of(checks)


def _all_of(checks: list[_Inner]) -> _Inner:
    def check(value: JsonValue) -> tuple[str, str] | None:
        for each in checks:
            complaint = each(value)
            if complaint is not None:
                return complaint
        return None

    return check


def _type(argument: JsonValue) -> _Inner | None:
    names = argument if isinstance(argument, list) else [argument]
    if not all(isinstance(name, str) and name in _PYTHON_TYPES for name in names):
        return None
    allowed = frozenset(str(name) for name in names)
    if "number" in allowed:
        allowed |= {"integer"}
    expected = " or ".join(str(name) for name in names)
    plain = frozenset(each for name in allowed for each in _PYTHON_TYPES[name])

    def check(value: JsonValue) -> tuple[str, str] | None:
        if type(value) in plain:
            return None
        got = json_type(value)
        return None if got in allowed else ("", f"expected {expected}, got {got}")

    return check


def _enum(argument: JsonValue) -> _Inner | None:
    if not isinstance(argument, list) or any(isinstance(c, list | dict) for c in argument):
        return None

    def check(value: JsonValue) -> tuple[str, str] | None:
        if any(c == value and isinstance(c, bool) == isinstance(value, bool) for c in argument):
            return None
        return "", "is none of the listed values"

    return check


def _const(argument: JsonValue) -> _Inner | None:
    return _enum([argument])


def _items(argument: JsonValue) -> _Inner | None:
    item = _compile(argument)
    if item is None:
        return None

    def check(value: JsonValue) -> tuple[str, str] | None:
        if isinstance(value, list):
            for index, each in enumerate(value):
                complaint = item(each)
                if complaint is not None:
                    return f"[{index}]{complaint[0]}", complaint[1]
        return None

    return check


_KEYWORDS: Final[Mapping[str, Callable[[JsonValue], _Inner | None]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "items": _items,
}


def _members(schema: Mapping[str, JsonValue]) -> _Inner | None:
    """`properties`, `required` and `additionalProperties` together, as they refer to each other."""
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    others = schema.get("additionalProperties", True)
    if not isinstance(properties, dict) or not isinstance(required, list):
        return None
    known: dict[str, _Inner] = {}
    for name, subschema in properties.items():
        compiled = _compile(subschema)
        if compiled is None:
            return None
        known[name] = compiled
    other = None if others is False else _compile(others)
    if other is None and others is not False:
        return None

    def check(value: JsonValue) -> tuple[str, str] | None:
        if not isinstance(value, dict):
            return None
        for name in required:
            if name not in value:
                return "", f'lacks "{name}"'
        for name, each in value.items():
            member = known.get(name, other)
            if member is None:
                return "", f'has "{name}", which is not allowed'
            complaint = member(each)
            if complaint is not None:
                return f".{name}{complaint[0]}", complaint[1]
        return None

    return check


def _generic(schema: Mapping[str, JsonValue]) -> Check:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # Without a registry of its own the validator would fetch references from the network.
    validator = Draft202012Validator(dict(schema), registry=Registry())

    def check(value: JsonValue) -> str | None:
        try:
            error = best_match(validator.iter_errors(as_doubles(value)))
        except Unresolvable as unresolved:
            return f"its schema refers to {unresolved.ref!r}, which is not in the file"
        except Exception as broken:  # whatever a wrong schema makes the validator stumble over
            return f"its schema cannot be used ({type(broken).__name__})"
        return None if error is None else f"{error.json_path}: {error.message[:200]}"

    return check
