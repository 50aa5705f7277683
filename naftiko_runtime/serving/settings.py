"""What the command line decides about a running process."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.lazy_dataclasses import dataclass

GRACE_SECONDS = 10.0
"""How long calls in flight may go on once the process has been told to stop."""


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How a process speaks to its operator."""

    format: LogFormat = LogFormat.TEXT
    level: LogLevel = LogLevel.INFO


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Which files are served, and what stands for their variables and addresses.

    `base_uris` replaces the `baseUri` of a consumed namespace. `settings` is the file with the
    operator's settings, where they are not in `runtime.yaml` beside the files.
    """

    paths: tuple[Path, ...]
    env_file: Path | None = None
    base_uris: Mapping[str, str] = field(default_factory=dict)
    settings: Path | None = None


@dataclass(frozen=True, slots=True)
class UpstreamChoices:
    """Whom to trust upstream: further CA files, and namespaces whose certificate is not checked."""

    ca_files: tuple[Path, ...] = ()
    insecure: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PortSettings:
    """Where to listen.

    `host` replaces every file's `address`; `moved` maps a declared port to the one to open, 0 for
    any free one. `allowed_hosts` are names that callers may use beside the address itself.
    `shared` opens ports that other processes of this service open too; `claim` makes sure, at the
    start, that no process of another service has them.
    """

    host: str | None = None
    moved: Mapping[int, int] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    shared: bool = False
    claim: bool = False


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Everything about one `naftiko serve`.

    `grace` is in seconds. `reports` is off in all but one of several workers, which read the same
    files and would say the same about them. `guard_key` signs what callers are challenged with;
    workers get it from their parent, since the answer may reach another one than asked.
    """

    sources: SourceSettings
    ports: PortSettings = PortSettings()
    upstreams: UpstreamChoices = UpstreamChoices()
    logs: LogSettings = LogSettings()
    watch: bool = True
    workers: int = 1
    grace: float = GRACE_SECONDS
    reports: bool = True
    guard_key: Secret = field(default_factory=lambda: Secret(secrets.token_hex(32)))
