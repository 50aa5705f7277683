"""Loads one capability file: from its path to its plan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from naftiko_runtime.document.capability_reader import read_capability
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.compile import compile_capability
from naftiko_runtime.plan.operation import CapabilityPlan
from naftiko_runtime.plan.provenance import version_of, with_provenance
from naftiko_runtime.plan.variables import resolve_variables
from naftiko_runtime.problems import Problem, in_file_order


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file's plan (None when nothing of it can be served), the problems of every stage in the
    order of the file, and the other files it was read with (imports, sources of variables,
    scripts)."""

    path: Path
    plan: CapabilityPlan | None
    problems: tuple[Problem, ...]
    dependencies: tuple[Path, ...] = ()


def load_file(
    path: Path,
    variables: Mapping[str, str],
    base_uris: Mapping[str, str],
    data: bytes | None = None,
) -> LoadedFile:
    """Loads a capability file. Never raises for what is wrong with it: that is in `problems`.

    `variables` is the environment, `base_uris` replaces the `baseUri` of consumed namespaces, and
    `data` is the file's content where the caller has read it already.
    """
    if data is None:
        with suppress(OSError):  # which the reader reports
            data = path.read_bytes()
    reading = read_capability(path, data)
    if reading.capability is None:
        return LoadedFile(path, None, tuple(in_file_order(reading.problems)), reading.dependencies)
    resolved, unset, files = resolve_variables(reading.capability, variables)
    plan, refused = compile_capability(reading.capability, resolved, base_uris)
    plan = with_provenance(
        plan, reading.capability, version_of(data or b"", (*reading.dependencies, *plan.files))
    )
    problems = in_file_order([*reading.problems, *unset, *refused])
    return LoadedFile(path, plan, tuple(problems), (*reading.dependencies, *files, *plan.files))
