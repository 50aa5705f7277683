"""Which capability files the given paths stand for.

A folder stands for the `*.yaml` and `*.yml` files in it and in its subfolders. What an editor or
a version control system keeps there is passed over in silence; anything else that cannot be
served is named. Only regular files are ever opened, so a pipe or a device never blocks a load.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import NamedTuple

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.contents import SIZE_LIMIT
from naftiko_runtime.serving.marks import Mark, mark_of

SUFFIXES = (".yaml", ".yml")
"""What capability files of a folder end in, in any case."""
SETTINGS_NAMES = ("runtime.yaml", "runtime.yml")
"""What the operator's settings are called, which are no capability file whatever they hold."""
_EDITOR_FILE = re.compile(r"^[.#]|~$|\.sw[a-z]$|^4913$|___jb_\w+___$")


@dataclass(frozen=True, slots=True)
class Found:
    """Files in the order of their names, each one once, and the folders that were searched.

    `named` are the files that were asked for by their own path; `has_links` says that something in
    a folder is a link to a file. `marks` is what the file system said of plain files in folders,
    `spelled` has the paths of such files for the next search.
    """

    files: tuple[Path, ...]
    named: frozenset[Path]
    folders: tuple[Path, ...]
    problems: tuple[Problem, ...]
    has_links: bool = False
    marks: Mapping[Path, Mark] = field(default_factory=dict)
    spelled: Mapping[str, Path] = field(default_factory=dict)


def find_files(
    paths: Sequence[Path], settings: Path | None = None, before: Found | None = None
) -> Found:
    """The files that the paths stand for. Problems name what cannot be used, and do not stop the
    others. `settings` is a file that holds the operator's settings under any name. A search that
    was done `before` makes this one faster, and no different."""
    files: dict[str, Path] = {}
    named: set[Path] = set()
    problems: list[Problem] = []
    chosen = None if settings is None else os.path.realpath(settings)
    tops = {os.path.realpath(path) for path in paths}
    search = _Search(problems, {} if before is None else before.spelled)
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where access is denied
            candidates = list(search.candidates(path))
            if all(is_settings_name(candidate.path) for candidate in candidates):
                problems.append(_empty(path))
            for candidate in candidates:
                each, real = candidate.path, candidate.real
                if real == chosen or is_settings_name(each):
                    if chosen is None and os.path.realpath(each.parent) not in tops:
                        problems.append(_unread_settings(each, path))
                elif candidate.is_plain or not _problem_with(each, within=path, found=problems):
                    files.setdefault(real, each)
        elif os.path.realpath(path) == chosen or is_settings_name(path):
            problems.append(_no_capability(path))
        elif not _problem_with(path, within=None, found=problems):
            named.add(files.setdefault(os.path.realpath(path), path))
    return Found(
        tuple(sorted(files.values(), key=str)),
        frozenset(named),
        tuple(search.folders),
        tuple(problems),
        search.has_links,
        search.marks,
        search.spelled,
    )


class _Candidate(NamedTuple):
    """A file of a folder that may be a capability, by its name. `real` is its path without links;
    it is plain when there is nothing to be said about it."""

    path: Path
    real: str
    is_plain: bool


class _Search:
    """Looks into folders, asking the file system once for each file. `known` are paths of files by
    their texts, since making a path takes longer than finding one."""

    def __init__(self, problems: list[Problem], known: Mapping[str, Path]) -> None:
        self._problems = problems
        self._known = known
        self.folders: list[Path] = []
        self.has_links = False
        self.marks: dict[Path, Mark] = {}
        self.spelled: dict[str, Path] = {}

    def candidates(self, folder: Path) -> Iterator[_Candidate]:
        """Those of a folder, and then those of its subfolders, by name."""
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            message = f"the folder cannot be read: {error.strerror}"
            self._problems.append(_refused(str(error.filename or folder), message, "allow it"))
            return
        self.folders.append(folder)
        real = os.path.realpath(folder)
        subfolders = []
        for entry in entries:
            if _is_folder(entry):
                if not entry.name.startswith("."):
                    subfolders.append(entry)
            elif is_candidate(entry.name):
                yield self._candidate(entry, real)
        for entry in subfolders:
            if entry.is_symlink():
                self._problems.append(_linked_folder(Path(entry.path)))
            else:
                yield from self.candidates(Path(entry.path))

    def _candidate(self, entry: os.DirEntry[str], folder: str) -> _Candidate:
        path = self._known.get(entry.path) or Path(entry.path)
        self.spelled[entry.path] = path
        if entry.is_symlink():
            self.has_links = True
            return _Candidate(path, os.path.realpath(path), False)
        is_plain = False
        with contextlib.suppress(OSError):
            status = entry.stat()
            is_plain = (
                stat.S_ISREG(status.st_mode)
                and status.st_size <= SIZE_LIMIT
                and not _is_open_to_all(status)
            )
            self.marks[path] = mark_of(status)
        return _Candidate(path, f"{folder}{os.sep}{entry.name}", is_plain)


def is_candidate(name: str) -> bool:
    """Whether a file of a folder may be a capability, by its name."""
    return name.lower().endswith(SUFFIXES) and not _EDITOR_FILE.search(name)


def is_settings_name(path: Path) -> bool:
    return path.name in SETTINGS_NAMES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Links to folders are folders."""
    try:
        return entry.is_dir()
    except OSError:
        return False


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
    return _is_open_to_all(path.stat())


def _is_open_to_all(status: os.stat_result) -> bool:
    return os.name == "posix" and bool(status.st_mode & stat.S_IWOTH)


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
    if status.st_size > SIZE_LIMIT:
        message = f"has {status.st_size:,} bytes; a capability file may have {SIZE_LIMIT:,}"
        return _refused(str(path), message, "split the file")
    return None


def _stays_inside(link: Path, folder: Path) -> bool:
    return Path(os.path.realpath(link)).is_relative_to(folder.resolve())


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
