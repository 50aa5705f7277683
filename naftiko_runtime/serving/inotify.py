"""Notifications of Linux about folders, as soon as they come and without a thread that waits for
them. They tell when a file has been written to its end, so that no half of it is looked at."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Final

_EVENT: Final = struct.Struct("iIII")
_BUFFER: Final = 65536

_ATTRIBUTES: Final = 0x4
_CLOSED: Final = 0x8
_MOVED_FROM: Final = 0x40
_MOVED_TO: Final = 0x80
_CREATED: Final = 0x100
_DELETED: Final = 0x200
_SELF_DELETED: Final = 0x400
_SELF_MOVED: Final = 0x800
_ONLY_FOLDERS: Final = 0x1000000
_WATCHED: Final = (
    _ATTRIBUTES | _CLOSED | _MOVED_FROM | _MOVED_TO | _CREATED | _DELETED
    | _SELF_DELETED | _SELF_MOVED | _ONLY_FOLDERS
)  # fmt: skip


async def notifications(
    folders: Iterable[str], matters: Callable[[str], bool], seconds: float
) -> AsyncGenerator[frozenset[str]]:
    """The paths in these folders that something has happened to and that matter; none after so
    many seconds without, or when a folder is not there any more, or events were lost. Raises
    OSError where there cannot be any."""
    loop = asyncio.get_running_loop()
    descriptor, watched = _open(folders)
    arrived: set[str] = set()
    ready = asyncio.Event()

    def read() -> None:
        events = list(_events(os.read(descriptor, _BUFFER), watched))
        arrived.update(path for path in events if path and matters(path))
        if arrived or "" in events:
            ready.set()

    loop.add_reader(descriptor, read)
    try:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # wait_for takes more rounds of the loop
                    await ready.wait()
            ready.clear()
            happened = frozenset(arrived)
            arrived.clear()
            yield happened
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _open(folders: Iterable[str]) -> tuple[int, dict[int, str]]:
    """A descriptor to read events from, and the folders by the numbers in events."""
    system = ctypes.CDLL(None, use_errno=True)
    descriptor = system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise _error()
    watched: dict[int, str] = {}
    for folder in folders:
        number = system.inotify_add_watch(descriptor, os.fsencode(folder), _WATCHED)
        if number < 0:
            error = _error()
            if isinstance(error, PermissionError | FileNotFoundError | NotADirectoryError):
                continue
            os.close(descriptor)
            raise error
        watched[number] = folder
    return descriptor, watched


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def _events(data: bytes, watched: dict[int, str]) -> Iterator[str]:
    """Paths that something has happened to, an empty one where it is not known to which."""
    position = 0
    while position < len(data):
        number, mask, _, length = _EVENT.unpack_from(data, position)
        position += _EVENT.size
        name = data[position : position + length].rstrip(b"\0")
        position += length
        if not name or number not in watched:
            yield ""
            continue
        path = os.path.join(watched[number], os.fsdecode(name))  # noqa: PTH118 - for each event
        if not mask & _CREATED or not _is_being_written(path):
            yield path


def _is_being_written(path: str) -> bool:
    """Whether a file was made that is told of again when it is closed; folders and links are
    not."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1
