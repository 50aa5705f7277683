"""What the approval page shows and does, out of what the guards of the process work by."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from naftiko_runtime.guards.approval import Decision, ParkedCall
from naftiko_runtime.guards.approvals import Approvals
from naftiko_runtime.guards.halting import Halt
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.serving.halt_file import create_halt_file, remove_halt_file
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.store import StateStore

_LOOK: Final = 0.25
"""Seconds between two looks at a call that somebody is deciding about."""


@dataclass(frozen=True, slots=True)
class StoredDecisions:
    """Implements `Decisions` over a store; `halt_file` is the one that `halt` looks for.

    To halt makes the file, which outlives the process, and marks the store where others share it;
    to lift takes back both.
    """

    store: StateStore
    approvals: Approvals
    switch: Halt
    halt_file: Path | None

    async def now(self) -> float:
        return await self.store.now()

    async def pending(self) -> list[ParkedCall]:
        return await self.approvals.pending()

    async def get(self, id_: str) -> ParkedCall | None:
        return await self.approvals.get(id_)

    async def decide(self, id_: str, approve: bool, by: str) -> bool:
        return await self.approvals.decide(id_, approve, by)

    async def decided(self, id_: str) -> None:
        """Returns once the call is approved, refused or forgotten."""
        while True:
            call = await self.get(id_)
            if call is None or call.decision is not Decision.OPEN:
                return
            await asyncio.sleep(_LOOK)

    async def is_halted(self) -> bool:
        return await self.switch.reason() is not None

    async def halt(self, on: bool, by: str) -> None:
        if on:
            if self.halt_file is not None:
                await asyncio.to_thread(create_halt_file, self.halt_file, by)
            if self.halt_file is None or not isinstance(self.store, MemoryStore):
                await self.switch.halt(by)
            return
        if self.halt_file is not None:
            await asyncio.to_thread(remove_halt_file, self.halt_file)
        await self.switch.lift()
