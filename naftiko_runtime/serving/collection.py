"""All the files that a process serves, each in the version that it serves.

A collection is a value: loading again makes a new one, taking over what has not changed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from naftiko_runtime.binds.environment import read_env_file
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Problem, Severity
from naftiko_runtime.serving.base_uris import BaseUris, base_uris_of
from naftiko_runtime.serving.discovery import Found, find_files
from naftiko_runtime.serving.hidden_tools import without_hidden
from naftiko_runtime.serving.operator_settings import SettingsVersion, load_settings
from naftiko_runtime.serving.settings import SourceSettings
from naftiko_runtime.serving.touched import Touched, touched_files
from naftiko_runtime.serving.versions import (
    Loading,
    Marks,
    ServedFile,
    is_being_written,
    is_unchanged,
    load_version,
    may_be_unfinished,
)
from naftiko_runtime.settings.cross_checks import Served, check_against
from naftiko_runtime.settings.model import NO_SETTINGS, RuntimeSettings

Fingerprint: TypeAlias = frozenset[tuple[str, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Collection:
    """The files by path, in the order of their names.

    `found` is what was searched for them, `problems` those of no single file, `variables` what
    stands for the files' variables. `unsettled`: something is just being written, so that it is
    worth another look soon. `base_uris` are what is called instead of the files' addresses, and
    `plans` is what the files serve, without what the operator hides. `operator` is the version of
    the operator's settings in force for all of it.
    """

    files: Mapping[Path, ServedFile]
    found: Found
    problems: tuple[Problem, ...]
    variables: Mapping[str, str]
    base_uris: BaseUris
    plans: tuple[CapabilityPlan, ...]
    operator: SettingsVersion
    unsettled: bool = False
    marks: Marks = field(default_factory=Marks)

    @property
    def folders(self) -> tuple[Path, ...]:
        return self.found.folders

    @property
    def settings(self) -> RuntimeSettings:
        return self.operator.settings or NO_SETTINGS

    @property
    def has_bad_settings(self) -> bool:
        """Whether there are settings of which no version was good: nothing may be served then."""
        return self.operator.settings is None

    @property
    def all_problems(self) -> list[Problem]:
        return [*self.problems, *(p for file in self.files.values() for p in file.problems)]

    @property
    def watched_files(self) -> frozenset[Path]:
        """Files whose change matters, in served folders or not."""
        return frozenset(path for file in self.files.values() for path, _ in file.digests)

    def differs_from(self, other: Collection) -> bool:
        """Whether there is anything to take over, or to report."""
        if list(self.files.values()) != list(other.files.values()):
            return True
        return self.problems != other.problems or self.operator != other.operator


def load_collection(
    settings: SourceSettings,
    previous: Collection | None = None,
    notified: Iterable[Path] | None = None,
) -> Collection:
    """Reads what the settings name. Reads files and computes; call it beside the event loop.

    `notified`: something has happened to these files, and as far as is known to no others, which
    are then not looked at.
    """
    variables, problems, unsettled = _read_variables(settings, previous)
    operator, is_written = load_settings(
        settings.paths, settings.settings, variables, previous.operator if previous else None
    )
    unsettled = unsettled or is_written
    base_uris = base_uris_of(settings.base_uris, operator.settings)
    loading = Loading(variables, base_uris)
    same = previous is not None and Loading(previous.variables, previous.base_uris) == loading
    touched = None
    if previous is not None and notified is not None and same and not previous.unsettled:
        touched = touched_files(previous.found, notified, settings.settings)
    found = find_files(settings.paths, settings.settings) if touched is None else touched.found
    files: dict[Path, ServedFile] = {}
    marks = Marks(previous.marks if previous else None)
    if touched is not None:
        marks.keep()
    for path in found.files:
        before = previous.files.get(path) if previous else None
        if before and same and _stays(before, touched, marks):
            files[path] = before
            continue
        version = load_version(path, loading, before, asked_for=path in found.named)
        if previous is None or not may_be_unfinished(version, before):
            files[path] = version
            continue
        unsettled = True
        if before is not None:
            files[path] = before
    if previous is not None:
        files = dict(sorted({**_refused_now(previous, files), **files}.items(), key=_by_name))
    plans = [file.plan for file in files.values() if file.plan is not None]
    problems += [*found.problems, *operator.problems, *_held_against(operator, plans)]
    return Collection(
        files,
        found,
        tuple(problems),
        variables,
        base_uris,
        without_hidden(plans, operator.settings.hidden if operator.settings else ()),
        operator,
        unsettled,
        marks,
    )


def _stays(file: ServedFile, touched: Touched | None, marks: Marks) -> bool:
    """Whether a file and what it reads are as they were."""
    if touched is not None and touched.files.isdisjoint(path for path, _ in file.digests):
        return True
    return is_unchanged(file, marks)


def _held_against(operator: SettingsVersion, plans: Sequence[CapabilityPlan]) -> list[Problem]:
    """What in the settings that are in force means nothing to what is served."""
    if operator.settings is None or operator.document is None or not plans:
        return []
    served = Served(
        namespaces={namespace for plan in plans for namespace in plan.upstreams},
        operations={operation for plan in plans for operation in plan.consumed},
        tools={tool.name for plan in plans for adapter in plan.mcp for tool in adapter.tools},
    )
    return check_against(operator.settings, operator.document, served)


def _by_name(entry: tuple[Path, ServedFile]) -> str:
    return str(entry[0])


def _refused_now(previous: Collection, files: Mapping[Path, ServedFile]) -> dict[Path, ServedFile]:
    """Files that were served and are still there, but as something that is not read any more (a
    pipe, a link that leads elsewhere): their last good versions go on."""
    missing = {
        path: file
        for path, file in previous.files.items()
        if path not in files and file.plan is not None and os.path.lexists(path)
    }
    known = {os.path.realpath(path) for path in files} if missing else set()
    return {
        path: _kept_unread(file)
        for path, file in missing.items()
        if os.path.realpath(path) not in known
    }


def _kept_unread(file: ServedFile) -> ServedFile:
    digests = ((file.path, "refused"),)
    return file if file.digests == digests else replace(file, digests=digests, kept=True)


def _read_variables(
    settings: SourceSettings, previous: Collection | None
) -> tuple[Mapping[str, str], list[Problem], bool]:
    """The process environment over the --env-file: a variable that is set for this very process
    is the nearer wish. The last value is True when the file is just being written."""
    if settings.env_file is None:
        return previous.variables if previous else dict(os.environ), [], False
    from_file, problems = read_env_file(settings.env_file)
    variables = from_file | dict(os.environ)
    if previous is None or variables == previous.variables:
        return variables, problems, False
    if is_being_written(settings.env_file):
        return previous.variables, [], True
    if any(problem.severity is Severity.ERROR for problem in problems):
        return previous.variables, problems, False
    return variables, problems, False


def fingerprint(paths: Iterable[Path]) -> Fingerprint:
    """What the file system says of files and folders without opening them: equal as long as
    nothing has been written, added or removed."""
    marks = set()
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            times = (status.st_mtime_ns, status.st_ctime_ns)
            marks.add((str(path), status.st_ino, status.st_size, *times))
    return frozenset(marks)
