"""The life of a parked call, searched through whole: nothing is sent twice, unapproved, under
another request, or late."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from naftiko_runtime.guards.approval import (
    Asked,
    Decided,
    Decision,
    Effect,
    ParkedCall,
    step,
)
from naftiko_runtime.guards.approvals import Approvals
from naftiko_runtime.guards.parked_calls import BadRecord, read_call, write_call
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.origin import Origin
from tests.guards.interleavings import PausingStore, Task, Trial, complete, explore, pause

EXPIRES = 2.0
ADA = Origin("mcp", "ada")


class Fixed(dict[str, JsonValue]):
    """A part of a record that stays as it is, so that worlds can be told apart quickly."""

    def __hash__(self) -> int:  # type: ignore[override]
        return len(self)


def parked(
    id_: str = "first",
    until: float = EXPIRES,
    origin: Origin = ADA,
    expires: float = EXPIRES,
) -> ParkedCall:
    return ParkedCall(
        id=id_,
        origin=origin,
        capability="orders",
        name="orders.place",
        operation="web-orders.placeorder",
        request=Fixed(method="POST", url="https://localhost/orders", body={"quantity": 1}),
        arguments=Fixed(quantity=1),
        until=until,
        expires=expires,
    )


# The search: two callers, two persons, a clock and a reload, against records under two versions.

LAST = 4
"""When the clock stops; twice as long as a call waits."""
ROUNDS = (2, 1)
"""How often each caller asks."""


@dataclass(frozen=True)
class Caller:
    """`read` is what it read under the version it asked for, `may_send` the record that it has
    used up; `asked` counts its rounds."""

    asked: int = 0
    version: int = 0
    is_reading: bool = False
    read: ParkedCall | None = None
    may_send: ParkedCall | None = None


@dataclass(frozen=True)
class Person:
    """Decides once on what is on the screen, `read` being the record under it."""

    approve: bool
    looking_at: str = ""
    version: int = 0
    is_reading: bool = False
    read: ParkedCall | None = None
    is_done: bool = False


@dataclass(frozen=True)
class World:
    now: int = 0
    version: int = 0
    records: tuple[ParkedCall | None, ParkedCall | None] = (None, None)
    callers: tuple[Caller, ...] = (Caller(), Caller())
    persons: tuple[Person, ...] = (Person(True), Person(False))
    approved: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()

    def stored(self, version: int) -> ParkedCall | None:
        return self.records[version]

    def replaced(
        self, version: int, read: ParkedCall | None, record: ParkedCall | None
    ) -> World | None:
        """Compare and set; None where somebody was faster."""
        if record is read:
            return self
        if self.stored(version) != read:
            return None
        records = list(self.records)
        records[version] = record
        return replace(self, records=(records[0], records[1]))

    def with_caller(self, index: int, caller: Caller) -> World:
        callers = (*self.callers[:index], caller, *self.callers[index + 1 :])
        return replace(self, callers=callers)

    def with_person(self, index: int, person: Person) -> World:
        persons = (*self.persons[:index], person, *self.persons[index + 1 :])
        return replace(self, persons=persons)


def successors(world: World) -> Iterator[World]:
    """All that can happen next. A crash is to do nothing any more, which every caller may."""
    if world.now < LAST:
        yield at(world, world.now + 1)
    if world.version == 0:
        yield replace(world, version=1)
    for index, caller in enumerate(world.callers):
        yield from caller_goes_on(world, index, caller)
    for index, person in enumerate(world.persons):
        yield from person_goes_on(world, index, person)


def at(world: World, now: int) -> World:
    """A store forgets what has expired."""
    first, second = world.records
    kept = (
        first if first is not None and now < first.until else None,
        second if second is not None and now < second.until else None,
    )
    return replace(world, now=now, records=kept)


def caller_goes_on(world: World, index: int, caller: Caller) -> Iterator[World]:
    if caller.may_send is not None:
        yield send(world, index, caller, caller.may_send)
    elif not caller.is_reading:
        if caller.asked < ROUNDS[index]:
            begun = Caller(caller.asked + 1, world.version, True, world.stored(world.version))
            yield world.with_caller(index, begun)
    else:
        ask = parked(f"{index}.{caller.asked}.{caller.version}", world.now + EXPIRES)
        done = step(caller.read, Asked(ask), world.now)
        after = world.replaced(caller.version, caller.read, done.record)
        if after is None:
            again = replace(caller, read=world.stored(caller.version))
            yield world.with_caller(index, again)
            return
        used = caller.read if done.effect is Effect.SEND else None
        version = caller.version if used is not None else 0
        ended = Caller(caller.asked, version, may_send=used)
        yield after.with_caller(index, ended)


def send(world: World, index: int, caller: Caller, used: ParkedCall) -> World:
    assert used.id in world.approved, "sent unapproved"
    assert used.id not in world.refused, "sent though refused"
    assert used.id not in world.sent, "sent twice"
    assert used.id.endswith(f".{caller.version}"), "sent for another version"
    sent = replace(world, sent=world.sent | {used.id})
    return sent.with_caller(index, replace(caller, may_send=None))


def person_goes_on(world: World, index: int, person: Person) -> Iterator[World]:
    if person.is_done:
        return
    if not person.looking_at:
        for version in (0, 1):
            shown = world.stored(version)
            if shown is not None and shown.decision is not Decision.REFUSED:
                yield world.with_person(
                    index, replace(person, looking_at=shown.id, version=version)
                )
        return
    if not person.is_reading:
        read = world.stored(person.version)
        yield world.with_person(index, replace(person, is_reading=True, read=read))
        return
    done = step(person.read, Decided(person.looking_at, person.approve, "a person"), world.now)
    after = world.replaced(person.version, person.read, done.record)
    if after is None:
        again = replace(person, read=world.stored(person.version))
        yield world.with_person(index, again)
        return
    if done.effect is Effect.NOTED and person.approve:
        after = replace(after, approved=after.approved | {person.looking_at})
    elif done.effect is Effect.NOTED:
        assert person.looking_at not in world.sent, "noted a refusal of what was sent"
        after = replace(after, refused=after.refused | {person.looking_at})
    yield after.with_person(index, Person(person.approve, is_done=True))


def reachable() -> set[World]:
    seen = {World()}
    rest = deque(seen)
    while rest:
        for following in successors(rest.popleft()):
            if following not in seen:
                seen.add(following)
                rest.append(following)
    return seen


def test_no_path_sends_a_call_twice_or_unapproved_or_as_another_version() -> None:
    worlds = reachable()

    # The search is worth something only if it gets to where things could go wrong.
    assert any(world.sent and world.version == 0 for world in worlds)
    assert any(world.sent and world.version == 1 for world in worlds)
    assert any(world.approved & world.refused for world in worlds)
    assert any(all(caller.read for caller in world.callers) for world in worlds)
    assert any(world.approved and not world.sent and world.now == LAST for world in worlds)


# The same with the code that keeps the records, one await at a time.


class Shared:
    """A store with a call that has been parked, and what those who share it have done."""

    def __init__(self, *, approved: bool) -> None:
        self.store = PausingStore()
        self.approvals = Approvals(self.store)
        self.sent: list[str] = []
        self.noted: list[bool] = []
        complete(self.ask("hash"))
        if approved:
            complete(self.decide("first", True))
            self.noted.clear()

    async def ask(self, hash_: str, id_: str = "first") -> None:
        effect, record = await self.approvals.ask(hash_, parked(id_))
        await pause()  # where a process may crash that has used an approval up
        if effect is Effect.SEND:
            self.sent.append(record.id)

    async def decide(self, id_: str, approve: bool) -> None:
        if await self.approvals.decide(id_, approve, "a person"):
            self.noted.append(approve)


def test_of_callers_who_come_back_at_the_same_time_at_most_one_sends() -> None:
    outcomes: set[int] = set()

    def start() -> Trial:
        shared = Shared(approved=True)

        def check() -> None:
            outcomes.add(len(shared.sent))
            assert shared.sent in ([], ["first"])

        tasks = [shared.ask("hash", "second"), shared.ask("hash", "third")]
        return Trial(tasks, check, frozenset({0, 1}))

    explore(start)

    assert outcomes == {0, 1}  # none where the one crashed who had taken it


def test_a_refusal_that_was_noted_is_never_followed_by_sending() -> None:
    outcomes: set[tuple[bool, bool]] = set()

    def start() -> Trial:
        shared = Shared(approved=True)

        def check() -> None:
            outcomes.add((bool(shared.sent), bool(shared.noted)))
            assert len(shared.sent) + len(shared.noted) <= 1

        return Trial([shared.ask("hash", "second"), shared.decide("first", False)], check)

    explore(start)

    assert outcomes == {(True, False), (False, True)}


def test_nobody_sends_while_a_person_only_starts_to_approve_it() -> None:
    def start() -> Trial:
        shared = Shared(approved=False)

        def check() -> None:
            assert shared.sent in ([], ["first"])
            assert not shared.sent or shared.noted

        tasks: list[Task] = [shared.decide("first", True), shared.ask("hash", "second")]
        tasks.append(shared.ask("hash", "third"))
        return Trial(tasks, check)

    assert explore(start) > 100


def test_a_yes_and_a_no_at_the_same_time_are_never_both_the_last_word() -> None:
    def start() -> Trial:
        shared = Shared(approved=False)

        def check() -> None:
            complete(shared.ask("hash", "second"))
            assert False in shared.noted
            assert not shared.sent

        tasks = [shared.decide("first", True), shared.decide("first", False)]
        return Trial(tasks, check)

    explore(start)


def test_callers_who_park_the_same_call_at_the_same_time_are_told_the_same_id() -> None:
    def start() -> Trial:
        store = PausingStore()
        approvals = Approvals(store)
        told: list[str] = []

        async def ask(id_: str) -> None:
            effect, record = await approvals.ask("hash", parked(id_))
            assert effect is Effect.WAIT
            told.append(record.id)

        async def see() -> None:
            assert [call.id for call in await approvals.pending()] == told[:1]
            assert await approvals.decide(told[0], True, "a person")

        def check() -> None:
            assert len(told) == 2
            assert told[0] == told[1]
            complete(see())

        return Trial([ask("one"), ask("two")], check)

    explore(start)


# Time


def decided(shared: Shared, approve: bool) -> bool:
    shared.noted.clear()
    complete(shared.decide("first", approve))
    return shared.noted == [approve]


def test_a_call_that_nobody_decided_about_in_time_cannot_be_approved() -> None:
    shared = Shared(approved=False)
    shared.store.clock += EXPIRES

    assert not decided(shared, True)
    complete(shared.ask("hash", "second"))
    assert not shared.sent


def test_an_approval_that_is_not_used_in_time_is_worth_nothing() -> None:
    shared = Shared(approved=True)
    shared.store.clock += EXPIRES
    complete(shared.ask("hash", "second"))

    assert not shared.sent


def test_the_caller_has_the_whole_time_again_once_a_person_approved() -> None:
    shared = Shared(approved=False)
    shared.store.clock += 0.9 * EXPIRES
    assert decided(shared, True)
    shared.store.clock += 0.9 * EXPIRES
    assert decided(shared, True)  # which gives no more time
    complete(shared.ask("hash", "second"))
    assert shared.sent == ["first"]


def test_approving_again_does_not_make_an_approval_last_longer() -> None:
    shared = Shared(approved=True)
    shared.store.clock += 0.9 * EXPIRES
    assert decided(shared, True)
    shared.store.clock += 0.9 * EXPIRES
    complete(shared.ask("hash", "second"))
    assert not shared.sent


def test_a_refusal_is_final_and_forgotten_after_a_while() -> None:
    shared = Shared(approved=False)
    assert decided(shared, False)
    assert not decided(shared, True)
    shared.store.clock += EXPIRES
    complete(shared.ask("hash", "second"))
    assert not shared.sent
    complete(shared.decide("second", True))
    complete(shared.ask("hash", "third"))
    assert shared.sent == ["second"]


def test_an_approval_is_for_one_request_only() -> None:
    shared = Shared(approved=True)
    complete(shared.ask("another hash", "second"))
    assert not shared.sent


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"id": 1}', b"\xff"])
def test_bytes_that_are_no_parked_call_are_told_from_one(data: bytes) -> None:
    with pytest.raises(BadRecord):
        read_call(data)


def test_a_parked_call_survives_the_store() -> None:
    call = replace(parked(), preview={"amount": [1, None]}, decision=Decision.REFUSED, by="bob")
    assert read_call(write_call(call)) == call
    assert write_call(read_call(write_call(call))) == write_call(call)
