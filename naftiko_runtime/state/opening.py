"""From the operator's setting to a store."""

from __future__ import annotations

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.state.addresses import StateAddressError, read_redis_address
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.store import StateStore


def open_store(state: Secret) -> StateStore:
    """The store for `memory` or the address of a Redis server, to be closed by the caller. Nothing
    is connected yet: a server that is away fails the calls that need it, and no others.

    Raises StateAddressError.
    """
    text = state.reveal()
    if text == "memory":
        return MemoryStore()
    address = read_redis_address(text)
    try:
        from naftiko_runtime.state.redis_store import RedisStore
    except ImportError as error:
        raise StateAddressError(
            f'state in "{address.shown}" needs the client library of Redis'
            " - pip install naftiko-runtime[redis]"
        ) from error
    return RedisStore(address)
