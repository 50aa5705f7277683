"""The journal that calls wait for: one thread writes for all of them, many records at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from naftiko_runtime.audit.journal import AuditUnavailable
from naftiko_runtime.audit.journal_file import JournalFile
from naftiko_runtime.audit.records import Draft, draft_begin, draft_end, draft_refused
from naftiko_runtime.json_codec import JsonError
from naftiko_runtime.json_values import JsonValue


class FileJournal:
    """A Journal on the disk; `aclose` writes what is waiting and ends its thread. What comes while
    the disk is busy is written together, with one flush for all."""

    def __init__(self, path: Path) -> None:
        self._file = JournalFile(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._waiting: list[tuple[Draft, asyncio.Future[int]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def recover(self) -> str | None:
        """Opens the journal; what there is to say about its last end. Raises AuditUnavailable."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._file.recover)

    async def begin(self, entry: Mapping[str, JsonValue]) -> int:
        try:
            draft = draft_begin(entry)
        except JsonError as error:
            raise AuditUnavailable(f"the call cannot be written as JSON: {error}") from error
        return await self._record(draft)

    async def end(self, number: int, entry: Mapping[str, JsonValue]) -> None:
        try:
            draft = draft_end(number, entry)
        except JsonError as error:
            raise AuditUnavailable(f"the outcome cannot be written as JSON: {error}") from error
        await self._record(draft)

    async def refused(self, entry: Mapping[str, JsonValue]) -> None:
        try:
            draft = draft_refused(entry)
        except JsonError as error:
            raise AuditUnavailable(f"the call cannot be written as JSON: {error}") from error
        await self._record(draft)

    async def aclose(self) -> None:
        while self._writer is not None:
            await asyncio.wait([self._writer])
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._file.close)
        self._thread.shutdown(wait=False)

    async def _record(self, draft: Draft) -> int:
        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((draft, number))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await number

    async def _write_all(self) -> None:
        """Until nothing waits any more. A caller who has gone does not keep its record from being
        written: the call may have been sent already."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                drafts = [draft for draft, _ in taken]
                try:
                    numbers = await loop.run_in_executor(self._thread, self._file.append, drafts)
                except Exception as error:
                    fault: Exception = error
                    if not isinstance(error, AuditUnavailable):
                        fault = AuditUnavailable(f"the journal cannot be written: {error}")
                    for _, waiting in taken:
                        if not waiting.done():
                            waiting.set_exception(fault)
                else:
                    for (_, waiting), number in zip(taken, numbers, strict=True):
                        if not waiting.done():
                            waiting.set_result(number)
        finally:
            self._writer = None
