"""What tells one version of a file from another, without reading it where that can be known."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from naftiko_runtime.serving.contents import read_bytes

_TICK_NANOSECONDS = 3_000_000_000
"""More than any file system's clock needs from one time to the next: two seconds, with FAT."""

Mark: TypeAlias = tuple[int, int, int, int, int]


def mark_of(status: os.stat_result) -> Mark:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


class Marks:
    """What the file system said of files whose contents were looked at: as long as it says the
    same, nobody has written to them (no program can set a file's ctime on POSIX systems; elsewhere
    contents are looked at each time).

    A file that was written to just before it was looked at could be written to again within the
    same tick of the file system's clock, so that its contents are looked at again the next time.
    """

    def __init__(
        self, before: Marks | None = None, seen: Mapping[Path, Mark] = MappingProxyType({})
    ) -> None:
        """`seen` is what the file system has just said of some files."""
        self._before = before._known if before is not None else {}
        self._seen = seen
        self._known: dict[Path, tuple[Mark, str]] = {}

    def keep(self) -> None:
        """Takes over what was known of all files, for a look at some of them."""
        self._known = dict(self._before)

    def agree(self, path: Path, digest: str) -> bool:
        """Whether a file, or a folder, still has this digest."""
        mark = self._seen.get(path) or _mark(path)
        known = self._before.get(path)
        if known is not None and mark == known[0] and digest == known[1]:
            self._known[path] = known
            return True
        if digest_of(path) != digest:
            return False
        if mark is not None and _is_settled(mark):
            self._known[path] = (mark, digest)
        return True


def digest_of(path: Path) -> str:
    """What tells one version of a file from another; of a folder, the names in it."""
    try:
        if path.is_dir():
            names = "/".join(sorted(entry.name for entry in path.iterdir()))
            return hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError as error:
        return f"unreadable: {error}"


def _mark(path: Path) -> Mark | None:
    try:
        return mark_of(os.stat(path))  # noqa: PTH116 - many files, and Path takes its time
    except OSError:
        return None


def _is_settled(mark: Mark) -> bool:
    return os.name == "posix" and time.time_ns() - max(mark[3:]) > _TICK_NANOSECONDS
