"""The journal of a process: the one that the operator's settings name."""

from __future__ import annotations

import logging
from pathlib import Path

from naftiko_runtime.audit.file_journal import FileJournal
from naftiko_runtime.audit.journal import AuditUnavailable, Journal
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.logs import log_event


class Journals:
    """A SettingsListener; `current` is None where nothing is recorded. Calls end in the journal in
    which they began, so that each one stays open until `aclose`."""

    def __init__(self) -> None:
        self._opened: dict[Path, FileJournal] = {}
        self.current: Journal | None = None

    async def adopt(self, collection: Collection) -> list[Problem]:
        """Records where the settings say from now on. Says so where that cannot be done: calls
        that could change something are refused until it can."""
        path = collection.settings.audit
        if path is None:
            self.current = None
            return []
        known = self._opened.get(path)
        self.current = known or await self._open(path)
        return []

    async def aclose(self) -> None:
        for journal in self._opened.values():
            await journal.aclose()
        self._opened.clear()

    async def _open(self, path: Path) -> Journal:
        journal = self._opened[path] = FileJournal(path)
        try:
            torn = await journal.recover()
        except AuditUnavailable as error:
            message = f"calls that could change something are refused: {error}"
            log_event(logging.ERROR, "audit-unavailable", message)
        else:
            if torn is not None:
                log_event(logging.WARNING, "audit-torn", torn)
        return journal
