"""Where variables come from: one provider per scheme of a bind's `location`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from naftiko_runtime.binds import environment, files
from naftiko_runtime.binds.files import BindSourceError
from naftiko_runtime.binds.secret import Secret

__all__ = ["PROVIDERS", "BindSourceError", "Found", "Secret", "find_values"]


@dataclass(frozen=True, slots=True)
class Found:
    """The values of a source's keys (None: not there) and the file they came from, if one."""

    values: Mapping[str, str | None]
    file: Path | None = None


Provider: TypeAlias = Callable[[str, tuple[str, ...], Path, Mapping[str, str]], Found]


def _from_environment(
    location: str, keys: tuple[str, ...], folder: Path, variables: Mapping[str, str]
) -> Found:
    return Found(environment.lookup(keys, variables))


def _from_file(
    location: str, keys: tuple[str, ...], folder: Path, variables: Mapping[str, str]
) -> Found:
    path = files.path_of(location, folder)
    return Found(files.lookup(path, keys), path)


PROVIDERS: dict[str, Provider] = {"": _from_environment, "file": _from_file}
"""Scheme of `location` (empty without one) to provider."""


def find_values(
    location: str | None, keys: tuple[str, ...], folder: Path, variables: Mapping[str, str]
) -> Found:
    """The values of `keys` at `location`; relative file locations resolve against `folder`.

    Raises BindSourceError when the source cannot be read, and KeyError (the scheme) when no
    provider reads such a location.
    """
    scheme = location.split("://", 1)[0].lower() if location else ""
    return PROVIDERS[scheme](location or "", keys, folder, variables)
