"""How the operator's commands find the processes that run, and prove that they may ask.

Each process writes a file that only its user can read: the address of its approval page and a key
that is made anew at each start. Nothing of it is served anywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass

FOLDER_VARIABLE: Final = "NAFTIKO_RUNTIME_DIR"

_LARGEST: Final = 64 * 1024


class HandleError(Exception):
    """A handle cannot be kept, or must not be trusted; the message says why."""


@dataclass(frozen=True, slots=True)
class Handle:
    """One running process: where it listens for its operator, the key, and what it serves."""

    pid: int
    address: str
    key: str
    paths: tuple[str, ...] = ()


def handle_folder() -> Path:
    """NAFTIKO_RUNTIME_DIR, else `naftiko` in the user's folder for running programs."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser()
    if running := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(running) / "naftiko"
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "naftiko" / "running"


def write_handle(handle: Handle, folder: Path | None = None) -> Path:
    """Keeps a handle until `remove_handle`. Raises HandleError."""
    folder = folder or handle_folder()
    content = {
        "pid": handle.pid,
        "address": handle.address,
        "key": handle.key,
        "paths": list(handle.paths),
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(folder)
        _tidy(folder)
        # Made with rights for its owner alone, and put in place whole
        number, name = tempfile.mkstemp(dir=folder, suffix=".new")
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(content, file)
        return Path(name).replace(folder / f"{handle.pid}.json")
    except OSError as error:
        raise HandleError(f'"{folder}": {error.strerror or error}') from None


def _tidy(folder: Path) -> None:
    """Removes what processes left behind that were killed."""
    for path in folder.glob("*.json"):
        if path.stem.isdecimal() and not _runs(int(path.stem)):
            remove_handle(path)


def remove_handle(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def find_handles(folder: Path | None = None) -> Sequence[Handle]:
    """The handles of processes that run. Raises HandleError for a folder or a file that others
    could have written, or read."""
    folder = folder or handle_folder()
    if not folder.is_dir():
        return []
    _check_owner(folder)
    found = []
    for path in sorted(folder.glob("*.json")):
        handle = _read(path)
        if handle is not None and _runs(handle.pid):
            found.append(handle)
    return found


def _read(path: Path) -> Handle | None:
    """None for a file that is going or is no handle."""
    try:
        _check_owner(path)
        value = json.loads(path.read_bytes()[:_LARGEST])
        pid, address, key = int(value["pid"]), str(value["address"]), str(value["key"])
        return Handle(pid, address, key, tuple(str(each) for each in value["paths"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_owner(path: Path) -> None:
    """Only what this user alone can reach is believed."""
    if os.name != "posix":
        return
    found = path.lstat()
    others = stat.S_IMODE(found.st_mode) & 0o077
    if found.st_uid != os.getuid() or others or stat.S_ISLNK(found.st_mode):
        raise HandleError(
            f'"{path}" is open to other users - remove it, or make it yours alone (chmod go=)'
        )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
