"""Which capability files the given paths stand for.

A folder stands for the `*.yaml` and `*.yml` files in it and in its subfolders. What an editor or
a version control system keeps there is passed over in silence; anything else that cannot be
served is named. Only regular files are ever opened, so a pipe or a device never blocks a load.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from naftiko_runtime.problems import Consequence, Place, Problem, Severity

SUFFIXES = (".yaml", ".yml")
"""What capability files of a folder end in, in any case."""
SETTINGS_NAMES = ("runtime.yaml", "runtime.yml")
"""What the operator's settings are called, which are no capability file whatever they hold."""
_EDITOR_FILE = re.compile(r"^[.#]|~$|\.sw[a-z]$|^4913$|___jb_\w+___$")
_CAPABILITY_KEY = re.compile(rb"""^(?:\{\s*)?["']?naftiko["']?\s*:""", re.MULTILINE)
_SIZE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """Files in the order of their names, each one once, and the folders that were searched.

    `named` are the files that were asked for by their own path; `has_links` says that something in
    a folder is a link to a file.
    """

    files: tuple[Path, ...]
    named: frozenset[Path]
    folders: tuple[Path, ...]
    problems: tuple[Problem, ...]
    has_links: bool = False


def find_files(paths: Sequence[Path], settings: Path | None = None) -> Found:
    """The files that the paths stand for. Problems name what cannot be used, and do not stop the
    others. `settings` is a file that holds the operator's settings under any name."""
    files: dict[str, Path] = {}
    named: set[Path] = set()
    folders: list[Path] = []
    problems: list[Problem] = []
    has_links = False
    chosen = None if settings is None else os.path.realpath(settings)
    tops = {os.path.realpath(path) for path in paths}
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where access is denied
            candidates = list(_candidates(path, folders, problems))
            if all(is_settings_name(candidate) for candidate in candidates):
                problems.append(_empty(path))
            reals: dict[Path, str] = {}
            for candidate in candidates:
                is_link = candidate.is_symlink()
                has_links = has_links or is_link
                real = _real_path(candidate, is_link, reals)
                if real == chosen or is_settings_name(candidate):
                    if chosen is None and os.path.realpath(candidate.parent) not in tops:
                        problems.append(_unread_settings(candidate, path))
                elif not _problem_with(candidate, within=path, found=problems):
                    files.setdefault(real, candidate)
        elif os.path.realpath(path) == chosen or is_settings_name(path):
            problems.append(_no_capability(path))
        elif not _problem_with(path, within=None, found=problems):
            named.add(files.setdefault(os.path.realpath(path), path))
    in_order = tuple(sorted(files.values(), key=str))
    return Found(in_order, frozenset(named), tuple(folders), tuple(problems), has_links)


def is_candidate(name: str) -> bool:
    """Whether a file of a folder may be a capability, by its name."""
    return name.lower().endswith(SUFFIXES) and not _EDITOR_FILE.search(name)


def is_settings_name(path: Path) -> bool:
    return path.name in SETTINGS_NAMES


def _candidates(folder: Path, folders: list[Path], problems: list[Problem]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        place = str(error.filename or folder)
        problems.append(_refused(place, f"the folder cannot be read: {error.strerror}", "allow it"))

    for root, names, files in os.walk(folder, onerror=unreadable):
        folders.append(Path(root))
        names[:] = sorted(name for name in names if not name.startswith("."))
        subfolders = [Path(root) / name for name in names]
        problems += [_linked_folder(path) for path in subfolders if path.is_symlink()]
        for name in sorted(files):
            if is_candidate(name):
                yield Path(root) / name


def _problem_with(path: Path, within: Path | None, found: list[Problem]) -> bool:
    """Whether the path cannot be served; says why in `found`. `within` is the folder that a link
    must not lead out of (files put together out of links, as Kubernetes does, stay inside)."""
    problem = file_problem(path, within)
    if problem is not None:
        found.append(problem)
    elif is_writable_by_all(path):
        found.append(writable_by_all(path))
    return problem is not None


def is_writable_by_all(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & stat.S_IWOTH)


def file_problem(path: Path, within: Path | None) -> Problem | None:
    """Why a file is not to be opened, if so; `within` as for files of a folder."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return _missing(path)
    except OSError as error:
        return _refused(str(path), f"cannot be read: {error.strerror}", "check its permissions")
    if not stat.S_ISREG(status.st_mode):
        return _refused(str(path), "is not a regular file", "only regular files are read")
    if within is not None and path.is_symlink() and not _stays_inside(path, within):
        message = "is a link that leads out of the served folder"
        return _refused(str(path), message, "copy the file into the folder, or name it itself")
    if status.st_size > _SIZE_LIMIT:
        message = f"has {status.st_size:,} bytes; a capability file may have {_SIZE_LIMIT:,}"
        return _refused(str(path), message, "split the file")
    return None


def _stays_inside(link: Path, folder: Path) -> bool:
    return Path(os.path.realpath(link)).is_relative_to(folder.resolve())


def _real_path(path: Path, is_link: bool, folders: dict[Path, str]) -> str:
    """The path of a file without links; `folders` has what is known of those of folders."""
    if is_link:
        return os.path.realpath(path)
    folder = path.parent
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return f"{folders[folder]}{os.sep}{path.name}"


def _missing(path: Path) -> Problem:
    if path.is_symlink():
        return _refused(str(path), "is a link to nothing", "mend the link or remove it")
    message = f'there is no file or folder "{path}"'
    return Problem("file-missing", Place(str(path)), (), message, "check the path")


def _refused(place: str, message: str, remedy: str) -> Problem:
    return Problem("file-refused", Place(place), (), message, remedy)


def _empty(folder: Path) -> Problem:
    return Problem(
        "empty-folder",
        Place(str(folder)),
        (),
        f'there is no capability file in "{folder}"',
        "put one there; its name ends in .yaml or .yml",
        consequence=Consequence.NOTHING,
    )


def _no_capability(path: Path) -> Problem:
    message = "holds the operator's settings, not a capability"
    return _refused(str(path), message, "name capability files; settings go to --settings FILE")


def _unread_settings(path: Path, folder: Path) -> Problem:
    return Problem(
        "unread-settings",
        Place(str(path)),
        (),
        f'settings are read from the folder that is served alone, "{folder}"',
        "move the file there, or name it with --settings FILE",
        Severity.WARNING,
        Consequence.NOTHING,
    )


def _linked_folder(path: Path) -> Problem:
    message = "is a link to a folder, which is not followed"
    remedy = "name the folder itself on the command line"
    return Problem(
        "file-refused", Place(str(path)), (), message, remedy, Severity.WARNING, Consequence.NOTHING
    )


def writable_by_all(path: Path) -> Problem:
    message = "may be changed by every user of this machine"
    remedy = f"chmod o-w {path}"
    return Problem(
        "file-writable-by-all",
        Place(str(path)),
        (),
        message,
        remedy,
        Severity.WARNING,
        Consequence.NOTHING,
    )


def read_bytes(path: Path) -> bytes:
    """A regular file's content. Raises OSError; never waits for a pipe."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        return file.read(_SIZE_LIMIT + 1)


def looks_like_capability(content: bytes) -> bool:
    """Whether a YAML text has the key that makes it a capability file, `naftiko`, at its root."""
    utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return utf16 or _CAPABILITY_KEY.search(content.removeprefix(b"\xef\xbb\xbf")) is not None


def passed_over(path: Path) -> Problem:
    """Says that a YAML file of a folder is something else than a capability."""
    return Problem(
        "not-a-capability",
        Place(str(path)),
        (),
        'not a capability file: it has no key "naftiko" at its root',
        "it is passed over; move it elsewhere to silence this",
        Severity.WARNING,
        Consequence.NOTHING,
    )
