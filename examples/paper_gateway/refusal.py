"""The one way in which the gateway's logic says no."""

from __future__ import annotations


class Refusal(Exception):
    """A call that the gateway turns down; answered as `{"error": message}` with `status`.

    The status is the gateway's, which is not always one that a reader would expect: an order
    that exceeds the account's funds is refused with 200.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
