"""Proves that no record of a journal was changed, dropped, moved or added.

Whoever can write both files can also write a new chain from the first record on: against that,
the hash of the last record has to be noted somewhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Final

from naftiko_runtime.audit.head import BrokenHead, Head, head_path, read_head
from naftiko_runtime.audit.locking import locked
from naftiko_runtime.audit.records import (
    NOTHING_BEFORE,
    Event,
    Record,
    read_record,
    says_torn,
)
from naftiko_runtime.lazy_dataclasses import dataclass

NO_RECORD: Final = "it is no record, or not as it was written"


class FaultKind(Enum):
    """What was done to a journal."""

    CHANGED = "changed"
    DROPPED = "dropped"
    REORDERED = "reordered"
    INSERTED = "inserted"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong; `line` counts from 1 and is None for the head file."""

    kind: FaultKind
    line: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`records` is how many are whole up to the first fault, and `hash` that of the last of them;
    `torn` are the lines that crashes left unfinished, `unended` how many calls have a beginning
    and no end, `beyond` how many records the head file does not know of yet, and `refused` how many
    records are of calls that were not made."""

    records: int
    hash: str
    torn: tuple[int, ...]
    unended: int
    beyond: int
    fault: Fault | None
    refused: int = 0


def verify(path: Path) -> Verdict:
    """Reads a journal from its beginning to where it ends now. Raises OSError."""
    with path.open("rb") as file:
        with locked(file.fileno(), shared=True):
            size = os.fstat(file.fileno()).st_size
            head = _head_or_fault(path)
        check = _Check(None if isinstance(head, Fault) else head)
        for line in _lines(file, size):
            check.read(line)
            if check.fault is not None:
                break
        else:
            check.finish()
        fault = check.fault
        if fault is not None and fault.kind is FaultKind.DROPPED and _follows(file, size, check):
            words = f"record {check.last.number + 1} comes later"
            fault = Fault(FaultKind.REORDERED, fault.line, words)
    if fault is None and isinstance(head, Fault):
        fault = head
    return check.verdict(fault)


def _head_or_fault(path: Path) -> Head | Fault:
    try:
        head = read_head(path)
    except BrokenHead as error:
        return Fault(FaultKind.HEAD, None, str(error))
    if head is not None:
        return head
    words = f'"{head_path(path)}" is missing: whether records are missing at the end is unknown'
    return Fault(FaultKind.HEAD, None, words)


def _lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """What was there when it began; more may be written meanwhile."""
    for line in file:
        yield line[:size]
        size -= len(line)
        if size <= 0:
            return


def _follows(file: BinaryIO, size: int, check: _Check) -> bool:
    """Whether the record that should have come next is further behind."""
    file.seek(0)
    for count, line in enumerate(_lines(file, size), start=1):
        record = read_record(line) if count > check.line else None
        if record is not None and record.number == check.last.number + 1:
            return True
    return False


_START: Final = Record(0, Event.TORN, {}, "", NOTHING_BEFORE)


@dataclass(slots=True)
class _Check:
    """Goes through a journal line by line; `last` is the last record of the whole chain so far and
    `bad` the lines behind it that are no records, of which the first is `bad_line`."""

    head: Head | None
    last: Record = _START
    before_last: str = ""
    last_line: int = 0
    line: int = 0
    bad: bytearray = field(default_factory=bytearray)
    bad_line: int = 0
    torn: list[int] = field(default_factory=list)
    open_calls: set[int] = field(default_factory=set)
    refused: int = 0
    fault: Fault | None = None

    def read(self, line: bytes) -> None:
        self.line += 1
        record = read_record(line)
        if record is None:
            self.bad_line = self.bad_line or self.line
            self.bad += line
        elif (fault := self._fault_of(record)) is not None:
            self.fault = fault
        else:
            self._accept(record)

    def finish(self) -> None:
        """What shows only at the end."""
        if self.head is not None and self.last.number < self.head.records:
            missing = f"records {self.last.number + 1} to {self.head.records} are missing"
            self.fault = (
                Fault(FaultKind.CHANGED, self.bad_line, NO_RECORD)
                if self.bad
                else Fault(FaultKind.DROPPED, self.line + 1, f"{missing} at the end")
            )
        elif self.bad.endswith(b"\n"):
            self.fault = Fault(FaultKind.INSERTED, self.bad_line, NO_RECORD)
        elif self.bad:
            self.torn.append(self.bad_line)

    def verdict(self, fault: Fault | None) -> Verdict:
        noted = self.last.number if self.head is None else self.head.records
        return Verdict(
            self.last.number,
            self.last.hash,
            tuple(self.torn),
            len(self.open_calls),
            max(0, self.last.number - noted),
            fault,
            self.refused,
        )

    def _fault_of(self, record: Record) -> Fault | None:
        """What a whole record shows to be wrong with itself or with what stands before it."""
        fits = record.previous == self.last.hash and record.number == self.last.number + 1
        if self.bad:
            if fits and says_torn(record, bytes(self.bad)):
                return self._fault_by_head(record)
            kind = FaultKind.INSERTED if fits else FaultKind.CHANGED
            return Fault(kind, self.bad_line, NO_RECORD)
        if fits:
            if record.event is Event.TORN:
                return Fault(FaultKind.DROPPED, self.line, "the torn line before it is missing")
            return self._fault_by_head(record)
        return self._fault_of_order(record)

    def _fault_of_order(self, record: Record) -> Fault:
        expected = self.last.number + 1
        if record.number > expected:
            words = f"records {expected} to {record.number - 1} are missing before it"
            return Fault(FaultKind.DROPPED, self.line, words)
        if record.number < expected:
            if self.last_line and record.previous == self.before_last:
                return Fault(FaultKind.INSERTED, self.last_line, "the next record does not know it")
            return Fault(FaultKind.INSERTED, self.line, f"record {record.number} was there before")
        line = self.last_line or self.line
        return Fault(FaultKind.CHANGED, line, "it does not have the hash that the next one gives")

    def _fault_by_head(self, record: Record) -> Fault | None:
        if self.head is None or record.number != self.head.records:
            return None
        if record.hash == self.head.hash:
            return None
        return Fault(FaultKind.CHANGED, self.line, "it does not have the hash of the head file")

    def _accept(self, record: Record) -> None:
        if self.bad:
            self.torn.append(self.bad_line)
            self.bad, self.bad_line = bytearray(), 0
        self.before_last, self.last, self.last_line = self.last.hash, record, self.line
        if record.event is Event.BEGIN:
            self.open_calls.add(record.number)
        elif record.event is Event.REFUSED:
            self.refused += 1
        elif record.event is Event.END and isinstance(begun := record.members.get("of"), int):
            self.open_calls.discard(begun)
