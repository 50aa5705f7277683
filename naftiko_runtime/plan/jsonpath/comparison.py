"""Compares values as section 2.3.5.2.2 does: by type, deeply, and never a boolean with a number.

Numbers may be int, float and Decimal in one document. A float has the precision of a double, so a
Decimal is rounded to a double before it is compared with one: `0.1` read as float equals `0.1` read
as Decimal. Everything else is compared exactly.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias, TypeGuard

from naftiko_runtime.json_values import JsonValue, MaybeJson
from naftiko_runtime.plan.jsonpath.evaluation import Evaluation

Number: TypeAlias = int | float | Decimal


def equal(left: MaybeJson, right: MaybeJson, evaluation: Evaluation) -> bool:
    """Whether two values, or two absences, are the same; arrays and objects cost what they hold."""
    if isinstance(left, (list, dict)):
        return isinstance(right, (list, dict)) and _same_structure(left, right, evaluation)
    return _same_scalar(left, right)


def less(left: MaybeJson, right: MaybeJson) -> bool:
    """Whether two numbers or two texts are in order; texts by code point."""
    if isinstance(left, str):
        return isinstance(right, str) and left < right
    if is_number(left) and is_number(right):
        left, right = same_precision(left, right)
        return left < right
    return False


def is_number(value: MaybeJson) -> TypeGuard[Number]:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _same_scalar(left: MaybeJson, right: MaybeJson) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and left == right
    if is_number(left) and is_number(right):
        left, right = same_precision(left, right)
        return left == right
    return left is right


def same_precision(left: Number, right: Number) -> tuple[Number, Number]:
    if isinstance(left, float) and isinstance(right, Decimal):
        return left, float(right)
    if isinstance(left, Decimal) and isinstance(right, float):
        return float(left), right
    return left, right


def _same_structure(
    left: list[JsonValue] | dict[str, JsonValue],
    right: list[JsonValue] | dict[str, JsonValue],
    evaluation: Evaluation,
) -> bool:
    """Compares without recursion, so that depth cannot exhaust the stack."""
    pending: list[tuple[JsonValue, JsonValue]] = [(left, right)]
    while pending:
        one, other = pending.pop()
        if one is other:
            continue
        if isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return False
            evaluation.spend(len(one))
            pending.extend(zip(one, other, strict=True))
        elif isinstance(one, dict):
            if not isinstance(other, dict) or one.keys() != other.keys():
                return False
            evaluation.spend(len(one))
            pending.extend((member, other[name]) for name, member in one.items())
        elif not _same_scalar(one, other):
            return False
    return True
