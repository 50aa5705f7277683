"""The head file beside a journal: how many records there are, and the hash of the last one.

Records that are cut off at the end leave a chain that is whole; what is missing shows here. It is
overwritten in place, at a length that disks write at once, after the records are on the disk: it
may be behind the journal after a crash, and is never ahead of it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from naftiko_runtime.audit.records import NOTHING_BEFORE
from naftiko_runtime.lazy_dataclasses import dataclass

_LENGTH: Final = 128
_WRITTEN: Final = re.compile(
    rb'\{"records":(?P<records>0|[1-9][0-9]{0,17}),"hash":"(?P<hash>[0-9a-f]{64})"\} *\n'
)


class BrokenHead(ValueError):
    """The file is none that `write_head` has written."""


@dataclass(frozen=True, slots=True)
class Head:
    """`hash` is that of the record whose number is `records`."""

    records: int = 0
    hash: str = NOTHING_BEFORE


def head_path(journal: Path) -> Path:
    return journal.with_name(journal.name + ".head")


def read_head(journal: Path) -> Head | None:
    """The head of a journal, None where there is none. Raises OSError and BrokenHead."""
    try:
        content = head_path(journal).read_bytes()
    except FileNotFoundError:
        return None
    written = _WRITTEN.fullmatch(content)
    if written is None:
        raise BrokenHead(f'"{head_path(journal)}" is not what the runtime has written')
    return Head(int(written["records"]), written["hash"].decode())


def create_head(journal: Path) -> None:
    """The head of a journal without records, whole or not at all, and on the disk when this
    returns but for its name. Raises OSError."""
    path = head_path(journal)
    unfinished = path.with_name(path.name + ".new")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, _content(Head()))
        os.fsync(file)
    finally:
        os.close(file)
    unfinished.replace(path)


def write_head(journal: Path, head: Head) -> None:
    """Raises OSError."""
    file = os.open(head_path(journal), os.O_WRONLY)
    try:
        os.write(file, _content(head))
    finally:
        os.close(file)


def _content(head: Head) -> bytes:
    written = b'{"records":%d,"hash":"%b"}' % (head.records, head.hash.encode())
    return written.ljust(_LENGTH - 1) + b"\n"
