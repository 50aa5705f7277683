"""Orders are placed once and recorded always, whatever breaks and whoever is killed.

Some runs are drawn at random; FAULT_RUNS says how many, and FAULT_SEED draws other ones.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.rig import opened_rig
from tests.faults.runs import Tally, check_whole_book, check_whole_journal, play
from tests.faults.scenario import draw_scenario
from tests.redis_server import RedisServer

RUNS = int(os.environ.get("FAULT_RUNS", "60"))
SEED = os.environ.get("FAULT_SEED", "1")
_SECONDS_PER_RUN = 20


async def _play_all(folder: Path, redis: RedisServer | None, runtimes: int, runs: int) -> Tally:
    tally = Tally()
    async with opened_rig(folder, runtimes, redis) as rig:
        for number in range(runs):
            name = f"order-{SEED}-{runtimes}-{number}"
            scenario = draw_scenario(name, runtimes, kills=redis is not None)
            try:
                await play(rig, scenario, tally)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}\n{scenario}") from error
        check_whole_book(rig)
        check_whole_journal(rig, tally)
    print(f"\n{tally}")
    return tally


@pytest.mark.anyio
@pytest.mark.timeout(60 + RUNS * _SECONDS_PER_RUN)
async def test_one_runtime_that_keeps_its_state_in_memory(tmp_path: Path) -> None:
    tally = await _play_all(tmp_path, None, 1, RUNS // 3)
    assert tally.orders >= tally.runs // 3
    assert tally.outcomes["an order"] >= tally.runs // 3
    assert tally.unended == 0


@pytest.mark.anyio
@pytest.mark.timeout(60 + RUNS * _SECONDS_PER_RUN)
async def test_two_runtimes_that_share_redis_and_are_killed(tmp_path: Path) -> None:
    with RedisServer(tmp_path, keeps=True) as redis:
        tally = await _play_all(tmp_path, redis, 2, RUNS - RUNS // 3)
    assert tally.orders >= tally.runs // 3
    assert tally.kills >= tally.runs // 8
