"""Spans: what one part of a call did, when, and how it ended."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import field
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from naftiko_runtime.failures import CallFailed, Failure
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.telemetry.context import Propagation, SpanContext, write_headers

Attribute: TypeAlias = str | int | float | bool

_CURRENT: Final[ContextVar[Span | None]] = ContextVar("naftiko_span", default=None)


def current_span() -> Span | None:
    """The span that is running here; None where nothing is recorded. This look is all that the
    engine and the upstream client pay for telemetry while it is off."""
    return _CURRENT.get()


class SpanKind(StrEnum):
    """As OpenTelemetry has them; the value is the name there."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"


class Listener(Protocol):
    """Who is told of what has ended."""

    def span_ended(self, span: Span) -> None:
        """Called for every span, sampled or not."""
        ...

    def trace_ended(self, root: Span, others: tuple[Span, ...]) -> None:
        """All spans of one request, in the order of their ends; for sampled ones only."""
        ...


@dataclass(slots=True)
class Trace:
    """What the spans of one request share. Ends with its root: a span that is still open then
    is not part of it."""

    listener: Listener
    propagation: Propagation
    ended: list[Span] = field(default_factory=list)
    is_open: bool = True


class Span:
    """One part of a call: entered and left once, with `with`, in one task; in between it is what
    `current_span` gives there, and in the tasks made there.

    `error` is a stable word for what went wrong (`error.type` of OpenTelemetry), None if nothing
    did. `started` is in nanoseconds since 1970, `duration` in nanoseconds, 0 before the end.
    `parent` is the span id of what caused it, here or in the caller's service.
    """

    __slots__ = (
        "_clock",
        "_token",
        "_trace",
        "attributes",
        "context",
        "duration",
        "error",
        "is_root",
        "kind",
        "name",
        "parent",
        "started",
    )

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        context: SpanContext,
        parent: str | None,
        trace: Trace,
        attributes: dict[str, Attribute] | None = None,
        *,
        is_root: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.context = context
        self.parent = parent
        self.attributes = {} if attributes is None else attributes
        self.error: str | None = None
        self.is_root = is_root
        self._trace = trace
        self._token: Token[Span | None] | None = None
        self.started = time.time_ns()
        self._clock = time.perf_counter_ns()
        self.duration = 0

    def child(
        self,
        name: str,
        attributes: dict[str, Attribute] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        """A part of this span, to be entered with `with`."""
        mine = self.context
        context = SpanContext(mine.trace_id, new_span_id(), mine.sampled, mine.state)
        return Span(name, kind, context, mine.span_id, self._trace, attributes)

    def headers(self) -> list[tuple[str, str]]:
        """What tells an upstream that its work is part of this span."""
        return write_headers(self.context, self._trace.propagation)

    def fail(self, failure: Failure) -> None:
        self.error = failure.kind.slug

    def __enter__(self) -> Self:
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._token is not None, "a span is left once"
        with suppress(ValueError):  # another task may end what one began, as with streams
            _CURRENT.reset(self._token)
        self._token = None
        if error is not None and self.error is None:
            self.error = _word_for(error)
        self.duration = max(1, time.perf_counter_ns() - self._clock)
        trace = self._trace
        if not trace.is_open:
            return
        trace.listener.span_ended(self)
        if not self.is_root:
            trace.ended.append(self)
            return
        trace.is_open = False
        if self.context.sampled:
            trace.listener.trace_ended(self, tuple(trace.ended))


def new_trace_id() -> str:
    """32 hexadecimal characters, not all zero."""
    return _nonzero(16)


def new_span_id() -> str:
    """16 hexadecimal characters, not all zero."""
    return _nonzero(8)


def _nonzero(size: int) -> str:
    while not int(text := secrets.token_hex(size), 16):
        pass
    return text


def _word_for(error: BaseException) -> str:
    """Never the error's text, which may quote what a caller or an upstream gave."""
    if isinstance(error, CallFailed):
        return error.failure.kind.slug
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return type(error).__name__
