"""How an exchange can end without a usable answer. What each means to a caller is not decided
here; `executed` in particular follows from which of these it is."""

from __future__ import annotations

from naftiko_runtime.failures import FailureKind


class NoAnswer(Exception):
    """An exchange ended without an answer that can be used."""


class Unsendable(NoAnswer):
    """The request cannot be written as HTTP. Nothing was sent."""


class AllBusy(NoAnswer):
    """No connection became free before the deadline. Nothing was sent."""


class NoConnection(NoAnswer):
    """None could be opened; the cause says why, and there is none where the upstream closed it at
    once. Nothing was sent."""


class ConnectingTooSlow(NoAnswer):
    """None was open in time. Nothing was sent."""


class AnsweringTooSlow(NoAnswer):
    """The deadline passed while the request was out."""


class BrokenOff(NoAnswer):
    """The connection ended while the request was out. `begun`: the head of an answer had come."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        self.begun = begun


class UnusableAnswer(NoAnswer):
    """An answer came but cannot be used; the message is a clause with `the answer` as subject,
    and a remedy where there is one. `begun` as for BrokenOff."""

    def __init__(self, kind: FailureKind, message: str, *, begun: bool = True) -> None:
        super().__init__(message)
        self.kind = kind
        self.begun = begun
