"""Keys that make repeated calls one, in a store that processes share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.guards.first_outcomes import BadOutcome, read_outcome, write_outcome
from naftiko_runtime.guards.idempotency import (
    Claim,
    Known,
    Reply,
    Settled,
    Standing,
    begin,
    begin_answer,
    end_answer,
    settle,
)
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.state.store import StateStore, StateUnavailable

PATIENCE: Final = 5.0
"""Seconds for which a repetition waits for the answer to the first call."""

_PREFIX: Final = "idempotency/"
UNDER_WAY: Final = 3600.0
"""Seconds for which a call that has not ended keeps its keys at least: with a shorter window the
same call could be sent again while the first one is on its way."""

_LOOK: Final = 0.1
_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Found:
    """Where a call stands with all of its keys; `outcome` is the first call's, for REPLAY."""

    standing: Standing
    outcome: Outcome | None = None


class Claims:
    """All methods raise StateUnavailable."""

    def __init__(
        self, store: StateStore, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._store = store
        self._sleep = sleep

    async def take(self, keys: Iterable[str], owner: str, request: str, window: float) -> Found:
        """Claims all keys for a call, or none of them.

        Keys are claimed in one order by everybody, so that of two calls with the same keys the one
        gets all and the other none. A repetition waits a while for the first call's answer.
        """
        return await self._stand(keys, owner, request, window)

    async def look(self, keys: Iterable[str], owner: str, request: str) -> Found:
        """As `take`, without claiming anything: OURS where all keys are free."""
        return await self._stand(keys, owner, request, None)

    async def _stand(
        self, keys: Iterable[str], owner: str, request: str, window: float | None
    ) -> Found:
        wanted = sorted(set(keys))
        for _ in range(_MOST_TRIES):
            found = await self._take(wanted, owner, request, window)
            if found is not None:
                return found
        return Found(Standing.UNSETTLED)

    async def _take(
        self, wanted: Sequence[str], owner: str, request: str, window: float | None
    ) -> Found | None:
        """None where another call gave a key up while this one waited for it."""
        taken: list[str] = []
        for key in wanted:
            claim, standing = await self._begin(key, owner, request, window)
            if standing is Standing.OURS:
                taken.append(key)
                continue
            if window is not None:
                await self.settle(taken, owner, Settled.NOT_EXECUTED, None, window)
            if standing is Standing.UNSETTLED:
                claim, standing = await self._awaited(key, owner, request)
            if standing is Standing.OURS:
                return None
            if standing is Standing.REPLAY and claim is not None:
                return Found(standing, _outcome_of(claim))
            return Found(standing)
        return Found(Standing.OURS)

    async def settle(
        self,
        keys: Iterable[str],
        owner: str,
        how: Settled,
        outcome: Outcome | None,
        window: float,
        question: str = "",
    ) -> None:
        """Notes how a call ended, for all keys that it has claimed."""
        kept = None if outcome is None else write_outcome(outcome)
        await self._change(keys, lambda claim: settle(claim, owner, how, kept, question), window)

    async def begin_answer(
        self, keys: Iterable[str], owner: str, question: str, window: float
    ) -> None:
        """Closes the keys of a call that ended in a question which is now to be answered."""
        await self._change(keys, lambda claim: begin_answer(claim, owner, question), window)

    async def end_answer(
        self,
        keys: Iterable[str],
        owner: str,
        how: Reply,
        outcome: Outcome | None,
        window: float,
        question: str = "",
    ) -> None:
        """Notes how the call ended that has answered it."""
        kept = None if outcome is None else write_outcome(outcome)
        await self._change(
            keys, lambda claim: end_answer(claim, owner, how, kept, question), window
        )

    async def _change(
        self, keys: Iterable[str], change: Callable[[Claim | None], Claim | None], window: float
    ) -> None:
        for key in sorted(set(keys)):
            for _ in range(_MOST_TRIES):
                data, claim = await self._read(key)
                after = change(claim)
                if after is claim or await self._replace(key, data, after, window):
                    break
            else:
                raise StateUnavailable("a key changes hands faster than it can be noted")

    async def _begin(
        self, key: str, owner: str, request: str, window: float | None
    ) -> tuple[Claim | None, Standing]:
        for _ in range(_MOST_TRIES):
            data, claim = await self._read(key)
            after, standing = begin(claim, owner, request)
            if standing is not Standing.OURS or window is None:
                return after, standing
            if await self._replace(key, data, after, max(window, UNDER_WAY)):
                return after, standing
        raise StateUnavailable("a key changes hands faster than it can be taken")

    async def _awaited(self, key: str, owner: str, request: str) -> tuple[Claim | None, Standing]:
        """Looks again until the first call is over, or it takes too long; OURS where the key is
        free by then."""
        for _ in range(round(PATIENCE / _LOOK)):
            await self._sleep(_LOOK)
            _, claim = await self._read(key)
            _, standing = begin(claim, owner, request)
            if standing is not Standing.UNSETTLED:
                return claim, standing
        return None, Standing.UNSETTLED

    async def _read(self, key: str) -> tuple[bytes | None, Claim | None]:
        data = await self._store.get(_PREFIX + key)
        if data is None:
            return None, None
        try:
            return data, _read_claim(data)
        except (JsonError, KeyError, TypeError, ValueError):
            message = "the state store holds something else where a claimed key should be"
            raise StateUnavailable(message) from None

    async def _replace(
        self, key: str, before: bytes | None, claim: Claim | None, window: float
    ) -> bool:
        value = None if claim is None else _write_claim(claim)
        return await self._store.replace(_PREFIX + key, before, value, window)


def _write_claim(claim: Claim) -> bytes:
    answer = None if claim.answer is None else dict(claim.answer)
    return encode_json(
        {
            "owner": claim.owner,
            "request": claim.request,
            "known": claim.known.value,
            "answer": answer,
            "question": claim.question,
        }
    )


def _read_claim(data: bytes) -> Claim:
    document = decode_json(data)
    if not isinstance(document, dict):
        raise TypeError
    owner, request, answer = document["owner"], document["request"], document["answer"]
    if not isinstance(owner, str) or not isinstance(request, str):
        raise TypeError
    if answer is not None and not isinstance(answer, dict):
        raise TypeError
    question = document.get("question", "")
    if not isinstance(question, str):
        raise TypeError
    return Claim(owner, request, Known(document["known"]), answer, question)


def _outcome_of(claim: Claim) -> Outcome:
    try:
        return read_outcome(claim.answer)
    except BadOutcome:
        message = "the state store holds something else where an answer should be"
        raise StateUnavailable(message) from None
