"""The store of a single process keeps the contract of all stores, and does not grow for ever."""

from __future__ import annotations

import time

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.store import StateStore
from tests.state.contract import StoreMachine


class MemoryMachine(StoreMachine):
    def open(self) -> StateStore:
        return MemoryStore(lambda: self.time)

    @rule(seconds=st.sampled_from((0.5, 3599.5, 3600.0, 43200.0, 90000.0)))
    def pass_time(self, seconds: float) -> None:
        self.time += seconds


TestMemoryStore = MemoryMachine.TestCase
TestMemoryStore.settings = settings(max_examples=60, stateful_step_count=40)


@pytest.mark.anyio
async def test_the_clock_is_the_time_since_1970() -> None:
    before = time.time()
    now = await MemoryStore().now()
    assert abs(now - before) < 60


@pytest.mark.anyio
async def test_values_that_nobody_asks_for_any_more_take_no_memory() -> None:
    store = MemoryStore(lambda: now)
    for now in range(5000):
        assert await store.replace(f"idempotency/{now}", None, bytes(1000), 10)
        assert await store.replace(f"idempotency/{now}", bytes(1000), b"settled", 20)
    assert len(store._values) <= 20
    assert len(store._ends) <= 200


@pytest.mark.anyio
async def test_a_key_that_is_replaced_again_and_again_takes_the_place_of_one() -> None:
    store = MemoryStore(lambda: 0.0)
    value = None
    for number in range(1000):
        following = str(number).encode()
        assert await store.replace("halt", value, following, 3600)
        value = following
    assert len(store._ends) <= 100
