"""An upstream's answer, and what the engine asks of whoever sends requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import UpstreamRequest


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """Status, headers (names in lower case) and the decoded (decompressed) body."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header; `name` in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class RequestStream:
    """A request's body while it comes in; `length` is None where it was not announced."""

    length: int | None
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class StreamedResponse:
    """An answer while it comes in: its body as it is on the wire, compressed or not. `chunks`
    raises CallFailed when it breaks off. `secrets` are what went with the request and must not be
    shown."""

    status: int
    headers: Sequence[tuple[str, str]]
    chunks: AsyncIterator[bytes]
    secrets: tuple[str, ...] = ()


class Streams(Protocol):
    """Sends requests whose bodies go through, both ways, without being held."""

    def stream(
        self, request: UpstreamRequest, body: RequestStream | None
    ) -> AbstractAsyncContextManager[StreamedResponse]:
        """The answer, once its head is there; the connection ends with the context, unless the
        answer was read to its end. Raises CallFailed when there is no answer, and whatever the
        body's chunks raise."""
        ...


class Upstreams(Protocol):
    """Sends requests to upstream APIs; owned by the running process, shared by all files."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, whatever its status. Raises CallFailed when there is none: unreachable,
        untrusted certificate, too slow, broken off, too large."""
        ...

    async def aclose(self) -> None: ...
