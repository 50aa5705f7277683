"""Faults that can be switched on: which calls they hit, how often, and how they are written.

A fault is written `NAME[*TIMES][=SECONDS][@[METHOD ]PATH]`, for example

- `503` - every call is answered 503
- `slow=2@/portfolio/*` - portfolio calls are answered two seconds late
- `reset*1@POST /iserver/account/*/orders` - the next placement is carried out, but its answer
  is lost

PATH is relative to `/v1/api` and may hold `*`. The first fault that matches a call hits it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

DEFAULT_SECONDS = 5.0


class FaultName(StrEnum):
    EXPIRED = "expired"
    """The session ends, and the call is answered as if nobody had logged in."""
    TOO_MANY = "429"
    UNAVAILABLE = "503"
    SLOW = "slow"
    """The call is carried out at once and answered late."""
    LATE = "late"
    """The call is carried out late, and answered then."""
    RESET = "reset"
    """The call is carried out, then the connection is torn down without an answer."""
    TORN = "torn"
    """The call is carried out, then the connection is torn down in the middle of the answer."""
    DROPPED = "dropped"
    """The connection is torn down without an answer, and the call is not carried out."""
    MALFORMED = "malformed"
    """The call is carried out, and its JSON answer is cut in half."""
    LOGIN_PAGE = "login-page"
    """The call is not carried out but answered 200 with the HTML of the login page."""
    LOGIN_REDIRECT = "login-redirect"
    """The call is not carried out but redirected (302) to the login page."""


class FaultError(ValueError):
    """A fault that is not written as this module says; the message tells how."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `times` is how many more calls it hits, None meaning all of them."""

    name: FaultName
    times: int | None = None
    seconds: float = DEFAULT_SECONDS
    method: str | None = None
    path: str = "*"

    def hits(self, method: str, path: str) -> bool:
        return self.method in (None, method) and fnmatchcase(path, self.path)

    def __str__(self) -> str:
        """The fault as `parse_fault` reads it."""
        times = "" if self.times is None else f"*{self.times}"
        written = f"{self.seconds:.6f}".rstrip("0").rstrip(".")
        seconds = f"={written}" if self.seconds != DEFAULT_SECONDS else ""
        method = "" if self.method is None else f"{self.method} "
        place = f"@{method}{self.path}" if method or self.path != "*" else ""
        return f"{self.name}{times}{seconds}{place}"


_WRITTEN = re.compile(
    r"(?P<name>[a-z0-9-]+)(\*(?P<times>[1-9][0-9]{0,5}))?(=(?P<seconds>[0-9]{1,6}(\.[0-9]{1,6})?))?"
    r"(@((?P<method>[A-Z]+) )?(?P<path>[^\s,]+))?"
)


def parse_fault(text: str) -> Fault:
    """Read one fault; raises FaultError."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise FaultError(f'"{text}" is no fault - write NAME[*TIMES][=SECONDS][@[METHOD ]PATH]')
    try:
        name = FaultName(written["name"])
    except ValueError:
        known = ", ".join(FaultName)
        raise FaultError(f'"{written["name"]}" is no fault - there are {known}') from None
    return Fault(
        name,
        int(written["times"]) if written["times"] else None,
        float(written["seconds"]) if written["seconds"] else DEFAULT_SECONDS,
        written["method"],
        written["path"] or "*",
    )


def parse_faults(text: str) -> list[Fault]:
    """Read a list of faults, separated by commas; an empty text is none. Raises FaultError."""
    return [parse_fault(part) for part in text.split(",") if part.strip()]


class FaultBoard:
    """The faults that are switched on in one gateway."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @property
    def faults(self) -> list[Fault]:
        return list(self._faults)

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """The fault that hits this call, if any; one that has hit its last call is gone."""
        for index, fault in enumerate(self._faults):
            if fault.hits(method, path):
                if fault.times is not None:
                    self._faults[index] = replace(fault, times=fault.times - 1)
                    self._faults = [left for left in self._faults if left.times != 0]
                return fault
        return None
