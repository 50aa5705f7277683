"""What is done to single values on their way into an answer: they are brought into their declared
types, texts in them are replaced, and values are exchanged for what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, TypeAlias

from naftiko_runtime.document.model import OutputParameter
from naftiko_runtime.json_codec import NUMBER_EXPONENT
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.calls import Scope
from naftiko_runtime.plan.conversion import NUMBER
from naftiko_runtime.plan.getters import as_text

Map: TypeAlias = Callable[[JsonValue, Scope], JsonValue]


def is_rewritten(output: OutputParameter) -> bool:
    """Whether a parameter has `replace`, `cases` or `otherwise`."""
    given = output.replacements or output.cases is not None
    return bool(given) or not isinstance(output.otherwise, Missing)


def rewritten(make: Map, output: OutputParameter) -> Map:
    """What `replace` makes of a text, and then `cases` of any value, compared as text. `otherwise`
    is for what no case names, and for nothing."""
    replacements, cases, fit = output.replacements, output.cases, fitting(output.type)
    otherwise = output.otherwise

    def rewrite(document: JsonValue, scope: Scope) -> JsonValue:
        value = make(document, scope)
        if isinstance(value, str):
            for old, new in replacements:
                value = value.replace(old, new)
        if value is None:
            return None if isinstance(otherwise, Missing) else otherwise
        if cases is None:
            return fit(value)
        text = as_text(value)
        if text in cases:
            return cases[text]
        return value if isinstance(otherwise, Missing) else otherwise

    return rewrite


def types_of(output: OutputParameter) -> JsonValue:
    """The JSON types that a value can have: the declared one, null, and those of its cases."""
    types: list[JsonValue] = [output.type]
    constants = [*(output.cases or {}).values()]
    constants += [] if isinstance(output.otherwise, Missing) else [output.otherwise]
    types += [type_ for type_ in map(_type_of, constants) if type_ is not None]
    return list(dict.fromkeys([*map(str, types), "null"]))


def _type_of(value: JsonValue) -> str | None:
    for types, name in _TYPES:
        if isinstance(value, types):
            return name
    return None


_TYPES: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "boolean"),
    (str, "string"),
    ((int, float, Decimal), "number"),
    (list, "array"),
    (dict, "object"),
)


def fitting(type_: str) -> Callable[[JsonValue], JsonValue]:
    """Brings a value into a declared type, where that loses nothing."""
    return SCALARS.get(type_, _as_is)


def _as_is(value: JsonValue) -> JsonValue:
    return value


def _to_text(value: JsonValue) -> JsonValue:
    """Numbers and booleans as text; objects and lists stay what they are."""
    return value if isinstance(value, dict | list | str) else as_text(value)


def _to_number(value: JsonValue) -> JsonValue:
    """Numeric text as a number, digit for digit; anything else stays what it is."""
    if not isinstance(value, str) or len(value) > 400:
        return value
    text = value.strip()
    if not NUMBER.fullmatch(text):
        return value
    number = Decimal(text)
    if abs(number.adjusted()) > NUMBER_EXPONENT:
        return value
    return int(text) if text.lstrip("+-").isdecimal() else number


def _to_boolean(value: JsonValue) -> JsonValue:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


SCALARS: dict[str, Callable[[JsonValue], JsonValue]] = {
    "string": _to_text,
    "number": _to_number,
    "integer": _to_number,
    "boolean": _to_boolean,
}
