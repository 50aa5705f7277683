"""A lock on an open file, for all processes of this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LOCK_SECONDS: Final = 5.0
"""How long another process may hold the lock; it writes and flushes some records meanwhile."""

_PAUSE: Final = 0.001


@contextmanager
def locked(file: int, shared: bool = False) -> Iterator[None]:
    """Holds the lock of a file inside the block; `shared` with all who only read. Raises
    TimeoutError when another process keeps it."""
    end = time.monotonic() + LOCK_SECONDS
    while not _take(file, shared):
        if time.monotonic() > end:
            raise TimeoutError(f"another process has had it locked for {LOCK_SECONDS:g} s")
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        _release(file)


if sys.platform == "win32":
    import msvcrt

    _FAR_AWAY: Final = 1 << 62
    # A lock keeps others from reading and writing there, so it must be where nothing is.

    def _take(file: int, shared: bool) -> bool:
        os.lseek(file, _FAR_AWAY, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _release(file: int) -> None:
        os.lseek(file, _FAR_AWAY, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: int, shared: bool) -> bool:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
