"""A change that could not be taken over is not forgotten until the next edit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from naftiko_runtime.serving import sources
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.settings import SourceSettings
from naftiko_runtime.serving.sources import Sources
from tests.capability_text import capability

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("is_reverted", [False, True])
async def test_a_change_that_failed_is_told_of_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_reverted: bool
) -> None:
    monkeypatch.setattr(sources, "RETRY_SECONDS", 0.0)
    (tmp_path / "orders.yaml").write_text(capability("orders", "https://api.example.com"))
    settings = tmp_path / "runtime.yaml"
    settings.write_text("upstreams: {orders: {pool: 1}}\n")
    told: list[tuple[Collection, Collection]] = []
    fails = True

    async def changed(before: Collection, now: Collection) -> None:
        told.append((before, now))
        if fails:
            raise RuntimeError("the state cannot be reached")

    followed = Sources(SourceSettings((tmp_path,)))
    first = await followed.load()

    async def look_until_told(times: int) -> None:
        for _ in range(1000):
            if len(told) >= times:
                return
            try:
                await followed.look(changed)
            except RuntimeError:
                continue
            await asyncio.sleep(0.01)  # a file that has just been written is looked at again
        raise AssertionError("the change was not told of again")

    settings.write_text("upstreams: {orders: {pool: 2}}\n")
    await look_until_told(2)
    assert all(before is first for before, _ in told)
    fails = False
    if is_reverted:  # what was taken over of it has to be taken back
        settings.write_text("upstreams: {orders: {pool: 1}}\n")
    count = len(told)
    await look_until_told(count + 1)
    assert told[-1][0] is first
    await followed.look(changed)
    assert len(told) == count + 1
