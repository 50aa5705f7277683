"""An upstream's answer, and what the engine asks of whoever sends requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Upstreams(Protocol):
    """Sends requests to upstream APIs; owned by the running process, shared by all files."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, whatever its status. Raises CallFailed when there is none: unreachable,
        untrusted certificate, too slow, broken off, too large."""
        ...

    async def aclose(self) -> None: ...
