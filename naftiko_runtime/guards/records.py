"""What is recorded of a request that can change something."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import field

from naftiko_runtime.audit.journal import AuditUnavailable, Journal
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.guards.refusals import unavailable
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

_log = logging.getLogger("naftiko.guards")


@dataclass(slots=True)
class Recording:
    """The record of one request, begun before it is sent. Nothing is recorded without a journal;
    `entry` is only asked for where there is one."""

    journal: Journal | None
    entry: Callable[[], Mapping[str, JsonValue]]
    _number: int | None = None
    _begun: float = field(default=0.0)

    async def begin(self) -> None:
        """Raises CallFailed where nothing can be recorded: then nothing is to be sent."""
        self._begun = time.monotonic()
        if self.journal is None:
            return
        try:
            self._number = await self.journal.begin(self.entry())
        except AuditUnavailable as error:
            _log.error("a call was not made, as it cannot be recorded: %s", error)
            raise CallFailed(
                unavailable(FailureKind.AUDIT_UNAVAILABLE, "the call cannot be recorded")
            ) from error

    async def answered(self, status: int) -> None:
        await self._end({"status": status})

    async def failed(self, failure: Failure) -> None:
        await self._end({"failure": failure.kind.slug, "executed": failure.executed})

    async def left_out(self, why: str) -> None:
        """It was not sent after all."""
        await self._end({"failure": why, "executed": False})

    async def _end(self, outcome: Mapping[str, JsonValue]) -> None:
        """The call has been made by now: that it is not recorded must not hide its outcome. Only
        the first end counts."""
        number, self._number = self._number, None
        if self.journal is None or number is None:
            return
        duration = round(time.monotonic() - self._begun, 6)
        try:
            await self.journal.end(number, {**outcome, "duration": duration})
        except AuditUnavailable as error:
            _log.error("the outcome of record %d cannot be recorded: %s", number, error)
