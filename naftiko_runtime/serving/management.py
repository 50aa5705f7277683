"""The process as its control ports see it and move it."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final

import naftiko_runtime
from naftiko_runtime.exposes.control.management import AdapterState, Reloaded, Validation
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.problems import Problem, in_file_order
from naftiko_runtime.serving.adapter_states import adapter_states
from naftiko_runtime.serving.collection import Collection, load_collection
from naftiko_runtime.serving.effective_config import describe_config
from naftiko_runtime.serving.log_stream import LogHub
from naftiko_runtime.serving.service import Applied
from naftiko_runtime.serving.settings import ServeSettings
from naftiko_runtime.serving.sources import Sources
from naftiko_runtime.serving.tables import build_tables
from naftiko_runtime.telemetry.recorder import Telemetry

_LOOKS: Final = 20
_PAUSE_SECONDS: Final = 0.1
"""A reload waits this often and this long for files that are still being written."""


class ProcessManagement:
    """Implements `Management` for the process that owns it and tells it of each change."""

    def __init__(
        self,
        settings: ServeSettings,
        sources: Sources,
        telemetry: Telemetry,
        changed: Callable[[Collection, Collection], Awaitable[None]],
        sessions: Callable[[], Sequence[JsonValue]] = list,
    ) -> None:
        """`changed` takes a new collection over, as for changes that are noticed; `sessions`
        describes those that are kept open."""
        self.telemetry = telemetry
        self.logs = LogHub()
        self._settings = settings
        self._sources = sources
        self._changed = changed
        self._sessions = sessions
        self._started = time.time()
        self._states: Callable[[], tuple[AdapterState, ...]] = tuple
        self._problems: Callable[[], tuple[Problem, ...]] = tuple
        self._validation: asyncio.Task[Validation] | None = None

    def note(self, collection: Collection, applied: Applied, problems: Sequence[Problem]) -> None:
        """Says what is being served from now on, and what is wrong with it. It is put together
        when somebody asks: few do, and calls would wait for it at each reload."""
        self._states = cache(lambda: adapter_states(collection.plans, applied.ports))
        self._problems = cache(lambda: tuple(in_file_order(problems)))

    def adapters(self) -> Sequence[AdapterState]:
        return self._states()

    def status(self, file: str) -> dict[str, JsonValue]:
        started = datetime.fromtimestamp(self._started, UTC).isoformat(timespec="seconds")
        capabilities: list[JsonValue] = [
            {
                "label": file.plan.label,
                "file": str(path),
                "state": "KEPT" if file.kept else "SERVED",
            }
            for path, file in self._sources.current.files.items()
            if file.plan is not None
        ]
        plans = self._sources.current.plans
        return {
            "capability": next((plan.label for plan in plans if plan.file == file), None),
            "capabilities": capabilities,
            "engine": {
                "name": "naftiko-runtime",
                "version": naftiko_runtime.__version__,
                "python": platform.python_version(),
            },
            "sessions": [*self._sessions()],
            "startedAt": started.replace("+00:00", "Z"),
            "uptimeSeconds": round(time.time() - self._started, 1),
        }

    def config(self) -> dict[str, JsonValue]:
        return describe_config(self._settings, self._sources.current)

    async def validate(self) -> Validation:
        """Callers who ask at the same time share one answer: it takes time and work to find."""
        if self._validation is None or self._validation.done():
            self._validation = asyncio.create_task(asyncio.to_thread(self._validate))
        return await asyncio.shield(self._validation)

    def _validate(self) -> Validation:
        collection = load_collection(self._settings.sources)
        _, problems = build_tables(collection.plans, self._settings.ports)
        found = in_file_order([*collection.all_problems, *problems])
        return Validation(len(collection.files), tuple(found))

    async def reload(self) -> Reloaded:
        before = self._sources.current
        for _ in range(_LOOKS):
            if not await self._sources.look(self._changed):
                break
            await asyncio.sleep(_PAUSE_SECONDS)
        now = self._sources.current
        renewed = [f for path, f in now.files.items() if f is not before.files.get(path)]
        return Reloaded(
            tuple(str(file.path) for file in renewed if not file.kept),
            tuple(str(path) for path in before.files if path not in now.files),
            tuple(str(file.path) for file in now.files.values() if file.kept),
            self._problems(),
        )
