"""Variables from the secrets of platforms that hand them to programs in ways of their own.

`github-secrets://...`: GitHub tells no program its secrets; a workflow maps them into the
environment of a step. So they are variables of the environment here, called like the keys; what
follows the scheme (an owner and a repository, an environment) is for readers.

`k8s-secret://NAME` or `k8s-secret://NAMESPACE/NAME`: a pod has its secrets as mounted folders. The
folder NAME is looked for in that of the variable NAFTIKO_SECRETS_DIR, then in /etc/secrets,
/run/secrets and /var/run/secrets. A pod can mount the secrets of its own namespace only, so the
namespace is for readers as well. A secret that is mounted elsewhere is
`file:///THE/FOLDER/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from naftiko_runtime.binds import environment, mounted
from naftiko_runtime.binds.source import BindSourceError, Found

SECRETS_FOLDER = "NAFTIKO_SECRETS_DIR"
"""The variable that names the folder of mounted secrets."""

_FOLDERS = ("/etc/secrets", "/run/secrets", "/var/run/secrets")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def github_secrets(location: str, keys: tuple[str, ...], variables: Mapping[str, str]) -> Found:
    """Raises BindSourceError where none of the keys is in the environment."""
    values = environment.lookup(keys, variables)
    if not any(value is not None for value in values.values()):
        raise BindSourceError(
            f'"{location}"',
            "has given nothing: GitHub hands secrets to workflows only",
            f"map each in the step of the workflow (env: {keys[0]}: ${{{{ secrets.{keys[0]} }}}}), "
            "and set variables of these names elsewhere",
        )
    return Found(values)


def kubernetes_secret(location: str, keys: tuple[str, ...], variables: Mapping[str, str]) -> Found:
    """Raises BindSourceError where the secret is not mounted or cannot be read."""
    *namespace, name = location.partition("://")[2].strip("/").split("/")
    if len(namespace) > 1 or not all(_NAME.fullmatch(part) for part in (*namespace, name)):
        message = "names no secret"
        raise BindSourceError(f'"{location}"', message, "write k8s-secret://NAMESPACE/NAME")
    given = variables.get(SECRETS_FOLDER)
    folders = [Path(folder) / name for folder in ((given,) if given else ()) + _FOLDERS]
    for folder in folders:
        if os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises where access is denied
            return mounted.lookup(folder, keys)
    raise BindSourceError(
        f'"{location}"',
        f"is not mounted (looked for {', '.join(map(str, folders))})",
        f"mount it in the pod at {folders[-3]}, or name the folder above it in {SECRETS_FOLDER}",
    )
