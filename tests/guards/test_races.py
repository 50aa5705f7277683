"""Guarded calls against each other, in every order of their awaits, with a crash at each of them:
the code that runs in production, but for the network."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.guards.approvals import Approvals
from naftiko_runtime.guards.call import GuardedCall
from naftiko_runtime.guards.claims import Claims
from naftiko_runtime.guards.desk import Desk
from naftiko_runtime.guards.halting import Halt
from naftiko_runtime.guards.idempotency import Claim, Standing
from naftiko_runtime.guards.questions import Questions
from naftiko_runtime.guards.refusal_records import RefusalRecords
from naftiko_runtime.guards.rulebook import Rulebook
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import OperationPlan, UpstreamRequest
from naftiko_runtime.plan.origin import Origin
from naftiko_runtime.settings.model import Approval, ApprovalPage, GuardRule, Idempotency
from naftiko_runtime.state.memory import MemoryStore
from tests.guards.interleavings import PausingStore, Task, Trial, complete, explore, pause
from tests.guards.journals import MemoryJournal
from tests.loaded_calls import Given, LoadedCall, in_body, one_call

APPROVED = GuardRule(("*",), approve=Approval())
KEYED = GuardRule(("*",), idempotency=Idempotency("$.body.id"))
BOTH = GuardRule(("*",), approve=Approval(), idempotency=Idempotency("$.body.id"))
ADA = Origin("mcp", "ada")


def place() -> LoadedCall:
    return one_call(method="POST", parameters=[in_body("id"), in_body("quantity")])


PLACE = place()


@dataclass
class Upstream:
    """Executes every request that gets to it; a slow one can be left waiting for the answer."""

    executed: list[bytes] = field(default_factory=list)
    is_slow: bool = True

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        await pause()
        self.executed.append(request.content or b"")
        if self.is_slow:
            await pause()
        number = b"%d" % len(self.executed)
        return UpstreamResponse(200, (("content-type", "application/json"),), number)

    async def aclose(self) -> None:
        """Nothing is open."""


class Impatient(Claims):
    """Does not wait for a first call, so that there are not too many orders to try."""

    async def _awaited(self, key: str, owner: str, request: str) -> tuple[Claim | None, Standing]:
        return None, Standing.UNSETTLED


class Processes:
    """Several processes with one store, under one rule."""

    def __init__(self, rule: GuardRule) -> None:
        self.store = PausingStore()
        self.upstream = Upstream(is_slow=rule.idempotency is not None)
        self.journal = MemoryJournal()
        self.outcomes: list[Outcome] = []
        self.desk = Desk(
            upstreams=self.upstream,
            rules=Rulebook((rule,), ()),
            halt=lambda: Halt(None, MemoryStore()),
            approvals=Approvals(self.store),
            claims=Impatient(self.store),
            questions=Questions(self.store),
            journal=self.journal,
            refusals=RefusalRecords(),
            page=ApprovalPage,
        )

    async def call(
        self, *, quantity: JsonValue = 1, origin: Origin = ADA, plan: OperationPlan = PLACE.tool
    ) -> None:
        given = Given({"id": "first", "quantity": quantity}, origin=origin)
        self.outcomes.append(await GuardedCall(self.desk, plan, given).run())

    async def decide(self, approve: bool = True) -> None:
        for parked in await self.desk.approvals.pending():
            await self.desk.approvals.decide(parked.id, approve, "a person")

    def park(self, *, approve: bool) -> None:
        complete(self.call())
        if approve:
            complete(self.decide())
        assert not self.upstream.executed
        self.outcomes.clear()

    def kinds(self) -> list[FailureKind | None]:
        return [each.kind if isinstance(each, Failure) else None for each in self.outcomes]


def trial(
    rule: GuardRule,
    tasks: Callable[[Processes], list[Task]],
    check: Callable[[Processes], None],
    *,
    crashes: frozenset[int] = frozenset({0}),
    approved: bool | None = None,
) -> Callable[[], Trial]:
    def start() -> Trial:
        processes = Processes(rule)
        if approved is not None:
            processes.park(approve=approved)
        running = tasks(processes)
        return Trial(running, lambda: check(processes), crashes)

    return start


def executed_at_most_once(processes: Processes) -> None:
    assert len(processes.upstream.executed) <= 1
    assert len(processes.journal.begun) >= len(processes.upstream.executed)
    assert set(processes.journal.ended) <= set(range(len(processes.journal.begun)))


def test_an_approved_call_that_two_processes_repeat_is_executed_at_most_once() -> None:
    executed: set[int] = set()

    def check(processes: Processes) -> None:
        executed_at_most_once(processes)
        executed.add(len(processes.upstream.executed))

    start = trial(APPROVED, lambda each: [each.call(), each.call()], check, approved=True)

    assert explore(start) > 1000
    assert executed == {0, 1}  # none after a crash of the one that had used the approval up


def test_a_call_is_not_executed_before_a_person_approved_it() -> None:
    def check(processes: Processes) -> None:
        executed_at_most_once(processes)

    def tasks(processes: Processes) -> list[Task]:
        return [processes.call(), processes.decide()]

    explore(trial(APPROVED, tasks, check, approved=False))

    refused = trial(
        APPROVED, lambda each: [each.call(), each.decide(False)], not_executed, approved=False
    )
    explore(refused)


def not_executed(processes: Processes) -> None:
    assert not processes.upstream.executed


def test_an_approval_is_never_used_for_anything_else() -> None:
    reloaded = replace(PLACE.tool, version="another")

    def tasks(processes: Processes) -> list[Task]:
        return [processes.call(quantity=2), processes.call(plan=reloaded)]

    explore(trial(APPROVED, tasks, not_executed, approved=True, crashes=frozenset()))

    def others(processes: Processes) -> list[Task]:
        return [processes.call(origin=Origin("mcp", "eve")), processes.call(origin=Origin("rest"))]

    explore(trial(APPROVED, others, not_executed, approved=True, crashes=frozenset()))


def test_a_keyed_call_that_two_processes_make_is_executed_at_most_once() -> None:
    def check(processes: Processes) -> None:
        executed_at_most_once(processes)
        before = len(processes.upstream.executed)
        complete(processes.call())
        kinds = processes.kinds()
        assert len(processes.upstream.executed) == before or before == 0
        assert len(processes.upstream.executed) <= 1
        answers = {each.body for each in processes.outcomes if isinstance(each, Answer)}
        assert answers <= {b"1"}
        assert set(kinds) <= {None, FailureKind.OUTCOME_UNKNOWN}

    assert explore(trial(KEYED, lambda each: [each.call(), each.call()], check)) > 1000


def test_calls_with_one_key_for_two_requests_are_never_both_executed() -> None:
    def check(processes: Processes) -> None:
        executed_at_most_once(processes)
        allowed = {None, FailureKind.KEY_CONFLICT, FailureKind.OUTCOME_UNKNOWN}
        assert set(processes.kinds()) <= allowed

    def tasks(processes: Processes) -> list[Task]:
        return [processes.call(), processes.call(quantity=2)]

    explore(trial(KEYED, tasks, check, crashes=frozenset({0, 1})))


def test_with_all_guards_three_processes_execute_a_call_at_most_once() -> None:
    """Too many orders to try them all: a few thousand at random, the same each time."""
    chosen = random.Random(7)
    executed = 0
    for _ in range(3000):
        processes = Processes(BOTH)
        processes.park(approve=True)
        tasks: dict[int, Task] = {number: processes.call() for number in range(3)}
        while tasks:
            number = chosen.choice(sorted(tasks))
            if chosen.random() < 0.02:
                tasks.pop(number).close()
                continue
            try:
                tasks[number].send(None)
            except StopIteration:
                del tasks[number]
        executed_at_most_once(processes)
        executed += len(processes.upstream.executed)
    assert 1000 < executed < 3000
