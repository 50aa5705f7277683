"""What a process has for asking the users of its clients."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import field

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.store import StateStore


def _own_store() -> Callable[[], StateStore]:
    store = MemoryStore()
    return lambda: store


@dataclass(frozen=True, slots=True)
class Asking:
    """`key` (32 bytes or more) seals what clients hold between two rounds of a call, and `store`
    gives what knows which of it was used; processes that share a port share both. A user has
    `patience` seconds to answer. `decided` returns as soon as the approval with this id is given,
    refused or over; it may raise StateUnavailable."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    store: Callable[[], StateStore] = field(default_factory=_own_store)
    patience: float = 300.0
    decided: Callable[[str], Awaitable[None]] | None = None
