"""Reads `upstreams` of the settings."""

from __future__ import annotations

from naftiko_runtime.document.element import Element
from naftiko_runtime.document.values import Template
from naftiko_runtime.plan.url import BaseUriError, resolve_base
from naftiko_runtime.plan.variables import Variables
from naftiko_runtime.settings.model import (
    Breaker,
    KeepAlive,
    Pacing,
    Retries,
    TrustChoice,
    UpstreamRule,
)
from naftiko_runtime.settings.values import duration, rate, whole


def read_upstreams(root: Element) -> tuple[UpstreamRule, ...]:
    section = root.child("upstreams")
    if section is None:
        return ()
    found = ((name, section.child(name)) for name in section.values)
    return tuple(_read_rule(name, element) for name, element in found if element is not None)


def _read_rule(match: str, element: Element) -> UpstreamRule:
    tls = element.child("tls")
    trust = None if tls is None else tls.optional_text("trust")
    pool = whole(element, "pool", 0)
    return UpstreamRule(
        match=match,
        timeout=duration(element, "timeout", None),
        pool=pool or None,
        base_uri=_read_base_uri(element),
        trust=None if trust is None else TrustChoice(trust),
        pacing=_read_pacing(element.child("pacing")),
        retries=_read_retries(element.child("retries")),
        breaker=_read_breaker(element.child("breaker")),
        keep_alive=_read_keep_alive(element.child("keep-alive")),
        login=element.optional_text("login"),
        operations=_read_operations(element.child("operations")),
        place=element.reading.document.place(element.path, key=True),
    )


def _read_base_uri(element: Element) -> str | None:
    text = element.optional_text("base-uri")
    if text is None:
        return None
    try:
        resolve_base(str(element.path[-1]), Template((text,), text), Variables(), text)
    except BaseUriError as error:
        message = f"no request can be sent to this address: {error}"
        remedy = "write https://host[:port][/path]"
        element.reading.refuse("base-uri", (*element.path, "base-uri"), message, remedy)
    return text


def _read_pacing(element: Element | None) -> Pacing | None:
    if element is None:
        return None
    usual = Pacing(1.0)
    return Pacing(
        rate=rate(element, "rate"),
        burst=whole(element, "burst", usual.burst),
        queue=whole(element, "queue", usual.queue),
        wait=duration(element, "wait", usual.wait),
    )


def _read_operations(element: Element | None) -> dict[str, Pacing]:
    found: dict[str, Pacing] = {}
    for name in () if element is None else element.values:
        child = element.child(name) if element is not None else None
        pacing = None if child is None else _read_pacing(child.child("pacing"))
        if pacing is not None:
            found[name] = pacing
    return found


def _read_retries(element: Element | None) -> Retries | None:
    if element is None:
        return None
    usual = Retries()
    return Retries(
        times=whole(element, "times", usual.times),
        delay=duration(element, "delay", usual.delay),
        longest=duration(element, "longest", usual.longest),
    )


def _read_breaker(element: Element | None) -> Breaker | None:
    if element is None:
        return None
    usual = Breaker()
    return Breaker(
        failures=whole(element, "failures", usual.failures),
        pause=duration(element, "pause", usual.pause),
    )


def _read_keep_alive(element: Element | None) -> KeepAlive | None:
    if element is None:
        return None
    every = duration(element, "every", 0.0)
    return KeepAlive(element.text("call"), every, element.flag("safe") or False)
