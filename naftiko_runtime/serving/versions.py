"""One capability file from version to version.

A new version that would take away, by a fault, what the last good one serves is not taken: that
one goes on, and the new one's problems are kept beside it. Nor is one that is still being
written: half a file can look like a whole one with less in it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from naftiko_runtime.exposes.folder import subfolders
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan, SkillAdapterPlan
from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import CapabilityPlan, McpAdapterPlan, RestAdapterPlan
from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.base_uris import BaseUris
from naftiko_runtime.serving.contents import looks_like_capability, read_bytes
from naftiko_runtime.serving.discovery import passed_over
from naftiko_runtime.serving.logs import LOGGER
from naftiko_runtime.serving.marks import Marks, digest_of

_SETTLED_SECONDS = 0.3
"""A file that was written to this recently may be written to again."""

_MOST_FOLDERS = 200
"""So many folders of one resource are watched; in those beyond, a new file is just found."""

Digests: TypeAlias = tuple[tuple[Path, str], ...]

_Guarded: TypeAlias = RestAdapterPlan | McpAdapterPlan | SkillAdapterPlan | ControlAdapterPlan


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


@dataclass(frozen=True, slots=True)
class Loading:
    """What files are loaded with: the environment, and other addresses for namespaces."""

    variables: Mapping[str, str]
    base_uris: BaseUris


def is_unchanged(file: ServedFile, marks: Marks) -> bool:
    """Whether the version on disk, with all that it reads, is still this one."""
    return all(marks.agree(path, digest) for path, digest in file.digests)


def load_version(
    path: Path, loading: Loading, before: ServedFile | None, asked_for: bool
) -> ServedFile:
    """The version on disk after `before`. `asked_for`: a file that is no capability at all is an
    error, not just passed over."""
    served = before.plan if before else None
    try:
        content = read_bytes(path)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        problem = Problem("file-refused", Place(str(path)), (), message, "check its permissions")
        return ServedFile(path, ((path, digest_of(path)),), served, (problem,), served is not None)
    digest = (path, hashlib.sha256(content).hexdigest())
    if not asked_for and served is None and not looks_like_capability(content):
        return ServedFile(path, (digest,), None, (passed_over(path),))
    loaded = _load(path, content, loading)
    others = [*loaded.dependencies, *_folders_of(loaded.plan)]
    digests = (digest, *((other, digest_of(other)) for other in others))
    if served is not None and _breaks(served, loaded):
        return ServedFile(path, digests, served, loaded.problems, kept=True)
    return ServedFile(path, digests, loaded.plan, loaded.problems)


def may_be_unfinished(version: ServedFile, before: ServedFile | None) -> bool:
    """Whether a version lacks something and was written just now, or something that it reads
    was."""
    if version.plan is not None and not version.kept and not _faults(version.problems):
        lost = before and before.plan and not _surface(before.plan) <= _surface(version.plan)
        if not lost:
            return False
    return any(is_being_written(path) for path, _ in version.digests)


def is_being_written(path: Path) -> bool:
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    return 0 <= age < _SETTLED_SECONDS


def _load(path: Path, content: bytes, loading: Loading) -> LoadedFile:
    """`load_file`; a bug that one file brings to light must not take the others down."""
    try:
        return load_file(path, loading.variables, loading.base_uris, content)
    except Exception as error:
        LOGGER.exception("loading %s failed", path, extra={"event": "internal-error"})
        message = f"the file cannot be loaded: {type(error).__name__} inside the runtime"
        remedy = "this is a fault of the runtime; please report it with the file"
        problem = Problem("internal-error", Place(str(path)), (), message, remedy)
        return LoadedFile(path, None, (problem,))


def _breaks(before: CapabilityPlan, loaded: LoadedFile) -> bool:
    """Whether a fault, not a wish, takes something away that was served."""
    if loaded.plan is None:
        return any(problem.severity is Severity.ERROR for problem in loaded.problems)
    faults = _faults(loaded.problems)
    if _means_to_close(faults) and any(each.authentication is None for each in _doors(before)):
        return False
    return bool(faults) and not _surface(before) <= _surface(loaded.plan)


def _means_to_close(faults: Iterable[Problem]) -> bool:
    """Whether an adapter is out of service because it cannot ask for the authentication that its
    file wants: to go on with a version in which it was open would be what nobody wants."""
    return any(
        fault.path[:2] == ("capability", "exposes") and "authentication" in fault.path[3:4]
        for fault in faults
    )


def _doors(plan: CapabilityPlan) -> Iterable[_Guarded]:
    return (*plan.rest, *plan.mcp, *plan.skills, *plan.control)


def _faults(problems: Iterable[Problem]) -> list[Problem]:
    """The errors that take something out of service."""
    return [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and problem.consequence is not Consequence.NOTHING
    ]


def _surface(plan: CapabilityPlan) -> frozenset[tuple[object, ...]]:
    """What a plan serves, by port and name."""
    routes = ((a.port, o.method, o.route) for a in plan.rest for o in a.operations)
    forwards = ((a.port, "*", f.route) for a in plan.rest for f in a.forwards)
    tools = ((a.port, tool.name) for a in plan.mcp for tool in a.tools)
    resources = ((a.port, r.uri.text) for a in plan.mcp for r in a.resources)
    prompts = ((a.port, "prompt", prompt.name) for a in plan.mcp for prompt in a.prompts)
    skills = ((a.port, "skill", skill.name) for a in plan.skills for skill in a.skills)
    control = ((a.port, "control") for a in plan.control)
    return frozenset([*routes, *forwards, *tools, *resources, *prompts, *skills, *control])


def _folders_of(plan: CapabilityPlan | None) -> list[Path]:
    """The folders whose files a plan lists: clients are told when those come and go."""
    sources = [r.source for a in (plan.mcp if plan else ()) for r in a.resources if r.source]
    return [folder for source in sources for folder in subfolders(source)[:_MOST_FOLDERS]]
