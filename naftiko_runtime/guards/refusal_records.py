"""What is recorded of calls that guards refuse: nothing of them was sent.

Whoever is refused can try again as fast as he likes. So records of refusals are rationed and small:
the journal is on a disk, and of a flood it is enough to know that there was one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from naftiko_runtime.audit.journal import AuditUnavailable, Journal
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue

_log = logging.getLogger("naftiko.guards")

AT_ONCE: Final = 60
"""Refusals that are recorded one after the other."""
_EVERY: Final = 10.0
"""Seconds after which one more may be."""
LARGEST: Final = 16_384
"""Bytes of arguments and of a body that are recorded; of larger ones, how large they are."""


class RefusalRecords:
    """Owned by the guards of a process, whatever journal they write."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._room = float(AT_ONCE)
        self._last = clock()
        self._left_out = 0

    async def note(
        self,
        journal: Journal | None,
        entry: Callable[[], Mapping[str, JsonValue]],
        failure: str,
        detail: str,
    ) -> None:
        """Records a refused call, if there is a journal; `failure` is the slug of its kind. Never
        raises: what was refused stays refused."""
        if journal is None or not self._has_room():
            return
        left_out, self._left_out = self._left_out, 0
        record = {**_small(entry()), "failure": failure, "detail": detail}
        if left_out:
            record["leftOut"] = left_out
        try:
            await journal.refused(record)
        except AuditUnavailable as error:
            _log.error("a refused call cannot be recorded: %s", error)

    def _has_room(self) -> bool:
        now = self._clock()
        self._room = min(AT_ONCE, self._room + (now - self._last) / _EVERY)
        self._last = now
        if self._room < 1:
            self._left_out += 1
            return False
        self._room -= 1
        return True


def _small(entry: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    small = {name: value for name, value in entry.items() if name != "guards"}
    small["arguments"] = _cut(entry.get("arguments"))
    request = entry.get("request")
    if isinstance(request, dict):
        small["request"] = {name: _cut(value) for name, value in request.items()}
    return small


def _cut(value: JsonValue) -> JsonValue:
    size = len(encode_json(value))
    return value if size <= LARGEST // 4 else f"{size} bytes"
