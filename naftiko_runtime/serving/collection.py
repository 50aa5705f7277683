"""All the files that a process serves, each in the version that it serves.

A collection is a value: loading again makes a new one, taking over what has not changed.
"""

from __future__ import annotations

import os
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from naftiko_runtime.binds.environment import read_env_file
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Problem, Severity
from naftiko_runtime.serving.base_uris import BaseUris, base_uris_of
from naftiko_runtime.serving.discovery import Found, find_files
from naftiko_runtime.serving.hidden_tools import without_hidden
from naftiko_runtime.serving.kept_sessions import changing_calls
from naftiko_runtime.serving.marks import Marks
from naftiko_runtime.serving.operator_settings import SettingsVersion, load_settings
from naftiko_runtime.serving.settings import SourceSettings
from naftiko_runtime.serving.touched import Touched, touched_files
from naftiko_runtime.serving.versions import (
    Loading,
    ServedFile,
    is_being_written,
    is_unchanged,
    load_version,
    may_be_unfinished,
)
from naftiko_runtime.settings.cross_checks import Served, check_against
from naftiko_runtime.settings.model import NO_SETTINGS, RuntimeSettings
from naftiko_runtime.settings.unfit import summed_up


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
    def watched(self) -> frozenset[Path]:
        """Folders in which a change of a capability file matters, and other files and folders
        whose change does."""
        read = (
            path
            for file in self.files.values()
            if len(file.digests) > 1
            for path, _ in file.digests
        )
        return frozenset((*self.folders, *self.found.named, *read))

    @property
    def is_plain(self) -> bool:
        """Whether nothing is served but what was found, and nothing is waited for."""
        return not self.unsettled and len(self.files) == len(self.found.files)

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
    base_uris = base_uris_of(settings.base_uris, operator.settings)
    loading = Loading(variables, base_uris)
    same = previous is not None and Loading(previous.variables, previous.base_uris) == loading
    touched = None
    if previous is not None and notified is not None and same and previous.is_plain:
        touched = touched_files(previous.found, previous.files, notified, settings.settings)
    if previous is not None and touched is not None:
        found = touched.found
        marks = Marks(previous.marks)
        marks.keep()
        files, waits = _versions(_concerned(previous, touched), found, loading, previous, marks)
        files = _with_these(previous.files, files)
    else:
        found = find_files(settings.paths, settings.settings, previous.found if previous else None)
        marks = Marks(previous.marks if previous else None, found.marks)
        files, waits = _versions(found.files, found, loading, previous, marks)
    refused = _refused_now(previous, files) if previous is not None and touched is None else {}
    if refused:
        files = dict(sorted({**refused, **files}.items(), key=_by_name))
    plans = [file.plan for file in files.values() if file.plan is not None]
    problems += [*found.problems, *operator.problems, *_held_against(operator, plans, settings)]
    return Collection(
        files,
        found,
        tuple(problems),
        variables,
        base_uris,
        without_hidden(plans, operator.settings.hidden if operator.settings else ()),
        operator,
        unsettled or is_written or waits,
        marks,
    )


def _versions(
    paths: Iterable[Path],
    found: Found,
    loading: Loading,
    previous: Collection | None,
    marks: Marks,
) -> tuple[dict[Path, ServedFile], bool]:
    """The versions of these files to be served, and whether any is worth another look soon."""
    same = previous is not None and loading == Loading(previous.variables, previous.base_uris)
    files: dict[Path, ServedFile] = {}
    waits = False
    for path in paths:
        before = previous.files.get(path) if previous else None
        if before and same and is_unchanged(before, marks):
            files[path] = before
            continue
        version = load_version(path, loading, before, asked_for=path in found.named)
        if previous is None or not may_be_unfinished(version, before):
            files[path] = version
            continue
        waits = True
        if before is not None:
            files[path] = before
    return files, waits


def _with_these(
    before: Mapping[Path, ServedFile], versions: Mapping[Path, ServedFile]
) -> dict[Path, ServedFile]:
    """Files in the order of their names, with other versions of some, and new ones."""
    added = [entry for entry in versions.items() if entry[0] not in before]
    if not added:
        return {**before, **versions}
    entries = [*before.items()]
    for entry in added:
        insort(entries, entry, key=_by_name)
    return {**dict(entries), **versions}


def _concerned(previous: Collection, touched: Touched) -> list[Path]:
    """The files that were touched, and those that read one of them."""
    reading = (file for file in previous.files.values() if len(file.digests) > 1)
    concerned = {
        file.path
        for file in reading
        if not touched.files.isdisjoint(path for path, _ in file.digests)
    }
    return [*(touched.files | concerned)]


def _held_against(
    operator: SettingsVersion, plans: Sequence[CapabilityPlan], asked: SourceSettings
) -> list[Problem]:
    """What in the settings that are in force means nothing to what is served."""
    if operator.settings is None or operator.document is None or not plans:
        return []
    served = Served(
        namespaces={namespace for plan in plans for namespace in plan.upstreams},
        operations={operation for plan in plans for operation in plan.consumed},
        tools={tool.name for plan in plans for adapter in plan.mcp for tool in adapter.tools},
        changing=changing_calls(plans, operator.settings),
    )
    problems = check_against(operator.settings, operator.document, served)
    are_files = not any(path.is_dir() for path in asked.paths)
    return summed_up(problems) if are_files and asked.settings is None else problems


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
