"""One journal on the disk, to which several processes may append.

All methods wait for the disk and belong into one thread. Nothing that has been written is ever
changed or cut off: what a crash left unfinished stays, and the chain goes on with a record of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from naftiko_runtime.audit.head import (
    BrokenHead,
    Head,
    create_head,
    head_path,
    read_head,
    write_head,
)
from naftiko_runtime.audit.journal import AuditUnavailable
from naftiko_runtime.audit.locking import locked
from naftiko_runtime.audit.records import TORN_MARK, Draft, draft_torn, read_record, seal
from naftiko_runtime.lazy_dataclasses import dataclass

_CHUNK: Final = 65536
_REMEDY: Final = (
    'see what "naftiko audit verify" says of it, then put back what is missing, or move it and its'
    " head file away to begin a new journal"
)


@dataclass(frozen=True, slots=True)
class _End:
    """Where the chain ends: the last record, and what stands behind it without being one."""

    size: int
    head: Head
    left: bytes = b""


class JournalFile:
    """`close` lets go of the file; the next append opens it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._end: _End | None = None

    def recover(self) -> str | None:
        """Opens the journal and lets the chain go on behind what a crash left unfinished; says so
        if that was needed. Raises AuditUnavailable."""
        with self._available(), self._locked() as file:
            end = self._find_end(file)
            if not end.left:
                return None
            self._append(file, end, [])
            return (
                f'the journal "{self._path}" ended with {len(end.left)} bytes of an unfinished'
                f" record, of a call that was not made; record {end.head.records + 1} says so"
            )

    def append(self, drafts: Sequence[Draft]) -> list[int]:
        """The numbers of the records, once all of them are on the disk. Raises AuditUnavailable:
        then none of them counts, though some may be there."""
        with self._available(), self._locked() as file:
            return self._append(file, self._find_end(file), drafts)

    def close(self) -> None:
        file, self._file, self._end = self._file, None, None
        if file is not None:
            with suppress(OSError):
                os.close(file)

    def _append(self, file: int, end: _End, drafts: Sequence[Draft]) -> list[int]:
        torn = [draft_torn(end.left)] if end.left else []
        lines = [TORN_MARK] if end.left else []
        number, previous = end.head.records, end.head.hash
        for draft in (*torn, *drafts):
            number += 1
            line, previous = seal(draft, number, previous)
            lines.append(line)
        data = b"".join(lines)
        self._end = None
        _write(file, data)
        os.fsync(file)
        head = Head(number, previous)
        write_head(self._path, head)
        self._end = _End(end.size + len(data), head)
        return list(range(number - len(drafts) + 1, number + 1))

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except (OSError, BrokenHead) as error:
            self.close()
            reason = error.strerror if isinstance(error, OSError) else None
            raise AuditUnavailable(
                f'the journal "{self._path}" cannot be written: {reason or error}'
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file, opened and locked, as long as it is the one that the path leads to: it may
        have been moved away since it was opened."""
        while True:
            file = self._open()
            with locked(file):
                if _is_same(file, self._path):
                    yield file
                    return
            self.close()

    def _open(self) -> int:
        if self._file is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.open(self._path, flags, 0o600)
            self._end = None
        return self._file

    def _find_end(self, file: int) -> _End:
        size = os.fstat(file).st_size
        if self._end is not None and self._end.size == size:
            return self._end
        noted = read_head(self._path)
        if noted is None and size == 0:
            create_head(self._path)
            _flush_folder(self._path.parent)
            noted = Head()
        if noted is None:
            raise AuditUnavailable(f'"{head_path(self._path)}" is missing - {_REMEDY}')
        end = _read_end(file, size)
        if end.head.records < noted.records:
            raise AuditUnavailable(
                f'the journal "{self._path}" ends with record {end.head.records}, and there have'
                f" been {noted.records} - {_REMEDY}"
            )
        if end.head.records == noted.records and end.head.hash != noted.hash:
            raise AuditUnavailable(f'the last record of "{self._path}" was changed - {_REMEDY}')
        return end


def _read_end(file: int, size: int) -> _End:
    """Looks for the last record from the end of the file on."""
    length = 0
    while length < size:
        length = min(size, max(_CHUNK, 2 * length))
        data = _read(file, size - length, length)
        # The first of the lines may have begun before what was read.
        for start, end in _lines_backwards(data, 0 if length == size else data.find(b"\n") + 1):
            record = read_record(data[start:end])
            if record is not None:
                return _End(size, Head(record.number, record.hash), data[end:])
    return _End(size, Head(), b"" if size == 0 else _read(file, 0, size))


def _lines_backwards(data: bytes, begin: int) -> Iterator[tuple[int, int]]:
    """Where the whole lines from `begin` on start and end, the last one first."""
    end = data.rfind(b"\n", begin) + 1
    while end > begin:
        start = data.rfind(b"\n", begin, end - 1) + 1 or begin
        yield start, end
        end = start


def _read(file: int, start: int, length: int) -> bytes:
    os.lseek(file, start, os.SEEK_SET)
    parts: list[bytes] = []
    while length > 0 and (part := os.read(file, length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _is_same(file: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(file)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _flush_folder(folder: Path) -> None:
    """So that the names of new files are on the disk too; Windows has no such call."""
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
