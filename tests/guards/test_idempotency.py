"""Keys that make repeated calls one, searched through whole: nothing is executed twice, and nobody
gets an answer to something else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.guards.claims import PATIENCE, Claims
from naftiko_runtime.guards.idempotency import (
    Claim,
    Known,
    Settled,
    Standing,
    begin,
    settle,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.state.store import StateUnavailable
from tests.guards.interleavings import PausingStore, Task, Trial, complete, explore, pause

# The search: three calls with one key in any processes, one of them for another request. What the
# upstream does, and whether its answer arrives, is open each time.


class Fixed(dict[str, JsonValue]):
    """An answer that can be told apart quickly."""

    def __hash__(self) -> int:  # type: ignore[override]
        return len(self)


@dataclass(frozen=True)
class Call:
    """Where a call is: it `looks`, is `sending`, has to `settle`, or is at its `end`."""

    request: str
    state: str = "looks"
    read: Claim | None = None
    how: Settled | None = None


@dataclass(frozen=True)
class World:
    claim: Claim | None = None
    calls: tuple[Call, ...] = (Call("buy"), Call("buy"), Call("sell"))
    executed: tuple[int, ...] = ()
    replayed: frozenset[int] = frozenset()
    unknown: frozenset[int] = frozenset()

    def at(self, index: int, call: Call) -> World:
        return replace(self, calls=(*self.calls[:index], call, *self.calls[index + 1 :]))


def successors(world: World) -> Iterator[World]:
    """All that can happen next. A crash is to do nothing any more, which every call may."""
    for index, call in enumerate(world.calls):
        if call.state == "looks":
            yield world.at(index, replace(call, state="takes", read=world.claim))
        elif call.state == "takes":
            yield take(world, index, call)
        elif call.state == "sending":
            assert not world.executed, "sent what may have been executed"
            yield world.at(index, replace(call, state="settle", how=Settled.NOT_EXECUTED))
            done = replace(world, executed=(*world.executed, index))
            yield done.at(index, replace(call, state="settle", how=Settled.ANSWERED))
            yield done.at(index, replace(call, state="settle", how=Settled.UNKNOWN))
            yield world.at(index, replace(call, state="settle", how=Settled.UNKNOWN))
        elif call.state == "settle":
            yield world.at(index, replace(call, state="settles", read=world.claim))
        elif call.state == "settles":
            assert call.how is not None
            after = settle(call.read, str(index), call.how, Fixed(of=index))
            if after is not call.read and world.claim != call.read:
                yield world.at(index, replace(call, state="settle", read=None))
            else:
                claim = world.claim if after is call.read else after
                ended = Call(call.request, "end", how=call.how)
                yield replace(world, claim=claim).at(index, ended)


def take(world: World, index: int, call: Call) -> World:
    after, standing = begin(call.read, str(index), call.request)
    ended = Call(call.request, "end")
    if standing is Standing.OURS:
        if world.claim != call.read:
            return world.at(index, replace(call, state="looks", read=None))
        return replace(world, claim=after).at(index, Call(call.request, "sending"))
    if standing is Standing.REPLAY:
        assert after is not None
        assert after.answer is not None
        (owner,) = after.answer.values()
        assert world.calls[int(str(owner))].request == call.request, "another call's answer"
        assert world.executed == (owner,), "an answer to what was not executed"
        return replace(world, replayed=world.replayed | {index}).at(index, ended)
    if standing is Standing.UNKNOWN:
        return replace(world, unknown=world.unknown | {index}).at(index, ended)
    if standing is Standing.CONFLICT:
        assert after is not None
        assert world.calls[int(after.owner)].request != call.request
    return world.at(index, ended)


def reachable() -> set[World]:
    seen = {World()}
    rest = deque(seen)
    while rest:
        for following in successors(rest.popleft()):
            if following not in seen:
                seen.add(following)
                rest.append(following)
    return seen


def test_no_path_executes_two_calls_with_one_key() -> None:
    worlds = reachable()

    assert all(len(world.executed) <= 1 for world in worlds)
    # The search is worth something only if it gets to where things could go wrong.
    assert any(world.replayed for world in worlds)
    assert any(world.unknown for world in worlds)
    assert any(world.executed == (2,) for world in worlds)
    assert any(call.how is Settled.NOT_EXECUTED for world in worlds for call in world.calls)
    assert any(world.claim and world.claim.known is Known.UNKNOWN for world in worlds)


def test_a_call_does_not_repeat_itself() -> None:
    claim, _ = begin(None, "me", "buy")
    assert begin(claim, "me", "buy")[1] is Standing.CONFLICT


# The same with the code that keeps the claims, one await at a time.

ANSWER = Answer(200, "application/json", b'{"order": "\xc3\xa4"}', (("etag", '"1"'),))


class Shared:
    """A store that processes share, and what they have done with it."""

    def __init__(self) -> None:
        self.store = PausingStore()
        self.claims = Claims(self.store, sleep=self._sleep)
        self.sent: list[str] = []
        self.replayed: list[Outcome | None] = []
        self.standings: list[Standing] = []

    async def _sleep(self, seconds: float) -> None:
        self.store.clock += seconds
        await pause()

    async def call(
        self,
        owner: str,
        *keys: str,
        request: str = "buy",
        how: Settled = Settled.ANSWERED,
    ) -> None:
        found = await self.claims.take(keys, owner, request, 600.0)
        self.standings.append(found.standing)
        if found.standing is Standing.REPLAY:
            self.replayed.append(found.outcome)
        if found.standing is Standing.OURS:
            await pause()
            self.sent += keys
            await pause()
            await self.claims.settle(keys, owner, how, ANSWER, 600.0)


class Impatient(Claims):
    """Does not wait for a first call, so that orders of awaits stay few."""

    async def _awaited(self, key: str, owner: str, request: str) -> tuple[Claim | None, Standing]:
        return None, Standing.UNSETTLED


def test_of_calls_with_the_same_key_at_the_same_time_one_is_sent() -> None:
    outcomes: set[tuple[str, ...]] = set()

    def start() -> Trial:
        shared = Shared()
        shared.claims = Impatient(shared.store)

        def check() -> None:
            outcomes.add(tuple(shared.sent))
            assert shared.sent in ([], ["a"])
            assert all(answer == ANSWER for answer in shared.replayed)

        return Trial([shared.call("1", "a"), shared.call("2", "a")], check, frozenset({0, 1}))

    explore(start)

    assert outcomes == {(), ("a",)}


def test_calls_that_share_some_of_their_keys_are_never_both_sent() -> None:
    outcomes: set[frozenset[str]] = set()

    def start() -> Trial:
        shared = Shared()
        shared.claims = Impatient(shared.store)

        def check() -> None:
            outcomes.add(frozenset(shared.sent))
            assert len(shared.sent) == len(set(shared.sent))

        tasks: list[Task] = [
            shared.call("1", "b", "a", request="one"),
            shared.call("2", "b", "c", request="other"),
        ]
        return Trial(tasks, check)

    explore(start)

    assert {frozenset("ab"), frozenset("bc")} <= outcomes


def test_a_call_that_crashed_is_never_sent_again() -> None:
    def start() -> Trial:
        shared = Shared()
        shared.claims = Impatient(shared.store)

        def check() -> None:
            sent = len(shared.sent)
            assert sent <= 1
            complete(shared.call("3", "a"))
            assert len(shared.sent) <= 1

        return Trial([shared.call("1", "a")], check, frozenset({0}))

    assert explore(start) > 4


# One after the other


def test_a_repetition_gets_the_first_answer_byte_for_byte() -> None:
    shared = Shared()
    complete(shared.call("1", "a", "b"))
    complete(shared.call("2", "b", "a"))

    assert shared.sent == ["a", "b"]
    assert shared.replayed == [ANSWER]


def test_a_key_is_free_again_when_nothing_was_executed() -> None:
    shared = Shared()
    complete(shared.call("1", "a", how=Settled.NOT_EXECUTED))
    complete(shared.call("2", "a", request="another"))

    assert shared.standings == [Standing.OURS, Standing.OURS]


def test_a_key_stays_taken_when_nobody_knows_what_was_executed() -> None:
    shared = Shared()
    complete(shared.call("1", "a", how=Settled.UNKNOWN))
    complete(shared.call("2", "a"))

    assert shared.standings == [Standing.OURS, Standing.UNKNOWN]


def test_a_repetition_waits_for_the_first_call_but_not_for_ever() -> None:
    shared = Shared()
    first = shared.call("1", "a")
    while not shared.standings:
        first.send(None)
    begun = shared.store.clock
    complete(shared.call("2", "a"))
    assert shared.standings[-1] is Standing.UNSETTLED
    assert shared.store.clock - begun == pytest.approx(PATIENCE)

    second = shared.call("3", "a")
    for _ in range(6):
        second.send(None)
    complete(first)
    complete(second)
    assert shared.replayed == [ANSWER]
    assert shared.sent == ["a"]


def test_a_repetition_that_waited_is_sent_when_the_first_call_was_not_executed() -> None:
    shared = Shared()
    first = shared.call("1", "a", how=Settled.NOT_EXECUTED)
    while not shared.standings:
        first.send(None)
    second = shared.call("2", "a")
    for _ in range(6):
        second.send(None)
    complete(first)
    complete(second)
    assert shared.standings == [Standing.OURS, Standing.OURS]


def test_the_window_ends() -> None:
    shared = Shared()
    complete(shared.call("1", "a"))
    shared.store.clock += 600
    complete(shared.call("2", "a", request="another"))

    assert shared.standings == [Standing.OURS, Standing.OURS]


def test_a_call_keeps_its_key_while_it_is_under_way_however_short_the_window() -> None:
    shared = Shared()
    first = shared.call("1", "a")
    while not shared.standings:
        first.send(None)
    shared.store.clock += 601
    complete(shared.call("2", "a"))
    assert shared.standings == [Standing.OURS, Standing.UNSETTLED]
    complete(first)
    assert shared.sent == ["a"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"owner": 1, "request": "", "known": "claimed", "answer": null}',
        b'{"owner": "", "request": "", "known": "no", "answer": null}',
        b'{"owner": "", "request": "buy", "known": "answered", "answer": {}}',
    ],
)
def test_bytes_that_are_no_claim_let_nothing_through(data: bytes) -> None:
    shared = Shared()

    async def spoil() -> None:
        await shared.store.replace("idempotency/a", None, data, 600)

    complete(spoil())
    with pytest.raises(StateUnavailable):
        complete(shared.call("1", "a"))
    assert not shared.sent


@pytest.mark.parametrize("how", Settled)
def test_only_its_owner_settles_a_claim_and_only_once(how: Settled) -> None:
    claim = Claim("me", "buy")
    assert settle(claim, "another", how) is claim
    settled = settle(claim, "me", how, {"status": 200})
    assert settled is not claim
    assert settle(settled, "me", Settled.NOT_EXECUTED) is settled
