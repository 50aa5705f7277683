"""Reads `guards` of the settings."""

from __future__ import annotations

from naftiko_runtime.document.element import Element
from naftiko_runtime.settings.model import (
    MCP,
    REST,
    Approval,
    GuardRule,
    Idempotency,
    Limit,
    Mode,
)
from naftiko_runtime.settings.request_paths import fault_of_path
from naftiko_runtime.settings.values import duration, number


def read_guards(root: Element) -> tuple[GuardRule, ...]:
    return tuple(map(_read_guard, root.children("guards")))


def _read_guard(element: Element) -> GuardRule:
    single = element.values.get("match")
    return GuardRule(
        match=(single,) if isinstance(single, str) else element.texts("match"),
        callers=frozenset(element.texts("callers") or (REST, MCP)),
        mode=Mode(element.text("mode", Mode.OPEN.value)),
        approve=_read_approval(element),
        idempotency=_read_idempotency(element.child("idempotency")),
        limits=tuple(map(_read_limit, element.children("limits"))),
        place=element.place,
    )


def _read_approval(element: Element) -> Approval | None:
    child = element.child("approve")
    if child is not None:
        expires = duration(child, "expires", Approval().expires)
        return Approval(expires, child.optional_text("preview"))
    return Approval() if element.flag("approve") else None


def _read_idempotency(element: Element | None) -> Idempotency | None:
    if element is None:
        return None
    key = _read_path(element, "key")
    window = duration(element, "window", Idempotency(key).window)
    return Idempotency(key, window, element.flag("required") or False)


def _read_limit(element: Element) -> Limit:
    least, most = number(element, "min"), number(element, "max")
    if least is not None and most is not None and least > most:
        message = f'no value can keep this limit: "min" is {least:g}, "max" is {most:g}'
        element.reading.refuse("out-of-range", (*element.path, "min"), message, "correct one")
    allow = element.values.get("allow")
    return Limit(
        value=_read_path(element, "value"),
        least=least,
        most=most,
        allow=tuple(allow) if isinstance(allow, list) else (),
        optional=element.flag("optional") or False,
        place=element.place,
    )


def _read_path(element: Element, key: str) -> str:
    text = element.text(key)
    fault = fault_of_path(text)
    if fault is not None:
        element.reading.refuse("jsonpath-syntax", (*element.path, key), *fault)
    return text
