"""When the watcher of the files says that something has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from naftiko_runtime.serving import reload


@pytest.mark.anyio
async def test_files_are_looked_at_where_no_notifications_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused(*_: object) -> AsyncGenerator[frozenset[str]]:
        raise OSError(24, "too many watchers")
        yield frozenset()

    looks: list[frozenset[Path] | None] = []
    enough = asyncio.Event()

    async def look(notified: frozenset[Path] | None) -> None:
        looks.append(notified)
        if len(looks) == 3:
            enough.set()

    monkeypatch.setattr(reload, "_notifications", refused)
    monkeypatch.setattr(reload, "_LOOK_MILLISECONDS", 1)
    with caplog.at_level(logging.WARNING):
        watching = asyncio.create_task(reload.watch(lambda: [tmp_path], look))
        async with asyncio.timeout(20):
            await enough.wait()
        watching.cancel()
    assert set(looks) == {None}
    (warning,) = caplog.records
    assert "too many watchers" in warning.getMessage()
