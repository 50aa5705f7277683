"""Approvals in a store that processes share: who asks, who decides, and what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from naftiko_runtime.guards.approval import (
    Asked,
    Decided,
    Decision,
    Effect,
    Event,
    ParkedCall,
    Step,
    step,
)
from naftiko_runtime.guards.parked_calls import BadRecord, read_call, write_call
from naftiko_runtime.plan.origin import Origin
from naftiko_runtime.state.store import StateStore, StateUnavailable

_BY_HASH: Final = "approval/"
_BY_ID: Final = "approval-id/"
_MOST_TRIES: Final = 20
"""How often a record may change under one who wants to replace it, before he gives up."""

MOST_OF_ONE: Final = 20
"""Calls of one caller that may wait: more are a flood that nobody reads before he says yes."""
MOST: Final = 100
"""Calls that may wait in all. With LARGEST it says how much room they can take."""
LARGEST: Final = 1_000_000
"""Bytes of one call that waits; nobody can look through a longer one."""

_KEPT: Final = 2
"""For how many times the expiry the id of a call leads to it: until it is decided, and after."""


class NoRoom(Exception):
    """Too many calls wait already; `seconds` say when the next one is forgotten."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many calls wait for a person")
        self.seconds = seconds


class TooLarge(Exception):
    """A call is larger than anybody can look through."""


class Approvals:
    """All methods raise StateUnavailable. Of several processes that share the store, each may park
    some calls too many: those that it parks at the same time as others."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._parking: list[Origin] = []

    async def ask(self, hash_: str, call: ParkedCall) -> tuple[Effect, ParkedCall]:
        """What the caller of a call may do: WAIT, REFUSE or SEND, with the record of it (for SEND
        the one that was used up). A new call is parked as `call`, for its `expires` from now.
        Raises NoRoom and TooLarge."""
        now = await self._store.now()
        fresh = replace(call, until=now + call.expires)
        ahead = tuple(self._parking)  # so that of calls at the same time none slips by
        self._parking.append(call.origin)
        try:
            is_new = await self.find(hash_) is None
            if is_new:
                await self.check_room(call.origin, ahead)
                if len(write_call(fresh)) > LARGEST:
                    raise TooLarge
                # First, so that no call is ever parked that nobody can decide about
                await self._name(fresh, hash_)
            return await self._ask(hash_, fresh, is_new=is_new)
        finally:
            self._parking.remove(call.origin)

    async def _ask(
        self, hash_: str, fresh: ParkedCall, *, is_new: bool
    ) -> tuple[Effect, ParkedCall]:
        before, done = await self._replace(hash_, Asked(fresh))
        record = before if done.effect is Effect.SEND else done.record
        assert record is not None
        if record is fresh and not is_new:
            await self._name(fresh, hash_)
        return done.effect, record

    async def check_room(self, origin: Origin, ahead: Sequence[Origin] = ()) -> None:
        """Raises NoRoom where no further call of a caller may wait: he has enough of them, or all
        together have. What is decided and not used up counts as well, and the calls `ahead`."""
        keys = await self._store.keys(_BY_HASH)
        if len(keys) + len(ahead) < MOST_OF_ONE:
            return
        waiting = [record for record in [await self.find(_hash_of(key)) for key in keys] if record]
        own = [record for record in waiting if record.origin == origin]
        if len(own) + ahead.count(origin) >= MOST_OF_ONE:
            waiting = own
        elif len(waiting) + len(ahead) < MOST:
            return
        now = await self._store.now()
        raise NoRoom(min((record.until for record in waiting), default=now) - now)

    async def find(self, hash_: str) -> ParkedCall | None:
        """The record under a hash, whatever has been decided about it."""
        _, record = await self._read(hash_)
        return record

    async def decide(self, id_: str, approve: bool, by: str) -> bool:
        """Notes a person's decision on a parked call; False when there is none of that id any
        more, or it has been refused. A yes may be followed by a no until the call is sent."""
        hash_ = await self._store.get(_BY_ID + id_)
        if hash_ is None:
            return False
        _, done = await self._replace(hash_.decode(), Decided(id_, approve, by))
        return done.effect is Effect.NOTED

    async def get(self, id_: str) -> ParkedCall | None:
        """The call of that id, open or decided; None once it is sent or forgotten."""
        hash_ = await self._store.get(_BY_ID + id_)
        record = None if hash_ is None else await self.find(hash_.decode())
        return record if record is not None and record.id == id_ else None

    async def pending(self) -> list[ParkedCall]:
        """The calls that nobody has decided about, the one that ends first in front."""
        found: list[ParkedCall] = []
        for key in await self._store.keys(_BY_HASH):
            record = await self.find(_hash_of(key))
            if record is not None and record.decision is Decision.OPEN:
                found.append(record)
        return sorted(found, key=lambda call: (call.until, call.id))

    async def _name(self, call: ParkedCall, hash_: str) -> None:
        seconds = _KEPT * call.expires + 1
        await self._store.replace(_BY_ID + call.id, None, hash_.encode(), seconds)

    async def _replace(self, hash_: str, event: Event) -> tuple[ParkedCall | None, Step]:
        """Puts in place what the event makes of the record, whatever others do to it meanwhile."""
        for _ in range(_MOST_TRIES):
            data, record = await self._read(hash_)
            now = await self._store.now()
            done = step(record, event, now)
            if done.record is record:
                return record, done
            value = None if done.record is None else write_call(done.record)
            seconds = 0.0 if done.record is None else done.record.until - now
            if await self._store.replace(_BY_HASH + hash_, data, value, seconds):
                return record, done
        raise StateUnavailable("a call changes faster than it can be decided about")

    async def _read(self, hash_: str) -> tuple[bytes | None, ParkedCall | None]:
        data = await self._store.get(_BY_HASH + hash_)
        if data is None:
            return None, None
        try:
            return data, read_call(data)
        except BadRecord:
            raise StateUnavailable(
                "the state store holds something else where a parked call should be"
            ) from None


def _hash_of(key: str) -> str:
    return key.removeprefix(_BY_HASH)
