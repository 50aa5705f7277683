"""Changing files while many callers are at work: no call fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client

from tests.serving_process import Serving, serve

Drop = Callable[..., Path]

CALLERS = 8
RELOADS = 25


class Progress:
    """Counts what has succeeded."""

    def __init__(self) -> None:
        self.count = 0

    async def go_on(self) -> None:
        """Waits until something more has succeeded."""
        before = self.count
        with anyio.fail_after(60):
            while self.count == before:
                await anyio.sleep(0.005)


async def seen(serving: Serving, event: str, count: int) -> None:
    await anyio.to_thread.run_sync(partial(serving.wait_for_event, event, count))


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["in place", "atomically", "removed and written again"])
async def test_no_call_fails_while_files_change(folder: Path, drop: Drop, way: str) -> None:
    steady = drop("orders", "live")
    good = steady.read_text()
    statuses: Counter[int] = Counter()
    calls = Progress()
    finished = asyncio.Event()

    def change(number: int) -> None:
        text = good + f"# version {number}\n"
        if way == "atomically":
            (folder / ".new").write_text(text)
            (folder / ".new").replace(steady)
            return
        if way == "removed and written again":
            steady.unlink()
        steady.write_text(text)

    with serve(folder) as serving:
        url = serving.rest() + "/orders/live"

        async def call() -> None:
            async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
                while not finished.is_set():
                    statuses[(await client.get(url)).status_code] += 1
                    calls.count += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(CALLERS):
                tasks.create_task(call())
            for number in range(1, RELOADS + 1):
                change(number)
                await seen(serving, "changed", number)
                await calls.go_on()
            finished.set()
        assert serving.events_of("removed") == []
    assert set(statuses) == {200}


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_no_tool_call_fails_while_files_come_and_go(
    folder: Path, drop: Drop, mode: str
) -> None:
    drop("orders", "live")
    finished = asyncio.Event()
    calls = Progress()

    with serve(folder) as serving:

        async def call() -> None:
            async with Client(serving.mcp(), mode=mode) as client:
                while not finished.is_set():
                    result = await client.call_tool("orders-live", {})
                    assert not result.is_error
                    calls.count += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(call())
            for count in range(1, 6):
                path = drop("accounts", "list")
                await seen(serving, "added", count)
                await calls.go_on()
                path.unlink()
                await seen(serving, "removed", count)
                await calls.go_on()
            finished.set()
