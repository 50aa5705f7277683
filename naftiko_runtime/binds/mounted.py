"""Variables from a mounted folder of secrets: one file per key, as Kubernetes and Docker mount
them.

Kubernetes writes each generation of a secret into a folder of its own and then makes the link
`..data` lead there, so that all keys change at once; they are read through that link, once
resolved, and so all come from one generation.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from naftiko_runtime.binds.source import BindSourceError, Found

_LIMIT = 1024 * 1024
_KEY = re.compile(r"[a-zA-Z0-9._*-]+")
_GENERATION = "..data"


def lookup(folder: Path, keys: tuple[str, ...]) -> Found:
    """The content of each key's file, None where there is none.

    Raises BindSourceError when the folder or a file in it cannot be read, and for a key that can
    name no file or whose file is not in the folder.
    """
    try:
        values = _read_all(folder, keys)
    except FileNotFoundError:  # the generation was replaced while it was read
        try:
            values = _read_all(folder, keys)
        except OSError as error:
            raise _unreadable(folder, error) from None
    except OSError as error:
        raise _unreadable(folder, error) from None
    return Found(values, tuple(folder / key for key in keys))


def _unreadable(folder: Path, error: OSError) -> BindSourceError:
    return BindSourceError(folder, f"cannot be read: {(error.strerror or str(error)).lower()}")


def _read_all(folder: Path, keys: tuple[str, ...]) -> dict[str, str | None]:
    root = Path(os.path.realpath(folder, strict=True))
    data = root / _GENERATION
    generation = Path(os.path.realpath(data, strict=True)) if os.path.lexists(data) else root
    if not generation.is_relative_to(root):
        raise BindSourceError(folder, f'has a link "{_GENERATION}" that leads out of it')
    values = {key: _read(generation, key, root, folder) for key in keys}
    if generation is not root and not generation.exists():
        raise FileNotFoundError
    return values


def _read(generation: Path, key: str, root: Path, folder: Path) -> str | None:
    if not _KEY.fullmatch(key) or key.startswith(".."):
        raise BindSourceError(folder, f'can hold no file called "{key}"')
    try:
        real = Path(os.path.realpath(generation / key, strict=True))
    except FileNotFoundError:
        return None
    path = folder / key
    if not real.is_relative_to(root):
        raise BindSourceError(path, "is a link that leads out of the folder")
    if not stat.S_ISREG(real.stat().st_mode):  # opening a pipe would wait for a writer
        raise BindSourceError(path, "is no regular file")
    with real.open("rb") as file:
        content = file.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise BindSourceError(path, "is larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BindSourceError(path, "is not UTF-8 text") from None
