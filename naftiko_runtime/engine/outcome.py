"""What a call ends in: an answer, or a Failure."""

from __future__ import annotations

from typing import TypeAlias

from naftiko_runtime.failures import Failure
from naftiko_runtime.json_values import MISSING, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An upstream's answer after output mapping.

    `body` is encoded; for an identity mapping it is the upstream's bytes untouched. `headers` are
    the upstream's headers that callers may see, names in lower case. An upstream's error status
    is an answer too, unmapped. `value` is the decoded JSON where something already decoded it,
    else MISSING.
    """

    status: int
    content_type: str | None
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    value: MaybeJson = MISSING


Outcome: TypeAlias = Answer | Failure
