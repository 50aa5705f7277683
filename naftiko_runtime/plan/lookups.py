"""Compiles lookup steps: rows of an earlier step's output, found by the value of one field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import LookupStep, Template
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.getters import Compiler, Getter, as_text
from naftiko_runtime.plan.inputs import Need
from naftiko_runtime.plan.jsonpath import compile_jsonpath
from naftiko_runtime.plan.operation import LookupStepPlan, Scope

_LONGEST_NUMBER = 400


def compile_lookup(step: LookupStep, compiler: Compiler) -> LookupStepPlan:
    """Finds one row for a single value, and one for each value of a list, in its order; values
    that no row holds are passed over. A single object is a table of one row.

    Raises JsonPathSyntaxError.
    """
    if isinstance(step.lookup_value, Template):
        value = compiler.value(step.lookup_value, Need())
    else:
        value = step_path(step.lookup_value)
    index, match, fields = step.index, step.match, step.fields

    def look_up(scope: Scope) -> MaybeJson:
        wanted = value(scope)
        rows = scope.steps.get(index)
        if isinstance(wanted, Missing) or rows is None:
            return Missing.MISSING
        by_key = _indexed(rows if isinstance(rows, list) else [rows], match)
        if not isinstance(wanted, list):
            row = by_key.get(_key(wanted))
            return Missing.MISSING if row is None else _picked(row, fields)
        found = [by_key.get(_key(each)) for each in wanted]
        return [_picked(row, fields) for row in found if row is not None]

    return LookupStepPlan(name=step.name, look_up=look_up, match=match)


def step_path(text: str) -> Getter:
    """Reads a path over the outputs of the steps so far: `$.step.field`. Raises
    JsonPathSyntaxError."""
    read = compile_jsonpath(text).read

    def get(scope: Scope) -> MaybeJson:
        return read(scope.steps)

    return get


def _indexed(table: Sequence[JsonValue], match: str) -> Mapping[str | None, dict[str, JsonValue]]:
    """The rows by their key; of equal keys the first row counts. Nothing is found by null."""
    rows: dict[str | None, dict[str, JsonValue]] = {}
    for row in table:
        if isinstance(row, dict):
            key = _field(row, match)
            if not isinstance(key, Missing) and key is not None:
                rows.setdefault(_key(key), row)
    return rows


def _key(value: JsonValue) -> str | None:
    """A value as keys are compared: its text, so that `7` finds `"7"`; equal numbers are one."""
    if value is None:
        return None
    if isinstance(value, float | Decimal):
        number = Decimal(str(value))
        if number == 0:
            return "0"
        if number.is_finite() and abs(number.adjusted()) < _LONGEST_NUMBER:
            return (
                format(number, "f").rstrip("0").rstrip(".")
                if _has_fraction(number)
                else str(int(number))
            )
    return as_text(value)


def _has_fraction(number: Decimal) -> bool:
    return number != number.to_integral_value()


def _field(row: Mapping[str, JsonValue], name: str) -> MaybeJson:
    """A field by its name, exactly or folded: `match` can only hold letters, digits and dashes."""
    if name in row:
        return row[name]
    folded = fold_name(name)
    return next((value for key, value in row.items() if fold_name(key) == folded), Missing.MISSING)


def _picked(row: Mapping[str, JsonValue], fields: Sequence[str]) -> JsonValue:
    return {name: None if (v := _field(row, name)) is Missing.MISSING else v for name in fields}
