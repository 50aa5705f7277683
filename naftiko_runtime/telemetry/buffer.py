"""The last traces, for whoever asks for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.telemetry.spans import Span


@dataclass(frozen=True, slots=True)
class FinishedTrace:
    """The spans of one request; `others` in the order in which they ended. A caller that makes
    several requests in one trace has several of these under one id."""

    root: Span
    others: tuple[Span, ...] = ()

    @property
    def trace_id(self) -> str:
        return self.root.context.trace_id

    @property
    def spans(self) -> tuple[Span, ...]:
        return (self.root, *self.others)

    @property
    def failed(self) -> bool:
        return self.root.error is not None

    @property
    def operation(self) -> str:
        """The operation that was called, or what else the request was about."""
        return str(self.root.attributes.get("naftiko.operation.id", self.root.name))


class TraceBuffer:
    """A ring of finished traces; the oldest makes room. A size of 0 keeps none."""

    def __init__(self, size: int) -> None:
        self._ring: deque[FinishedTrace] = deque(maxlen=size)

    @property
    def size(self) -> int:
        return self._ring.maxlen or 0

    def __len__(self) -> int:
        return len(self._ring)

    def keep(self, trace: FinishedTrace) -> None:
        self._ring.append(trace)

    def latest(self) -> Iterator[FinishedTrace]:
        """From the newest to the oldest."""
        return reversed(self._ring)

    def find(self, trace_id: str) -> list[FinishedTrace]:
        """The requests of one trace, the oldest first."""
        return [trace for trace in self._ring if trace.trace_id == trace_id]

    def resized(self, size: int) -> TraceBuffer:
        """A buffer of another size with as many of the newest traces as fit."""
        other = TraceBuffer(size)
        other._ring.extend(self._ring)
        return other
