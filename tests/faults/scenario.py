"""What happens in one run, drawn at random: an order, how often it is sent and by whom, what the
gateway does to it, and when runtimes are killed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from tests.examples.paper import AAPL
from tests.faults.rig import TIMEOUT

PLACEMENTS = "@POST /iserver/account/*/orders"
REPLIES = "@POST /iserver/reply/*"
LATE = TIMEOUT * 1.5
"""So late that the runtime has given up."""

SOON = TIMEOUT * 0.4
"""Late, and still in time."""

FAULTS = (
    "reset*{n}",
    "torn*{n}",
    "dropped*{n}",
    "malformed*{n}",
    f"slow*{{n}}={SOON:.2f}",
    f"slow*{{n}}={LATE:.2f}",
    f"late*{{n}}={SOON:.2f}",
    f"late*{{n}}={LATE:.2f}",
    "503*{n}",
    "429*{n}",
    "expired*1",
    "login-page*{n}",
    "login-redirect*{n}",
)


class Way(Enum):
    """How an order comes to the gateway."""

    REST = "the gateway's own call, as it comes"
    MCP = "the same as a tool"
    TRADING = "the trading API, which takes several calls for it"


class Moment(Enum):
    """When runtimes are killed."""

    SOON = "some milliseconds after the first call was sent"
    RECORDED = "once the journal has grown"
    RECEIVED = "once the gateway has got the order"
    PLACED = "once the order is in the gateway's book"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One caller's call: through which runtime, after how many seconds, and with which body. The
    caller hangs up after `patience` seconds, which does not end the call."""

    runtime: int
    way: Way
    delay: float
    orders: tuple[dict[str, Any], ...]
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    runtimes: tuple[int, ...]
    moment: Moment
    delay: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """`client_ids` are the orders' own ids. The `race` is sent at once, the `repetitions` one
    after the other when all of it is over and the gateway is whole again. The store that the
    runtimes share is gone from `state_lost` seconds after the beginning until the race is over."""

    client_ids: tuple[str, ...]
    faults: tuple[str, ...]
    race: tuple[Attempt, ...]
    kill: Kill | None
    repetitions: tuple[Attempt, ...]
    question: bool
    state_lost: float | None = None


def draw_scenario(name: str, runtimes: int, kills: bool) -> Scenario:
    """The same scenario for the same name, always."""
    chance = random.Random(name)
    question = chance.random() < 0.2
    orders = _orders(chance, name, question)
    usual = chance.choice((Way.REST, Way.REST, Way.MCP, Way.TRADING))
    race = tuple(
        _attempt(chance, runtimes, orders, usual, chance.choice((0.0, 0.0, chance.random() * 0.05)))
        for _ in range(chance.choice((1, 1, 2, 3, 4)))
    )
    kill = None
    if kills and chance.random() < 0.35:
        victims = (chance.randrange(runtimes),) if chance.random() < 0.7 else range(runtimes)
        kill = Kill(tuple(victims), chance.choice(list(Moment)), chance.random() * 0.03)
    return Scenario(
        client_ids=tuple(order["cOID"] for order in orders),
        faults=_faults(chance, question, bool(kill)),
        race=race,
        kill=kill,
        repetitions=tuple(
            replace(_attempt(chance, runtimes, orders, usual, 0.0), patience=None)
            for _ in range(chance.choice((1, 2)))
        ),
        question=question,
        state_lost=chance.random() * 0.1 if kills and chance.random() < 0.08 else None,
    )


def _orders(chance: random.Random, name: str, question: bool) -> tuple[dict[str, Any], ...]:
    entry = {
        "conid": AAPL,
        "side": "BUY",
        "orderType": "LMT",
        "quantity": chance.randrange(1, 10),
        "price": 225.5,
        "tif": "DAY",
        "cOID": name,
    }
    if question:
        del entry["price"]
        return ({**entry, "orderType": "MKT"},)
    if chance.random() < 0.8:
        return (entry,)
    leave = {**entry, "side": "SELL", "tif": "GTC", "parentId": name}
    return (entry, {**leave, "price": 240.5, "cOID": f"{name}-profit"})


def _faults(chance: random.Random, question: bool, kill: bool) -> tuple[str, ...]:
    """Some faults at the placement, and at the answer to its question. A call that takes its time
    is easier to kill in the middle."""
    drawn = [
        chance.choice(FAULTS).format(n=chance.choice((1, 1, 2))) + PLACEMENTS
        for _ in range(chance.choice((0, 1, 1, 1, 2)))
    ]
    if kill and chance.random() < 0.6:
        drawn.append(f"{chance.choice(('slow', 'late'))}*2={SOON:.2f}{PLACEMENTS}")
    if question and chance.random() < 0.6:
        drawn.append(chance.choice(FAULTS).format(n=1) + REPLIES)
    return tuple(drawn)


def _attempt(
    chance: random.Random,
    runtimes: int,
    orders: tuple[dict[str, Any], ...],
    usual: Way,
    delay: float,
) -> Attempt:
    """Mostly the order as it is; now and then spelt in another way, another order that uses the
    same id, or in another way."""
    spelling = chance.random()
    if spelling < 0.06:
        orders = tuple({**order, "quantity": order["quantity"] + 1} for order in orders)
    elif spelling < 0.12:
        orders = tuple(dict(reversed(order.items())) for order in orders)
    elif spelling < 0.15:
        orders = orders[:1]
    way = chance.choice(list(Way)) if chance.random() < 0.1 else usual
    patience = 0.01 + chance.random() * TIMEOUT if chance.random() < 0.08 else None
    return Attempt(chance.randrange(runtimes), way, delay, orders, patience)
