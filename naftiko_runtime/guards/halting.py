"""The switch that stops every change: a file, or a mark in the state that processes share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from naftiko_runtime.state.store import StateStore

_KEY: Final = "halt"
_FOR_GOOD: Final = 10 * 365 * 86400.0


class Halt:
    """Looked at before each request that can change something, so that it works at once. `file`
    is the one whose existence halts this process, None for none."""

    def __init__(self, file: Path | None, store: StateStore) -> None:
        self._file = None if file is None else str(file)
        self._store = store

    async def reason(self) -> str | None:
        """Why nothing may be changed, in words for callers; None where it may. Raises
        StateUnavailable: then nobody knows."""
        try:
            if self._file is not None and os.lstat(self._file):
                return "the operator has halted all changes, with a file"
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:  # a folder that may not be looked into may hold it
            return f"whether the operator has halted all changes is unknown ({error.strerror})"
        by = await self._store.get(_KEY)
        return None if by is None else "the operator has halted all changes"

    async def halt(self, by: str) -> None:
        """Halts all processes that share the state. Raises StateUnavailable."""
        await self._store.replace(_KEY, None, by.encode() or b"?", _FOR_GOOD)

    async def lift(self) -> None:
        """Takes the mark back; a file that halts stays. Raises StateUnavailable."""
        while (held := await self._store.get(_KEY)) is not None:
            await self._store.replace(_KEY, held, None, 0)
