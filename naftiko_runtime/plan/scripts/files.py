"""Reads the files of script steps, which never leave their folder (OperationStepScript)."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

LIMIT = 1024 * 1024
_SEGMENT = re.compile(r"[a-zA-Z0-9._-]+")


class ScriptFileError(ValueError):
    """A file that is not read; the message says why, with the file as its subject."""


def script_path(folder: Path, file: str) -> Path:
    """The path of a script, by its name in the folder. Raises ScriptFileError for a name that
    could mean anything outside."""
    for segment in file.split("/"):
        if not _SEGMENT.fullmatch(segment) or not segment.strip("."):
            raise ScriptFileError(
                f'"{segment}" cannot stand in its path: names have letters, digits, ".", "_" and '
                '"-", and are relative to the folder'
            )
    return folder.joinpath(*file.split("/"))


def read_script(folder: Path, path: Path) -> str:
    """The text of a script at a path that `script_path` made. Raises ScriptFileError."""
    try:
        root = Path(os.path.realpath(folder, strict=True))
        real = Path(os.path.realpath(path, strict=True))
        if not real.is_relative_to(root):
            raise ScriptFileError("it is a link that leads out of the folder")
        # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        if not stat.S_ISREG(real.stat().st_mode):
            raise ScriptFileError("it is no regular file")
        with os.fdopen(os.open(real, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as error:
        raise ScriptFileError((error.strerror or str(error)).lower()) from None
    if len(content) > LIMIT:
        raise ScriptFileError("it is larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScriptFileError("it is not UTF-8 text") from None
