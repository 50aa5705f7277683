"""Where variables come from: one provider per scheme of a bind's `location`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from naftiko_runtime.binds import environment, files, mounted, platforms
from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.binds.source import BindSourceError, Found, texts_of

if TYPE_CHECKING:
    from naftiko_runtime.binds.vault import Vault

__all__ = ["PROVIDERS", "BindSourceError", "Found", "Load", "Secret", "find_values"]


class Load:
    """What the lookups of one load share: the environment, and what servers have answered."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    @cached_property
    def vault(self) -> Vault:
        # few files need it, and it brings asyncio along
        from naftiko_runtime.binds.vault import Vault

        return Vault(self.variables)


Provider: TypeAlias = Callable[[str, tuple[str, ...], Path, Load], Found]
"""Finds keys at a location; relative ones are beside the folder."""


def _from_environment(location: str, keys: tuple[str, ...], folder: Path, load: Load) -> Found:
    return Found(environment.lookup(keys, load.variables))


def _from_files(location: str, keys: tuple[str, ...], folder: Path, load: Load) -> Found:
    path = files.path_of(location, folder)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where access is denied
        return mounted.lookup(path, keys)
    return Found(files.lookup(path, keys), (path,))


def _from_vault(location: str, keys: tuple[str, ...], folder: Path, load: Load) -> Found:
    return Found(texts_of(load.vault.read(location), keys, f'"{location}"'))


def _from_github(location: str, keys: tuple[str, ...], folder: Path, load: Load) -> Found:
    return platforms.github_secrets(location, keys, load.variables)


def _from_kubernetes(location: str, keys: tuple[str, ...], folder: Path, load: Load) -> Found:
    return platforms.kubernetes_secret(location, keys, load.variables)


PROVIDERS: dict[str, Provider] = {
    "": _from_environment,
    "file": _from_files,
    "vault": _from_vault,
    "github-secrets": _from_github,
    "k8s-secret": _from_kubernetes,
}
"""Scheme of `location` (empty without one) to provider."""


def find_values(location: str | None, keys: tuple[str, ...], folder: Path, load: Load) -> Found:
    """The values of `keys` at `location`; relative file locations resolve against `folder`.

    Raises BindSourceError when the source cannot be read, and KeyError (the scheme) when no
    provider reads such a location.
    """
    scheme = location.split("://", 1)[0].lower() if location else ""
    return PROVIDERS[scheme](location or "", keys, folder, load)
