"""Bounds and allow-lists for what is in a request."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.guards.request_paths import Found, Odd, compile_request_path
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.settings.model import Limit

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_LONGEST: Final = 400
_LONGEST_SHOWN: Final = 60


def breach_of(limits: tuple[Limit, ...], document: JsonValue, operation: str) -> Failure | None:
    """Why a request is not to be sent; None where it keeps all limits."""
    for limit in limits:
        for found in compile_request_path(limit.value)(document):
            complaint = _complaint(limit, found)
            if complaint is not None:
                where = f'"{limit.value}" of "{operation}"'
                detail = f"{where} {complaint} - the operator's settings bound it"
                return Failure(FailureKind.BEYOND_LIMIT, detail)
    return None


def number_of(value: JsonValue) -> Decimal | None:
    """The number that a value is or that its text spells, exactly; None for anything else. Blanks
    around it do not matter, as upstreams pass over them."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        number = Decimal(value)
    elif isinstance(value, float):
        number = Decimal(repr(value))
    elif isinstance(value, str):
        text = value.strip()
        if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
            return None
        number = Decimal(text)
    else:
        return None
    return number if number.is_finite() else None


def _complaint(limit: Limit, found: Found) -> str | None:
    if isinstance(found, Missing):
        return None if limit.optional else "is missing"
    if isinstance(found, Odd):
        return "cannot be checked: the request has another shape there"
    if limit.allow and not any(_equal(found, allowed) for allowed in limit.allow):
        return f"is {_shown(found)}, which is not allowed"
    if limit.least is None and limit.most is None:
        return None
    number = number_of(found)
    if number is None:
        return f"is {_shown(found)}, which is no number"
    if limit.least is not None and number < Decimal(repr(limit.least)):
        return f"is {_shown(found)}, less than {limit.least:g}"
    if limit.most is not None and number > Decimal(repr(limit.most)):
        return f"is {_shown(found)}, more than {limit.most:g}"
    return None


def _equal(given: JsonValue, allowed: JsonValue) -> bool:
    """Text is the same text, a number the same number, also where it is given as text."""
    if isinstance(allowed, bool) or isinstance(given, bool):
        return given is allowed
    if isinstance(allowed, int | float | Decimal):
        number = number_of(given)
        return number is not None and number == number_of(allowed)
    return type(given) is type(allowed) and given == allowed


def _shown(value: JsonValue) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
