"""Reads lengths of time as files write them: `500ms`, `5s`, `2m`, `24h`."""

from __future__ import annotations

import re
from typing import Final

PATTERN: Final = "^[0-9]{1,6}(ms|s|m|h)$"
_DURATION = re.compile(r"([0-9]{1,6})(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def read_duration(text: str) -> float | None:
    """A length of time in seconds; None for a text that is none."""
    found = _DURATION.fullmatch(text.strip())
    return None if found is None else int(found[1]) * _SECONDS[found[2]]
