"""Which capability files a notification is about, so that the others need not be looked at.

It answers for plain files of folders that were searched before. For all else (files that are gone
or are linked, problems, other folders, settings) it says that only a search can tell.
"""

from __future__ import annotations

import os
from bisect import insort
from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.serving.discovery import (
    Found,
    file_problem,
    is_candidate,
    is_settings_name,
    is_writable_by_all,
)


@dataclass(frozen=True, slots=True)
class Touched:
    """What a search would find now, given what the one before did; `files` are those of it that
    something has happened to."""

    found: Found
    files: frozenset[Path]


def touched_files(
    before: Found,
    known: Container[Path],
    notified: Iterable[Path],
    settings: Path | None = None,
) -> Touched | None:
    """None where only a search can tell. `known` are the files of `before`, `settings` is as for
    `find_files`."""
    if before.has_links or any(problem.rule == "empty-folder" for problem in before.problems):
        return None
    faulty = {problem.place.file for problem in before.problems}
    touched: set[Path] = set()
    for path in notified:
        spelled = _as_searched(path, before.folders)
        if spelled is None or not is_candidate(spelled.name) or is_settings_name(spelled):
            return None
        if settings is not None and spelled.name == settings.name:
            return None
        if spelled not in known and not os.path.lexists(spelled):
            continue  # it came and went
        if str(spelled) in faulty or not _is_plain(spelled):
            return None
        if spelled not in known and before.named:
            return None  # which may be this file, spelled otherwise
        touched.add(spelled)
    added = [path for path in touched if path not in known]
    if not added:
        return Touched(before, frozenset(touched))
    files = [*before.files]
    for path in added:
        insort(files, path, key=str)
    return Touched(replace(before, files=tuple(files)), frozenset(touched))


def _as_searched(path: Path, folders: Iterable[Path]) -> Path | None:
    """The path as a search would spell it: notifications have absolute ones."""
    for folder in folders:
        if path.parent in (folder, Path(os.path.abspath(folder))):  # noqa: PTH100 - keeps links
            return folder / path.name
    return None


def _is_plain(path: Path) -> bool:
    """Whether it is a file that can be served, and that nothing is to be said about."""
    try:
        return (
            not path.is_symlink()
            and file_problem(path, None) is None
            and not is_writable_by_all(path)
        )
    except OSError:  # gone in the meantime
        return False
