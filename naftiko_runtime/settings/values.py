"""Reads values of single settings, which the schema check has found to be well-formed."""

from __future__ import annotations

from typing import TypeVar

from naftiko_runtime.document.element import Element
from naftiko_runtime.settings.amounts import read_duration, read_rate

D = TypeVar("D", float, None)


def duration(element: Element, key: str, default: D) -> float | D:
    """Seconds."""
    found = read_duration(element.text(key))
    return default if found is None else found


def rate(element: Element, key: str) -> float:
    found = read_rate(element.text(key))
    assert found is not None, "the schema asks for a rate"
    return found


def number(element: Element, key: str) -> float | None:
    value = element.values.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(element: Element, key: str, default: int) -> int:
    """A whole number, also one written as 8.0."""
    found = number(element, key)
    return default if found is None else int(found)
