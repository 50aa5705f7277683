"""Plays scenarios and looks at what must hold whatever happens."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from examples.paper_gateway.faults import parse_fault
from naftiko_runtime.audit.verification import verify
from tests.examples.paper import ACCOUNT
from tests.exposes.mcp.listener import call_message, modern
from tests.faults.impatient import PATIENCE
from tests.faults.rig import Rig
from tests.faults.scenario import LATE, Attempt, Kill, Moment, Scenario, Way

CALL_SECONDS = 20.0
"""How long a call to a runtime may take at the most; none of them hangs."""

_LOOK = 0.001
_KILL_SECONDS = 1.0
"""For how long the moment of a kill is waited for; the kill comes then in any case."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a caller got: a word for it, and the document if it says that the call went well."""

    kind: str
    document: Any = None


@dataclass
class Tally:
    """What has been seen in all runs together."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    kills: int = 0
    state_lost: int = 0
    calls: int = 0
    placements: int = 0
    orders: int = 0
    records: int = 0
    torn: int = 0
    unended: int = 0

    def __str__(self) -> str:
        lines = [
            f"{self.runs} runs, {self.kills} kills, the state gone {self.state_lost} times,"
            f" {self.calls} calls of runtimes,"
            f" {self.placements} placements got to the gateway, {self.orders} orders,"
            f" {self.records} records ({self.torn} torn, {self.unended} calls without an end)",
            "answers: " + ", ".join(f"{name} {n}" for name, n in self.outcomes.most_common()),
            "faults: " + ", ".join(f"{name} {n}" for name, n in self.faults.most_common()),
        ]
        return "\n".join(lines)


async def play(rig: Rig, scenario: Scenario, tally: Tally) -> None:
    """One run. Raises AssertionError when something is not as it must be."""
    before = _Before.of(rig)
    rig.open_session()
    for fault in scenario.faults:
        rig.board.add(parse_fault(fault))
    async with httpx2.AsyncClient(timeout=CALL_SECONDS) as http:
        race = asyncio.gather(*(_call(rig, http, attempt) for attempt in scenario.race))
        if scenario.state_lost is not None and rig.redis is not None:
            await asyncio.sleep(scenario.state_lost)
            rig.redis.stop()
            tally.state_lost += 1
        if scenario.kill is not None:
            await _kill(rig, scenario.kill, before)
            tally.kills += len(scenario.kill.runtimes)
        outcomes = await race
        if scenario.state_lost is not None and rig.redis is not None:
            await asyncio.to_thread(rig.redis.start)
        if scenario.question:
            outcomes += await _confirm(rig, http, scenario, outcomes)
        await asyncio.to_thread(rig.restart_the_killed)
        rig.board.clear()
        await asyncio.sleep(_time_to_end(scenario))
        rig.open_session()
        for attempt in scenario.repetitions:
            outcomes.append(await _call(rig, http, attempt))
    _check_orders(rig, scenario, outcomes)
    await _check_journal(rig, scenario, before)
    _count(rig, before, outcomes, tally)


def _time_to_end(scenario: Scenario) -> float:
    """How long what nobody waits for may still take: orders that the gateway carries out late, and
    calls whose callers have hung up."""
    if any(attempt.patience is not None for attempt in scenario.race):
        return LATE + 2 * PATIENCE
    return LATE if any("late" in fault for fault in scenario.faults) else 0.0


@dataclass(frozen=True, slots=True)
class _Before:
    placements: int
    orders: int
    journal: int
    struck: int

    @classmethod
    def of(cls, rig: Rig) -> _Before:
        orders = len(rig.gateway.book.orders())
        return cls(rig.board.placements, orders, _size(rig), len(rig.board.struck))


# Calls


async def _call(rig: Rig, http: httpx2.AsyncClient, attempt: Attempt) -> Outcome:
    await asyncio.sleep(attempt.delay)
    try:
        async with asyncio.timeout(attempt.patience):
            return await _order(rig, http, attempt)
    except TimeoutError:
        return Outcome("hung up")


async def _order(rig: Rig, http: httpx2.AsyncClient, attempt: Attempt) -> Outcome:
    serving = rig.runtimes[attempt.runtime]
    body = {"orders": list(attempt.orders)}
    if attempt.way is Way.REST:
        return await _post(http, f"{serving.rest()}/v1/iserver/account/{ACCOUNT}/orders", body)
    if attempt.way is Way.TRADING:
        path, short = _short_order(attempt.orders[0])
        return await _post(http, serving.rest(8000) + path, short)
    arguments = {"accountId": ACCOUNT, "body": body}
    message, headers = modern(call_message("place-order", arguments))
    headers["accept"] = "application/json, text/event-stream"
    try:
        answer = await http.post(serving.mcp(), json=message, headers=headers)
    except httpx2.TransportError as error:
        return _no_answer(error)
    return _tool_outcome(answer)


def _short_order(order: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """An order as the trading API takes it: its path and body."""
    body = {
        "symbol": "AAPL",
        "action": order["side"],
        "quantity": order["quantity"],
        "order_ref": order["cOID"],
    }
    if order["orderType"] == "MKT":
        return "/order/market", body
    return "/order/limit", {**body, "limit_price": order["price"]}


async def _post(http: httpx2.AsyncClient, address: str, body: Any) -> Outcome:
    try:
        answer = await http.post(address, json=body)
    except httpx2.TransportError as error:
        return _no_answer(error)
    document = _read(answer.text)
    if answer.status_code < 400:
        return _success(document)
    kind = document.get("type") if isinstance(document, dict) else None
    return Outcome(str(kind).rpartition(":")[2] if kind else f"status {answer.status_code}")


def _tool_outcome(answer: httpx2.Response) -> Outcome:
    text = answer.text
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        text = next(line[5:] for line in text.splitlines() if line.startswith("data:"))
    result = _read(text)["result"]
    if result.get("isError"):
        return Outcome("tool error")
    return _success(_read(result["content"][0]["text"]))


def _success(document: Any) -> Outcome:
    if document is None:
        return Outcome("no JSON")
    return Outcome("an order" if _claimed_orders(document) else "something else", document)


def _no_answer(error: Exception) -> Outcome:
    assert not isinstance(error, httpx2.TimeoutException), "a call hangs"
    return Outcome("no answer")


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


async def _confirm(
    rig: Rig, http: httpx2.AsyncClient, scenario: Scenario, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Answers each question that came back, twice, through runtimes that run."""
    confirmed = []
    for reply in {question for outcome in outcomes for question in _questions(outcome)}:
        for runtime in range(len(rig.runtimes)):
            if runtime not in rig.killed:
                address = f"{rig.runtimes[runtime].rest()}/v1/iserver/reply/{reply}"
                confirmed.append(await _post(http, address, {"confirmed": True}))
    return confirmed


async def _kill(rig: Rig, kill: Kill, before: _Before) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + _KILL_SECONDS
    while not _has_come(rig, kill.moment, before) and loop.time() < end:
        await asyncio.sleep(_LOOK)
    await asyncio.sleep(kill.delay)
    for runtime in kill.runtimes:
        rig.kill(runtime)


def _has_come(rig: Rig, moment: Moment, before: _Before) -> bool:
    match moment:
        case Moment.RECORDED:
            return _size(rig) > before.journal
        case Moment.RECEIVED:
            return rig.board.placements > before.placements
        case Moment.PLACED:
            return len(rig.gateway.book.orders()) > before.orders
    return True


# What must hold


def _check_orders(rig: Rig, scenario: Scenario, outcomes: Sequence[Outcome]) -> None:
    """No order is there twice, and none is claimed that is not there."""
    there = {client_id: rig.orders(client_id) for client_id in scenario.client_ids}
    for client_id, orders in there.items():
        assert len(orders) <= 1, f"{client_id} was placed {len(orders)} times"
    known = {str(order.order_id) for orders in there.values() for order in orders}
    for outcome in outcomes:
        claimed = _claimed_orders(outcome.document)
        assert claimed <= known, f"{claimed - known} is claimed, and {known} is there"


async def _check_journal(rig: Rig, scenario: Scenario, before: _Before) -> None:
    """Each placement that got to the gateway was recorded first, and each record of a beginning
    gets its end; only a kill leaves one without."""
    loop = asyncio.get_running_loop()
    end = loop.time() + CALL_SECONDS
    while (open_ := _unended(_records_since(rig, before))) and not scenario.kill:
        # Its caller may have hung up, and the call go on.
        assert loop.time() < end, f"never ended: {open_}"
        await asyncio.sleep(_LOOK)
    begun = [
        record
        for record in _records_since(rig, before)
        if record["event"] == "begin" and _places(record["call"], scenario.client_ids[0])
    ]
    got_there = rig.board.placements - before.placements
    assert got_there <= len(begun), f"{got_there} placements, {len(begun)} recorded"


def _unended(records: Sequence[dict[str, Any]]) -> set[int]:
    begun = {record["number"] for record in records if record["event"] == "begin"}
    return begun - {record["of"] for record in records if record["event"] == "end"}


def _places(call: Any, client_id: str) -> bool:
    return "placeorder" in json.dumps(call) and client_id in json.dumps(call)


def check_whole_journal(rig: Rig, tally: Tally) -> None:
    verdict = verify(rig.journal)
    assert verdict.fault is None, verdict.fault
    tally.records, tally.torn = verdict.records, len(verdict.torn)
    tally.unended = verdict.unended


def check_whole_book(rig: Rig) -> None:
    """After all runs, when nothing can be on its way any more."""
    names = Counter(order.request.client_id for order in rig.gateway.book.orders())
    assert [name for name, count in names.items() if count > 1] == []


# Reading


def _claimed_orders(document: Any) -> set[str]:
    if isinstance(document, dict) and "permId" in document:
        return {str(document["permId"])}
    entries = document if isinstance(document, list) else []
    return {str(e["order_id"]) for e in entries if isinstance(e, dict) and "order_id" in e}


def _questions(outcome: Outcome) -> set[str]:
    entries = outcome.document if isinstance(outcome.document, list) else []
    return {str(e["id"]) for e in entries if isinstance(e, dict) and "messageIds" in e}


def _size(rig: Rig) -> int:
    return rig.journal.stat().st_size if rig.journal.exists() else 0


def _records_since(rig: Rig, before: _Before) -> list[dict[str, Any]]:
    if not rig.journal.exists():
        return []
    with rig.journal.open("rb") as file:
        file.seek(before.journal)
        lines = [_read(line.decode("utf-8", "replace")) for line in file]
    return [line for line in lines if isinstance(line, dict) and "event" in line]


def _count(rig: Rig, before: _Before, outcomes: Sequence[Outcome], tally: Tally) -> None:
    tally.runs += 1
    tally.calls += len(outcomes)
    tally.outcomes.update(outcome.kind for outcome in outcomes)
    tally.faults.update(fault.name.value for fault in rig.board.struck[before.struck :])
    tally.placements += rig.board.placements - before.placements
    tally.orders += len(rig.gateway.book.orders()) - before.orders
