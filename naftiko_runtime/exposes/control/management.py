"""What a control port asks of the process that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from naftiko_runtime.exposes.endpoints import Stream
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Problem
from naftiko_runtime.telemetry.recorder import Telemetry


@dataclass(frozen=True, slots=True)
class AdapterState:
    """One adapter of one file, and whether it is being served. `port` is the one that is open
    where it is, else the one that the file names; a control adapter has no namespace."""

    type: str
    namespace: str | None
    port: int | None
    capability: str
    is_up: bool


@dataclass(frozen=True, slots=True)
class Validation:
    """What is wrong with the files as they are now, and how many files that are."""

    files: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload led to: files that were taken over, files that are gone, files that are
    broken and go on in their last good version; and everything that is wrong now."""

    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    problems: tuple[Problem, ...]


class Logs(Protocol):
    """The log of the process."""

    def levels(self) -> Mapping[str, str]:
        """The level of each logger that can be set, in lower case."""
        ...

    def set_level(self, logger: str, level: str) -> None:
        """Sets the level of a known logger, until the process ends."""
        ...

    def subscribe(self, most: int) -> Stream | None:
        """What is logged from now on, as server-sent events; None where `most` callers get that
        already."""
        ...


class Management(Protocol):
    """The process, as far as control ports may see and move it."""

    @property
    def telemetry(self) -> Telemetry: ...

    @property
    def logs(self) -> Logs: ...

    def adapters(self) -> Sequence[AdapterState]: ...

    def status(self, file: str) -> dict[str, JsonValue]:
        """`file` is the one whose control adapter is asked."""
        ...

    def config(self) -> dict[str, JsonValue]:
        """What is being served, and how. Holds no secret: values of variables are `***`."""
        ...

    async def validate(self) -> Validation:
        """Checks the files on disk; nothing changes."""
        ...

    async def reload(self) -> Reloaded:
        """Takes over what has changed on disk."""
        ...
