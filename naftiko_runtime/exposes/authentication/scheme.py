"""What every authentication scheme does, and what it says about a caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from naftiko_runtime.exposes.authentication.caller import Caller
from naftiko_runtime.failures import FailureKind
from naftiko_runtime.lazy_dataclasses import dataclass

REALM: Final = "naftiko"
"""The protection space of every challenge; what is asked differs by adapter, not by realm."""

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Passed:
    """The caller may go on. `principal` tells callers apart that one scheme lets in."""

    principal: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The caller may not. `detail` is for the caller: it says what to do and nothing of what is
    expected. `challenges` are values of `WWW-Authenticate`. `guess` says that wrong credentials
    were given that may have been guessed, which counts against whoever tries many."""

    kind: FailureKind
    detail: str
    challenges: tuple[str, ...] = ()
    guess: bool = False


Verdict: TypeAlias = Passed | Refused


class Scheme(Protocol):
    """One way to authenticate, for one set of secrets. Made by the registry, kept by Gatekeeper as
    long as adapters ask for it."""

    def presented(self, caller: Caller) -> bytes | None:
        """What identifies the credentials that a caller gives; None where he gives none of this
        scheme."""
        ...

    async def judge(self, caller: Caller) -> Verdict: ...

    def without_credentials(self, headers: Headers, query: bytes) -> tuple[Headers, bytes]:
        """Headers and query string without what `judge` read: no operation may pass it on."""
        ...


def missing(what: str, *challenges: str) -> Refused:
    """The verdict on a caller who gives nothing."""
    return Refused(FailureKind.UNAUTHENTICATED, f"{what} is required", challenges)


def wrong(what: str, *challenges: str) -> Refused:
    """The verdict on a caller who gives something else than what is expected."""
    return Refused(FailureKind.UNAUTHENTICATED, f"{what} is not valid", challenges, guess=True)
