"""Reads lengths of time and rates as the settings write them: `200ms`, `24h`; `10/s`, `1/5s`."""

from __future__ import annotations

import re
from typing import Final

_DURATION: Final = re.compile(r"([0-9]{1,7})(ms|s|m|h)")
_MILLISECONDS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def read_duration(text: str) -> float | None:
    """Seconds; None for a text that is no length of time."""
    match = _DURATION.fullmatch(text)
    return None if match is None else int(match[1]) * _MILLISECONDS[match[2]] / 1000


def read_rate(text: str) -> float | None:
    """Calls a second; None for a text that is no rate, or the rate of nothing."""
    number, slash, time = text.partition("/")
    if not slash or re.fullmatch("[0-9]{1,7}", number) is None:
        return None
    seconds = read_duration(time if time[:1].isdigit() else f"1{time}")
    return int(number) / seconds if seconds and int(number) else None
