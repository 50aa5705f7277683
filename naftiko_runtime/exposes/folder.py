"""Reads files of a folder that callers may see: what is listed, and one file by its relative path.

No path leaves the folder, whatever its names and links say, and what is not listed is not read
either. Files are looked at each time, so that callers see them as they are.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

LARGEST_FILE: Final = 8 * 1024 * 1024
"""Bytes; an answer holds a whole file."""
MOST_FILES: Final = 10_000
_DEEPEST: Final = 32

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""A name that can stand in a path. Hidden files, `.` and `..` begin with a dot."""


class FileRefused(Exception):
    """A file that is not served; the message, which callers may see, says why."""


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file of a folder: its path in there, with `/`, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that are served, by path, and those that are not, each with the reason. Hidden
    files are in neither."""

    files: tuple[FolderFile, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def is_folder(path: Path) -> bool:
    """Whether there is a folder that can be reached (`Path.is_dir` raises for some that cannot)."""
    return os.path.isdir(path)  # noqa: PTH112


def list_folder(folder: Path) -> Listing:
    """All files in a folder and its subfolders; none where there is no such folder."""
    root = Path(os.path.realpath(folder))
    files: list[FolderFile] = []
    left_out: list[tuple[str, str]] = []
    for path, entry in _walk(root, "", left_out, _DEEPEST):
        if len(files) == MOST_FILES:
            left_out.append((path, f"the folder has more than {MOST_FILES} files"))
            break
        try:
            size = _size_of_served(Path(entry.path), root)
        except FileRefused as refused:
            left_out.append((path, str(refused)))
        else:
            files.append(FolderFile(path, size))
    return Listing(tuple(sorted(files, key=lambda file: file.path)), tuple(left_out))


def subfolders(folder: Path) -> list[Path]:
    """The folder itself and the folders inside whose files are listed; nothing if there is no such
    folder."""
    if not is_folder(folder):
        return []
    found = [folder]
    for here, names, _ in os.walk(folder):
        names[:] = sorted(name for name in names if _SEGMENT.fullmatch(name))
        found += [Path(here, name) for name in names if not Path(here, name).is_symlink()]
        if len(found) > MOST_FILES:
            break
    return found


def read_folder_file(folder: Path, path: str) -> bytes:
    """The content of one file, by its path in the folder. Raises FileRefused for a path that is
    not one of a served file."""
    for segment in path.split("/"):
        if not _SEGMENT.fullmatch(segment):
            raise FileRefused(
                f'"{segment[:100]}" cannot stand in a path: names have letters, digits, ".", "_" '
                'and "-", and do not begin with a dot'
            )
    root = Path(os.path.realpath(folder))
    file = root
    *folders, name = path.split("/")
    for segment in folders:
        file /= segment
        if os.path.islink(file):  # noqa: PTH114 - Path.is_symlink raises for names too long
            raise FileRefused("it is behind a link to a folder")
    return _read(file / name, root)


def read_one_file(path: Path) -> bytes:
    """The content of a file that a capability file names itself, links followed. Raises
    FileRefused."""
    return _read(path, None)


def _walk(
    folder: Path, prefix: str, left_out: list[tuple[str, str]], depth: int
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files below a folder. Links to folders are not followed, so that there is no end-less
    way."""
    try:
        with os.scandir(folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = prefix + entry.name
        if entry.name.startswith("."):
            continue
        if not _SEGMENT.fullmatch(entry.name):
            shown = path if path.isprintable() else ascii(path)
            left_out.append((shown, 'its name has more than letters, digits, ".", "_" and "-"'))
        elif entry.is_dir(follow_symlinks=False):
            if depth:
                yield from _walk(Path(entry.path), f"{path}/", left_out, depth - 1)
            else:
                left_out.append((path, "it is nested too deep"))
        elif is_folder(Path(entry.path)):
            left_out.append((path, "it is a link to a folder"))
        else:
            yield path, entry


def _size_of_served(path: Path, root: Path) -> int:
    try:
        status = _inside(path, root).stat()
    except OSError as error:
        raise FileRefused(_reason(error)) from None
    _check(status)
    return status.st_size


def _read(path: Path, root: Path | None) -> bytes:
    try:
        real = path if root is None else _inside(path, root)
        # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        if root is not None:
            flags |= getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(real, flags)
        with os.fdopen(descriptor, "rb") as file:
            _check(os.fstat(descriptor))
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise FileRefused(_reason(error)) from None
    if len(content) > LARGEST_FILE:
        raise FileRefused("it is too large")
    return content


def _inside(path: Path, root: Path) -> Path:
    """The real path of a file, which has to be in the real folder. Raises OSError, FileRefused."""
    real = Path(os.path.realpath(path, strict=True))
    if not real.is_relative_to(root):
        raise FileRefused("it is a link that leads out of the folder")
    return real


def _check(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise FileRefused("it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused("it is no regular file")
    if status.st_size > LARGEST_FILE:
        raise FileRefused(f"it has more than {LARGEST_FILE // 1024 // 1024} MiB")


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "there is no such file"
    return f"it cannot be read: {error.strerror or error}"
