"""The trace that a request belongs to, as it travels in headers (W3C Trace Context, Zipkin B3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

_TRACEPARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?",
    re.ASCII,
)
_STATE_MEMBER: Final = re.compile(
    r"(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]",
    re.ASCII,
)
_B3: Final = re.compile(
    r"(?P<trace>[0-9a-f]{32}|[0-9a-f]{16})-(?P<span>[0-9a-f]{16})"
    r"(?:-(?P<sampled>[01d])(?:-[0-9a-f]{16})?)?",
    re.ASCII,
)
_MOST_MEMBERS: Final = 32
_LONGEST_STATE: Final = 512
"""Characters of `tracestate` that are passed on; longer ones may be dropped (W3C, 3.3.1.5)."""
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16


class Propagation(StrEnum):
    """ObservabilityTracesSpec `propagation`: the headers that requests to upstreams carry."""

    W3C = "w3c"
    B3 = "b3"


@dataclass(frozen=True, slots=True)
class SpanContext:
    """One span as other services refer to it. Ids are lower-case hexadecimal, 32 and 16
    characters; `state` is `tracestate` as it came, empty where there is none."""

    trace_id: str
    span_id: str
    sampled: bool
    state: str = ""


def read_w3c(parents: Iterable[str], states: Iterable[str] = ()) -> SpanContext | None:
    """The caller's span out of the values of `traceparent` and `tracestate`; None where they are
    missing, malformed or repeated: then a new trace begins (W3C Trace Context, section 3.2)."""
    given = list(parents)
    found = _TRACEPARENT.fullmatch(given[0].strip(" \t")) if len(given) == 1 else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return None
    if found["trace"] == _NO_TRACE or found["span"] == _NO_SPAN:
        return None
    sampled = bool(int(found["flags"], 16) & 1)
    return SpanContext(found["trace"], found["span"], sampled, _read_state(states))


def _read_state(states: Iterable[str]) -> str:
    members = [member.strip(" \t") for state in states for member in state.split(",")]
    members = [member for member in members if member]
    text = ",".join(members)
    if len(members) > _MOST_MEMBERS or len(text) > _LONGEST_STATE:
        return ""
    return text if all(_STATE_MEMBER.fullmatch(member) for member in members) else ""


def read_b3(values: Mapping[str, str]) -> SpanContext | None:
    """The caller's span out of `b3`, or else of the `x-b3-` headers; None where there is none."""
    single = values.get("b3")
    if single is None:
        parts = [values.get(f"x-b3-{part}", "") for part in ("traceid", "spanid", "sampled")]
        if values.get("x-b3-flags") == "1":
            parts[2] = "d"
        single = "-".join(part for part in parts if part)
    found = _B3.fullmatch(single.strip(" \t").lower())
    if found is None:
        return None
    trace, span = found["trace"].rjust(32, "0"), found["span"]
    if trace == _NO_TRACE or span == _NO_SPAN:
        return None
    return SpanContext(trace, span, found["sampled"] != "0")


def read_headers(
    headers: Iterable[tuple[bytes, bytes]], propagation: Propagation
) -> SpanContext | None:
    """The caller's span out of the headers of an ASGI scope. B3 is looked for only where it is
    the file's format, and W3C in any case."""
    parents: list[str] = []
    states: list[str] = []
    b3: dict[str, str] = {}
    for name, value in headers:
        if name == b"traceparent":
            parents.append(value.decode("latin-1"))
        elif name == b"tracestate":
            states.append(value.decode("latin-1"))
        elif name == b"b3" or name.startswith(b"x-b3-"):
            b3.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    if propagation is Propagation.B3 and b3:
        found = read_b3(b3)
        if found is not None:
            return found
    return read_w3c(parents, states)


def write_headers(context: SpanContext, propagation: Propagation) -> list[tuple[str, str]]:
    """The headers that make a span the parent of what an upstream records."""
    if propagation is Propagation.B3:
        return [("b3", f"{context.trace_id}-{context.span_id}-{int(context.sampled)}")]
    headers = [
        ("traceparent", f"00-{context.trace_id}-{context.span_id}-{int(context.sampled):02x}")
    ]
    if context.state:
        headers.append(("tracestate", context.state))
    return headers
