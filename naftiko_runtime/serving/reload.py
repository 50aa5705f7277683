"""Notices that something in the served folders has changed.

The operating system's notifications come first; twice a second the folders are looked at besides,
since some file systems send none, and a folder that was removed and made again is watched no
longer. Whoever is told looks at the contents: a notification is only a reason to look.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from naftiko_runtime.serving import inotify
from naftiko_runtime.serving.discovery import SUFFIXES
from naftiko_runtime.serving.logs import log_event

_LOOK_MILLISECONDS = 500
_QUIET_MILLISECONDS = 2
_LONGEST_MILLISECONDS = 250
"""Elsewhere than on Linux, which tells when a file has been written to its end, a change is
reported once nothing has happened for the quiet time, or after the longest."""

_Folders = frozenset[tuple[str, int]]
"""Folders by path and inode: one that was replaced is another folder."""


async def watch(
    targets: Callable[[], Iterable[Path]],
    changed: Callable[[frozenset[Path] | None], Awaitable[None]],
) -> None:
    """Calls `changed` after notifications, and regularly besides; ends when it is cancelled. It is
    told what there were notifications of, by absolute paths, or None where anything may have
    changed.

    `targets` is asked again after each change: folders, and files, existing or not.
    """
    warned = False
    while True:
        folders = await asyncio.to_thread(_folders, targets())
        try:
            async with contextlib.aclosing(_wake_ups(folders, targets())) as wake_ups:
                async for notified in wake_ups:
                    await changed(notified or None)
                    if await asyncio.to_thread(_folders, targets()) != folders:
                        break
        except OSError as error:
            message = f"changes are looked for twice a second only, not noticed at once: {error}"
            if not warned:
                log_event(logging.WARNING, "watch", message)
            warned = True
            await asyncio.sleep(_LOOK_MILLISECONDS / 1000)
            await changed(None)


async def _wake_ups(folders: _Folders, targets: Iterable[Path]) -> AsyncGenerator[frozenset[Path]]:
    """The paths after notifications, none when it is time to look anyway."""
    if not folders:
        while True:
            await asyncio.sleep(_LOOK_MILLISECONDS / 1000)
            yield frozenset()
    paths = sorted(path for path, _ in folders)
    async with contextlib.aclosing(_notifications(paths, _filter_for(targets))) as notifications:
        async for notified in notifications:
            yield frozenset(Path(path) for path in notified)


def _notifications(
    folders: Sequence[str], matters: Callable[[str], bool]
) -> AsyncGenerator[frozenset[str]]:
    if sys.platform == "linux" and "WATCHFILES_FORCE_POLLING" not in os.environ:
        return inotify.notifications(folders, matters, _LOOK_MILLISECONDS / 1000)
    return _from_watchfiles(folders, matters)


async def _from_watchfiles(
    folders: Sequence[str], matters: Callable[[str], bool]
) -> AsyncGenerator[frozenset[str]]:
    from watchfiles import awatch  # which takes a while to load

    notifications = awatch(
        *folders,
        watch_filter=lambda _, path: matters(path),
        debounce=_LONGEST_MILLISECONDS,
        step=_QUIET_MILLISECONDS,
        rust_timeout=_LOOK_MILLISECONDS,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    async with contextlib.aclosing(notifications) as changes:
        async for change in changes:
            yield frozenset(path for _, path in change)


def _filter_for(targets: Iterable[Path]) -> Callable[[str], bool]:
    """Which notifications are worth a look: a log that grows in a served folder is not."""
    names = frozenset(target.name for target in targets)

    def matters(path: str) -> bool:
        name = os.path.basename(path)  # noqa: PTH119 - called for every event of a busy folder
        capability = name.lower().endswith(SUFFIXES)
        return capability or name in names or name.startswith("..") or Path(path).is_dir()

    return matters


def _folders(targets: Iterable[Path]) -> _Folders:
    """The existing folders among the targets, and those that hold the target files."""
    found = set()
    for target in targets:
        with contextlib.suppress(OSError):
            folder = target if target.is_dir() else target.parent
            found.add((str(folder), folder.stat().st_ino))
    return frozenset(found)
