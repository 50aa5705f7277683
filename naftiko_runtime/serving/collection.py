"""All the files that a process serves, each in the version that it serves.

A collection is a value: loading again makes a new one, taking over what has not changed. A new
version of a file that would take away what its last good version serves is not taken: that
version goes on, and the new one's problems are kept beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from naftiko_runtime.binds.environment import read_env_file
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.discovery import (
    find_files,
    looks_like_capability,
    passed_over,
    read_bytes,
)
from naftiko_runtime.serving.logs import LOGGER
from naftiko_runtime.serving.settings import SourceSettings

Digests: TypeAlias = tuple[tuple[Path, str], ...]
Fingerprint: TypeAlias = frozenset[tuple[str, int, int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class ServedFile:
    """One version of one file.

    `plan` is what it serves (None: nothing); `kept` says that this is the plan of an earlier
    version, because the one on disk is broken. `digests` identify the version on disk: the
    file's, and those of the files that it reads.
    """

    path: Path
    digests: Digests
    plan: CapabilityPlan | None
    problems: tuple[Problem, ...] = ()
    kept: bool = False

    @property
    def dependencies(self) -> tuple[Path, ...]:
        return tuple(path for path, _ in self.digests[1:])


@dataclass(frozen=True, slots=True)
class Collection:
    """The files by path, in the order of their names.

    `folders` are those that were searched, `problems` those of no single file, `variables` what
    stands for the files' variables.
    """

    files: Mapping[Path, ServedFile]
    folders: tuple[Path, ...]
    problems: tuple[Problem, ...]
    variables: Mapping[str, str]

    @property
    def plans(self) -> tuple[CapabilityPlan, ...]:
        return tuple(file.plan for file in self.files.values() if file.plan is not None)

    @property
    def all_problems(self) -> list[Problem]:
        return [*self.problems, *(p for file in self.files.values() for p in file.problems)]

    @property
    def watched_files(self) -> frozenset[Path]:
        """Files whose change matters although no served folder may hold them."""
        files = self.files.values()
        return frozenset(path for file in files for path, _ in file.digests)

    def differs_from(self, other: Collection) -> bool:
        """Whether there is anything to take over, or to report."""
        same_files = list(self.files.values()) == list(other.files.values())
        return not same_files or self.problems != other.problems


def load_collection(settings: SourceSettings, previous: Collection | None = None) -> Collection:
    """Reads what the settings name. Reads files and computes; call it beside the event loop."""
    variables, problems = _read_variables(settings, previous)
    found = find_files(settings.paths)
    files: dict[Path, ServedFile] = {}
    for path in found.files:
        before = previous.files.get(path) if previous else None
        same_variables = previous is not None and previous.variables == variables
        if before is not None and same_variables and _digests(before) == before.digests:
            files[path] = before
        else:
            wanted = path in found.named
            files[path] = _load(path, wanted, before, variables, settings.base_uris)
    if previous is not None:
        files = dict(sorted({**_refused_now(previous, files), **files}.items(), key=_by_name))
    return Collection(files, found.folders, (*problems, *found.problems), variables)


def _by_name(entry: tuple[Path, ServedFile]) -> str:
    return str(entry[0])


def _refused_now(previous: Collection, files: Mapping[Path, ServedFile]) -> dict[Path, ServedFile]:
    """Files that were served and are still there, but as something that is not read any more (a
    pipe, a link that leads elsewhere): their last good versions go on."""
    known = {os.path.realpath(path) for path in files}
    return {
        path: replace(file, digests=((path, "refused"),), kept=True)
        for path, file in previous.files.items()
        if path not in files
        and file.plan is not None
        and os.path.lexists(path)
        and os.path.realpath(path) not in known
    }


def _read_variables(
    settings: SourceSettings, previous: Collection | None
) -> tuple[Mapping[str, str], list[Problem]]:
    """The process environment over the --env-file; a variable that is set for this very process
    is the nearer wish."""
    if settings.env_file is None:
        return previous.variables if previous else dict(os.environ), []
    from_file, problems = read_env_file(settings.env_file)
    if previous is not None and any(p.severity is Severity.ERROR for p in problems):
        return previous.variables, problems
    return from_file | dict(os.environ), problems


def _load(
    path: Path,
    wanted: bool,
    before: ServedFile | None,
    variables: Mapping[str, str],
    base_uris: Mapping[str, str],
) -> ServedFile:
    served_before = before.plan if before else None
    try:
        content = read_bytes(path)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        problem = Problem("file-refused", Place(str(path)), (), message, "check its permissions")
        unread = ((path, _digest(path)),)
        return ServedFile(path, unread, served_before, (problem,), served_before is not None)
    digest = (path, hashlib.sha256(content).hexdigest())
    if not wanted and served_before is None and not looks_like_capability(content):
        return ServedFile(path, (digest,), None, (passed_over(path),))
    loaded = _load_content(path, content, variables, base_uris)
    digests = (digest, *((other, _digest(other)) for other in loaded.dependencies))
    if served_before is not None and _breaks(served_before, loaded):
        return ServedFile(path, digests, served_before, loaded.problems, kept=True)
    return ServedFile(path, digests, loaded.plan, loaded.problems)


def _load_content(
    path: Path, content: bytes, variables: Mapping[str, str], base_uris: Mapping[str, str]
) -> LoadedFile:
    """`load_file`; a bug that a file brings to light must not take the other files down."""
    try:
        return load_file(path, variables, base_uris, content)
    except Exception as error:
        LOGGER.exception("loading %s failed", path, extra={"event": "internal-error"})
        message = f"the file cannot be loaded: {type(error).__name__} inside the runtime"
        remedy = "this is a fault of the runtime; please report it with the file"
        return LoadedFile(
            path, None, (Problem("internal-error", Place(str(path)), (), message, remedy),)
        )


def _breaks(before: CapabilityPlan, loaded: LoadedFile) -> bool:
    """Whether a fault, not a wish, takes something away that the last version served."""
    errors = [p for p in loaded.problems if p.severity is Severity.ERROR]
    if loaded.plan is None:
        return bool(errors)
    faulty = any(p.consequence is not Consequence.NOTHING for p in errors)
    return faulty and not surface(before) <= surface(loaded.plan)


def surface(plan: CapabilityPlan) -> frozenset[tuple[object, ...]]:
    """What a plan serves, by port and name."""
    routes = ((a.port, o.method, o.route) for a in plan.rest for o in a.operations)
    tools = ((a.port, tool.name) for a in plan.mcp for tool in a.tools)
    return frozenset([*routes, *tools])


def _digests(file: ServedFile) -> Digests:
    return tuple((path, _digest(path)) for path, _ in file.digests)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError as error:
        return f"unreadable: {error}"


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
