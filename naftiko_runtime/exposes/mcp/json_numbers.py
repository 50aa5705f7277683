"""Carries numbers through writers that know doubles only.

The SDK writes a Decimal as text, and a double has some 16 digits: neither will do for a price or
a balance. A number that a double cannot hold is handed to the SDK as a marked text, and the mark
is taken off the bytes on their way out, so that clients get every digit, as a JSON number.
"""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from naftiko_runtime.json_values import JsonValue

DEEPEST: Final = 100
"""Levels of nesting; the SDK's writers break at some 250."""
_LONGEST_INTEGER: Final = 13_000
"""Bits; beyond some 4,000 digits Python refuses to write an integer."""

_MARK: Final = f"naftiko-number-{secrets.token_hex(16)}:"
"""Cannot be guessed, so that no upstream's text is taken for a number of ours."""
_MARK_BYTES: Final = _MARK.encode()
_MARKED: Final = re.compile(rb'"' + re.escape(_MARK_BYTES) + rb'(-?[0-9][0-9.eE+-]*)"')


def mark_numbers(value: JsonValue) -> JsonValue:
    """`value` in types that the SDK can write, exact once `restore_numbers` has seen the bytes.

    Raises ValueError for what no JSON text can hold: NaN, infinity, lone surrogates; and for
    values nested deeper, or integers longer, than the SDK's writers bear.
    """
    return _convert(value, _double_or_mark, DEEPEST)


def as_doubles(value: JsonValue) -> JsonValue:
    """`value` without Decimals: numbers that a double cannot hold are rounded. Raises ValueError
    as `mark_numbers` does."""
    return _convert(value, _nearest, DEEPEST)


def restore_numbers(body: bytes) -> bytes:
    """Takes the marks off a JSON text; they have to be whole in `body`."""
    if _MARK_BYTES not in body:
        return body
    return _MARKED.sub(rb"\1", body)


def is_finite(value: JsonValue) -> bool:
    """Whether all numbers inside are numbers: readers less strict than ours take `NaN` and make
    `1e999` an infinity."""
    if isinstance(value, dict):
        return all(is_finite(item) for item in value.values())
    if isinstance(value, list):
        return all(is_finite(item) for item in value)
    if isinstance(value, Decimal):
        return value.is_finite()
    return not isinstance(value, float) or math.isfinite(value)


def _convert(value: JsonValue, number: Callable[[Decimal], JsonValue], depth: int) -> JsonValue:
    if isinstance(value, dict):
        if depth == 0:
            raise ValueError("nested too deep")
        return {_text(key): _convert(item, number, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        if depth == 0:
            raise ValueError("nested too deep")
        return [_convert(item, number, depth - 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Decimal) and value.is_finite():
        value = number(value)
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise ValueError("not a finite number")
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER:
        raise ValueError("an integer of more than 3,900 digits")
    return value


def _text(text: str) -> str:
    if not text.isascii():
        text.encode()  # raises UnicodeEncodeError, a ValueError, for lone surrogates
    return text


def _nearest(value: Decimal) -> JsonValue:
    if value == value.to_integral_value():
        return int(value)
    return float(value)


def _double_or_mark(value: Decimal) -> JsonValue:
    double = float(value)
    if math.isfinite(double) and Decimal(repr(double)) == value:
        return double
    return f"{_MARK}{value}"
