"""The capability files of a process, kept up to date."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from naftiko_runtime.serving.collection import Collection, load_collection
from naftiko_runtime.serving.logs import LOGGER
from naftiko_runtime.serving.operator_settings import candidates
from naftiko_runtime.serving.reload import watch
from naftiko_runtime.serving.settings import SourceSettings

_SECOND_LOOK_SECONDS = 0.1
"""How long a file may be missing while an editor puts another one in its place."""

RETRY_SECONDS = 1.0
"""When a change is told of again that could not be taken over; each time after twice as long."""
_LONGEST_RETRY_SECONDS = 60.0


Prepare: TypeAlias = Callable[[Collection], None]


def _load_first(settings: SourceSettings, prepare: Prepare) -> Collection:
    """Loads with Python's collector of cycles at rest. It would look at all that is loaded again
    and again, in as much time as loading takes; once is enough, as most of it stays. The modules
    stay as well, and are not looked at even once: there is no garbage in them worth the time."""
    gc.disable()
    gc.freeze()
    try:
        collection = load_collection(settings)
        prepare(collection)
        return collection
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


class Sources:
    """Owns the current collection. Loading goes on in a thread, so that calls do as well."""

    def __init__(self, settings: SourceSettings, prepare: Prepare = lambda _: None) -> None:
        """`prepare` gets each new collection in that thread, before anybody is told of it: under
        load, each change of threads costs milliseconds."""
        self._settings = settings
        self._prepare = prepare
        self._looking = asyncio.Lock()
        self.current: Collection
        self._taken: Collection
        self._failed = 0
        self._next_try = 0.0

    async def load(self) -> Collection:
        """The first collection; to be called before `follow`."""
        self.current = self._taken = await asyncio.to_thread(
            _load_first, self._settings, self._prepare
        )
        return self.current

    async def follow(self, changed: Callable[[Collection, Collection], Awaitable[None]]) -> None:
        """Tells of each change, with the collections before and after it, until cancelled.

        Whatever goes wrong with a change is logged, and it is told of again after a while, or with
        the next one.
        """

        async def look(notified: frozenset[Path] | None) -> None:
            try:
                await self.look(changed, notified)
            except Exception:
                LOGGER.exception("the change was not taken over; what is served goes on")

        try:
            await watch(self._targets, look)
        except Exception:
            LOGGER.exception("the files are not followed any more; what is served goes on")

    async def look(
        self,
        changed: Callable[[Collection, Collection], Awaitable[None]],
        notified: frozenset[Path] | None = None,
    ) -> bool:
        """Looks at the files now, or at those that are `notified`, and tells of a change; one
        caller at a time, the others wait. True when something is just being written, and worth
        another look soon. A change that could not be taken over is told of again."""
        async with self._looking:
            before, self.current = self.current, await self._renewed(notified)
            if self.current.differs_from(before):
                self._failed, self._next_try = min(self._failed, 1), 0.0
            elif not self._failed or time.monotonic() < self._next_try:
                return self.current.unsettled
            try:
                await changed(self._taken, self.current)
            except Exception:
                pause = min(RETRY_SECONDS * 2**self._failed, _LONGEST_RETRY_SECONDS)
                self._next_try = time.monotonic() + pause
                self._failed += 1
                raise
            self._taken, self._failed = self.current, 0
            return self.current.unsettled

    async def _renewed(self, notified: frozenset[Path] | None) -> Collection:
        now = await asyncio.to_thread(self._load_again, notified)
        if now is None:
            await asyncio.sleep(_SECOND_LOOK_SECONDS)
            now = await asyncio.to_thread(self._load_again, None, is_final=True)
        assert now is not None, "a final look does not put off"
        return now

    def _load_again(
        self, notified: frozenset[Path] | None, *, is_final: bool = False
    ) -> Collection | None:
        """None where something is missing that may be there again soon, unless `is_final`."""
        before = self.current
        now = load_collection(self._settings, before, notified)
        lacks = _lacks_files(now, before) or now.operator.kept > before.operator.kept
        if lacks and not is_final:
            return None
        if now.differs_from(before):
            self._prepare(now)
        return now

    def _targets(self) -> set[Path]:
        more = [self._settings.env_file] if self._settings.env_file else []
        more += candidates(self._settings.paths, self._settings.settings)
        return {*self._settings.paths, *more, *self.current.watched}


def _lacks_files(now: Collection, before: Collection) -> bool:
    """Whether something is not there any more that was served."""
    if list(now.files) == list(before.files):
        return False
    return any(file.plan and path not in now.files for path, file in before.files.items())
