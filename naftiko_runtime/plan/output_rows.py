"""Compiles objects whose members are members of the document, the usual rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from types import NoneType
from typing import Final

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import Scope

_ALL: Final = frozenset({str, int, float, Decimal, bool, NoneType, list, dict})
_FITTING: Final = {
    "string": frozenset({str, NoneType, list, dict}),
    "number": _ALL - {str},
    "integer": _ALL - {str},
    "boolean": _ALL - {str},
}
"""The types of values that stay what they are in a declared type."""


@dataclass(frozen=True, slots=True)
class Field:
    """The member `name` of an object, made of the document's member `key`: `fit` brings its value
    into the declared `type`."""

    name: str
    key: str
    type: str
    fit: Callable[[JsonValue], JsonValue]


def compile_row(fields: Sequence[Field]) -> Callable[[JsonValue, Scope], JsonValue]:
    """One pass over all members, without a call for a value that fits already; what the document
    does not have is null."""
    columns = [(f.name, f.key, _FITTING.get(f.type, _ALL), f.fit) for f in fields]
    nothing: dict[str, JsonValue] = dict.fromkeys([f.name for f in fields])

    def build(document: JsonValue, scope: Scope) -> JsonValue:
        if not isinstance(document, dict):
            return nothing.copy()
        get = document.get
        return {
            name: value if type(value := get(key)) in fitting else fit(value)
            for name, key, fitting, fit in columns
        }

    return build
