"""Halts what is served from files, whether anything runs or not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from naftiko_runtime.binds.environment import read_env_file
from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.guards.halting import Halt
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.serving.halt_file import create_halt_file, remove_halt_file
from naftiko_runtime.serving.operator_settings import load_settings
from naftiko_runtime.serving.settings import SourceSettings
from naftiko_runtime.settings.model import IN_MEMORY
from naftiko_runtime.settings.reader import HALT_FILE
from naftiko_runtime.state.addresses import StateAddressError
from naftiko_runtime.state.opening import open_store
from naftiko_runtime.state.store import StateUnavailable


class HaltError(Exception):
    """The switch cannot be found or turned; the message says what holds all the same."""


@dataclass(frozen=True, slots=True)
class Halting:
    """The switch: a file, and a mark in the state that processes share, unless it is in memory.
    `doubt` says why it may not be the right one."""

    file: Path
    state: Secret = IN_MEMORY
    doubt: str = ""

    def halt(self, by: str) -> bool:
        """False when the file was there already. Raises HaltError."""
        try:
            is_new = create_halt_file(self.file, by)
        except OSError as error:
            reason = error.strerror or error
            raise HaltError(f'"{self.file}" cannot be made: {reason} - stop the process') from None
        self._mark(by)
        return is_new

    def lift(self) -> bool:
        """False when there was no file. Raises HaltError."""
        try:
            was_there = remove_halt_file(self.file)
        except OSError as error:
            reason = error.strerror or error
            raise HaltError(f'"{self.file}" cannot be removed: {reason}') from None
        self._mark(None)
        return was_there

    def _mark(self, by: str | None) -> None:
        if self.state == IN_MEMORY:
            return
        try:
            asyncio.run(self._mark_store(by))
        except (StateAddressError, StateUnavailable) as error:
            what = "the file was made" if by else "the file is gone"
            message = f"{what}, but processes that share their state were not told: {error}"
            raise HaltError(message) from None

    async def _mark_store(self, by: str | None) -> None:
        store = open_store(self.state)
        try:
            switch = Halt(None, store)
            await (switch.lift() if by is None else switch.halt(by))
        finally:
            await store.aclose()


def find_halting(sources: SourceSettings) -> Halting:
    """The switch of what is served from there. Raises HaltError."""
    for path in sources.paths:
        if not path.exists():
            raise HaltError(f'there is no "{path}" - name what is served: naftiko halt PATH')
    variables = dict(os.environ)
    if sources.env_file is not None:
        variables = read_env_file(sources.env_file)[0] | variables
    version, _ = load_settings(sources.paths, sources.settings, variables, None)
    settings = version.settings
    if settings is None and version.file is not None:
        # In an emergency nobody has the time to mend a file
        doubt = (
            f"{version.file} is broken, so this is the usual file; a process that was told of "
            "another one, or that shares its state, has to be halted by its page or stopped"
        )
        return Halting(version.file.absolute().parent / HALT_FILE, doubt=doubt)
    if settings is None or settings.halt is None:
        raise HaltError("; ".join(str(problem) for problem in version.problems))
    return Halting(settings.halt, settings.state)
