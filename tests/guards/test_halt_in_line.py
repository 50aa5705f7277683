"""The kill switch, for calls that wait for their turn at an upstream."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from naftiko_runtime.settings.model import (
    GuardRule,
    Idempotency,
    Pacing,
    RuntimeSettings,
    UpstreamRule,
)
from naftiko_runtime.state.memory import MemoryStore
from tests.guards.shop import Shop, problem, shop
from tests.served_files import SECONDS, Answered

SLOW = UpstreamRule("*", pacing=Pacing(rate=0.5, burst=1, wait=SECONDS))
KEYED = GuardRule(("*",), idempotency=Idempotency("$.body.orders[*].id"))


def bought(shopping: Shop) -> Answered:
    return shopping.buy(id="second")


def passed_on(shopping: Shop) -> Answered:
    return shopping.files.post("/raw/accounts/A1/orders", {})


def wait_until_recorded(shopping: Shop, count: int) -> None:
    until = time.monotonic() + SECONDS
    while len(shopping.journal.begun) < count:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("order", [bought, passed_on])
def test_a_call_that_waits_for_its_turn_is_not_sent_once_all_is_halted(
    order: Callable[[Shop], Answered], tmp_path: Path
) -> None:
    halt = tmp_path / "HALT"
    with shop(upstreams=(SLOW,), halt=halt) as shopping, ThreadPoolExecutor(1) as pool:
        assert shopping.buy().status == 200
        waiting = pool.submit(order, shopping)
        wait_until_recorded(shopping, 2)
        halt.touch()
        assert problem(waiting.result()) == (503, "halted")
        assert len(shopping.writes) == 1


def test_the_switch_is_the_one_of_the_latest_settings(tmp_path: Path) -> None:
    before, after = tmp_path / "BEFORE", tmp_path / "AFTER"
    with shop(upstreams=(SLOW,), halt=before) as shopping, ThreadPoolExecutor(1) as pool:
        assert shopping.buy().status == 200
        waiting = pool.submit(bought, shopping)
        wait_until_recorded(shopping, 2)
        settings = RuntimeSettings(upstreams=(SLOW,), halt=after)
        shopping.files.guards.adopt(settings, (), MemoryStore(), None)
        after.touch()
        assert problem(waiting.result()) == (503, "halted")
        assert len(shopping.writes) == 1


def test_a_key_is_free_again_when_the_halt_came_first(tmp_path: Path) -> None:
    halt = tmp_path / "HALT"
    with shop(KEYED, upstreams=(SLOW,), halt=halt) as shopping, ThreadPoolExecutor(1) as pool:
        assert shopping.buy().status == 200
        waiting = pool.submit(bought, shopping)
        wait_until_recorded(shopping, 2)
        halt.touch()
        assert problem(waiting.result()) == (503, "halted")
        halt.unlink()
        assert bought(shopping).status == 200
        assert len(shopping.writes) == 2
        assert shopping.journal.ended[1]["executed"] is False
