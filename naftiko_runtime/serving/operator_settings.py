"""The operator's settings of a process, from version to version.

They are in `runtime.yaml` beside the capability files, or in the file that `--settings` names. A
version with an error is not taken: the last good one stays in force, and where there was none,
nothing may be served. Nor is one that is still being written, as half a file may be one with fewer
guards; and a file that is gone or has lost its content, as on a full disk, leaves its settings in
force until the process ends.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from naftiko_runtime.document.yaml_reader import YamlDocument
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.contents import read_bytes
from naftiko_runtime.serving.discovery import (
    SETTINGS_NAMES,
    file_problem,
    is_writable_by_all,
    writable_by_all,
)
from naftiko_runtime.serving.versions import is_being_written
from naftiko_runtime.settings.model import NO_SETTINGS, RuntimeSettings
from naftiko_runtime.settings.reader import HALT_FILE, read_settings


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """What is on disk, and what is in force.

    `settings` are in force, None where no version was good so far; `document` is what they were
    read from. `kept` says that they are those of an earlier version. `file` is what is on disk,
    None where nothing is; `digest` identifies it with the variables that it was read with.
    """

    settings: RuntimeSettings | None
    problems: tuple[Problem, ...] = ()
    document: YamlDocument | None = None
    kept: bool = False
    file: Path | None = None
    digest: str = ""


def candidates(paths: Sequence[Path], chosen: Path | None) -> list[Path]:
    """Where settings may be: beside the files that are served, unless a file was chosen."""
    if chosen is not None:
        return [chosen]
    folders = dict.fromkeys(path if _is_folder(path) else path.parent for path in paths)
    return [folder / name for folder in folders for name in SETTINGS_NAMES]


def load_settings(
    paths: Sequence[Path],
    chosen: Path | None,
    variables: Mapping[str, str],
    before: SettingsVersion | None,
) -> tuple[SettingsVersion, bool]:
    """The version on disk after `before`, and whether another one is just being written, so that
    it is worth another look soon. Reads files."""
    by_file: dict[str, Path] = {}
    for candidate in candidates(paths, chosen):
        if chosen is not None or os.path.lexists(candidate):
            by_file.setdefault(os.path.realpath(candidate), candidate)
    if not by_file:
        return _without_file(paths, before), False
    path, *others = by_file.values()
    if others:
        return _refused(before, path, f"{path}, {others}", _several(path, others[0])), False
    problem = file_problem(path, within=None)
    if problem is not None:
        return _refused(before, path, str(problem), problem), False
    try:
        content = read_bytes(path)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        problem = Problem("file-refused", Place(str(path)), (), message, "check its permissions")
        return _refused(before, path, message, problem), False
    return _read(path, content, variables, before)


def _read(
    path: Path, content: bytes, variables: Mapping[str, str], before: SettingsVersion | None
) -> tuple[SettingsVersion, bool]:
    digest = _digest(path, content, variables)
    if before is not None and before.digest == digest:
        return before, False
    if before is not None and is_being_written(path):
        return before, True
    if not content.strip() and _says_something(before):
        return _refused(before, path, digest, _emptied(path)), False
    reading = read_settings(path, content, variables)
    if reading.settings is None:
        return _refused(before, path, digest, *reading.problems), False
    open_to_all = [writable_by_all(path)] if is_writable_by_all(path) else []
    problems = (*open_to_all, *reading.problems)
    return SettingsVersion(reading.settings, problems, reading.document, False, path, digest), False


def _refused(
    before: SettingsVersion | None, path: Path, digest: str, *problems: Problem
) -> SettingsVersion:
    if before is None:
        return SettingsVersion(None, problems, file=path, digest=digest)
    if before.digest == digest:
        return before
    kept = before.settings is not None
    return replace(before, problems=problems, kept=kept, file=path, digest=digest)


def _without_file(paths: Sequence[Path], before: SettingsVersion | None) -> SettingsVersion:
    in_force = None if before is None else before.settings
    if before is not None and in_force is not None and in_force.file is not None:
        return _refused(before, in_force.file, "gone", _gone(in_force.file))
    first = next((path if _is_folder(path) else path.parent for path in paths), Path())
    return SettingsVersion(replace(NO_SETTINGS, halt=first.absolute() / HALT_FILE))


def _digest(path: Path, content: bytes, variables: Mapping[str, str]) -> str:
    """Of all that settings are made of, the variables that they name included."""
    start = f"{path}\0{is_writable_by_all(path)}\0"
    hashed = hashlib.sha256(start.encode(errors="surrogateescape") + content)
    for name in sorted(variables):
        if name.encode(errors="surrogateescape") in content:
            hashed.update(f"\0{name}\0{variables[name]}".encode(errors="surrogateescape"))
    return hashed.hexdigest()


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises where access is denied


def _several(first: Path, second: Path) -> Problem:
    message = f"there are other settings at {second}, and a process works by one file"
    remedy = "name the one that counts with --settings FILE"
    return Problem("several-settings", Place(str(first)), (), message, remedy)


def _says_something(before: SettingsVersion | None) -> bool:
    return before is not None and before.document is not None and bool(before.document.value)


def _emptied(path: Path) -> Problem:
    return Problem(
        "settings-gone",
        Place(str(path)),
        (),
        "the file is empty; what it said stays in force until this process ends",
        'write "{}" into it to work without settings',
        Severity.WARNING,
        Consequence.NOTHING,
    )


def _gone(path: Path) -> Problem:
    return Problem(
        "settings-gone",
        Place(str(path)),
        (),
        "the settings are gone; what they said stays in force until this process ends",
        'put the file back, or one with "{}" in its place to work without settings',
        Severity.WARNING,
        Consequence.NOTHING,
    )
