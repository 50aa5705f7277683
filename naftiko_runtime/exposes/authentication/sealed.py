"""Secrets to compare with, in a time that says nothing about them."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

_KEY: Final = secrets.token_bytes(32)


class Sealed:
    """A secret of which only a keyed hash is kept. Texts of any length compare in the same time,
    so not even its length shows."""

    __slots__ = ("_hash",)

    def __init__(self, secret: str) -> None:
        self._hash = seal(secret.encode())

    def is_(self, given: bytes) -> bool:
        return hmac.compare_digest(seal(given), self._hash)


def seal(given: bytes) -> bytes:
    """What stands for credentials where they have to be remembered."""
    return hmac.digest(_KEY, given, "sha256")
