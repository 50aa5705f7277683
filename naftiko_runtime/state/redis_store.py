"""State in a Redis server, shared by all processes and machines that name the same one.

What is kept has to outlive memory pressure and restarts: the server needs `maxmemory-policy
noeviction`, and `appendonly yes` if claims are to survive its own restart.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)

from naftiko_runtime.state.addresses import RedisAddress
from naftiko_runtime.state.store import StateUnavailable

SECONDS: Final = 1.0
"""How long to wait for a connection, and for an answer."""

_CONNECTIONS: Final = 32
_PREFIX: Final = "naftiko/"
_MARK_BYTES: Final = 16
_REPLACE: Final = """
local kept = redis.call('GET', KEYS[1])
if kept and string.sub(kept, 1, 16) == ARGV[1] then return 1 end
if ARGV[2] == '' then
  if kept then return 0 end
elseif not kept or string.sub(kept, 17) ~= string.sub(ARGV[2], 2) then
  return 0
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1] .. string.sub(ARGV[3], 2), 'PX', ARGV[4])
end
return 1
"""
"""Each value is kept behind the random mark of the call that set it. So a call that is sent again
after its answer was lost sees that it has won already, and is not taken for its own rival. In the
arguments, nothing is an empty text, and a value follows one more character."""

_WILD: Final = re.compile(rb"[*?\[\]\\^-]")

_REFUSALS: Final = {
    OutOfMemoryError: "is out of memory",
    ReadOnlyError: "is a replica that cannot be written to",
    NoPermissionError: "does not allow this user the commands and keys that are needed",
}

T = TypeVar("T")


class RedisStore:
    """A StateStore; `aclose` ends its connections. A lost connection is opened anew by the next
    call, and a call whose connection breaks is sent once more where that cannot do harm."""

    def __init__(self, address: RedisAddress) -> None:
        self._shown = address.shown
        pool = BlockingConnectionPool.from_url(
            address.url.reveal(),
            max_connections=_CONNECTIONS,
            timeout=SECONDS,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._redis = Redis.from_pool(pool)
        self._replace = self._redis.register_script(_REPLACE)

    async def get(self, key: str) -> bytes | None:
        kept = await self._ask(lambda: self._redis.get(_name(key)))
        return kept[_MARK_BYTES:] if isinstance(kept, bytes) else None

    async def replace(
        self, key: str, expected: bytes | None, value: bytes | None, seconds: float
    ) -> bool:
        """As the protocol says. Removing is not sent again after a lost answer: whether this call
        or another one removed it could not be told, and two would believe that they did."""
        arguments: list[bytes | int] = [
            os.urandom(_MARK_BYTES),
            _argument(expected),
            _argument(value),
            max(1, round(seconds * 1000)),
        ]
        replaced = await self._ask(
            lambda: self._replace(keys=[_name(key)], args=arguments), repeatable=value is not None
        )
        return bool(replaced == 1)

    async def keys(self, prefix: str) -> Sequence[str]:
        pattern = _WILD.sub(rb"\\\g<0>", _name(prefix)) + b"*"

        async def scan() -> set[bytes]:
            # A key may come twice (https://redis.io/docs/latest/commands/scan/).
            return {name async for name in self._redis.scan_iter(match=pattern, count=1000)}

        return [_key(name) for name in await self._ask(scan)]

    async def now(self) -> float:
        seconds, microseconds = await self._ask(self._redis.time)
        return float(seconds) + float(microseconds) / 1e6

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _ask(self, command: Callable[[], Awaitable[T]], *, repeatable: bool = True) -> T:
        try:
            try:
                return await command()
            except ConnectionError:
                if not repeatable:
                    raise
                return await command()
        except RedisError as error:
            raise StateUnavailable(
                f'the state store "{self._shown}" {_fault(error)} - start or mend the server, or'
                ' name another one at "state" in the settings'
            ) from error


def _fault(error: RedisError) -> str:
    """What is wrong, without the server's own text, which may repeat what it was sent."""
    if isinstance(error, AuthenticationError):
        return "refuses the name or the password"
    if isinstance(error, BusyLoadingError):
        return "is still loading what it keeps"
    if isinstance(error, TimeoutError):
        return f"does not answer within {SECONDS:g} s"
    if isinstance(error, ConnectionError):
        return f"cannot be reached{_system_reason(error)}"
    for kind, words in _REFUSALS.items():
        if isinstance(error, kind):
            return words
    return "refuses the call"


def _system_reason(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    return "" if cause is None else f" ({cause.strerror or cause})"


def _argument(value: bytes | None) -> bytes:
    return b"" if value is None else b"=" + value


def _name(key: str) -> bytes:
    return (_PREFIX + key).encode("utf-8", "surrogatepass")


def _key(name: bytes) -> str:
    return name.decode("utf-8", "surrogatepass").removeprefix(_PREFIX)
