"""Problems found in capability files, and how lists of them are shown.

Every stage of loading returns its value together with a list of problems instead of raising,
so that all problems of a file are reported at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from naftiko_runtime.lazy_dataclasses import dataclass

DocumentPath = tuple[str | int, ...]
"""Where a value sits inside a document: keys and list indexes from the root."""


class Severity(StrEnum):
    """How `naftiko validate` counts a problem."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    """Works here but goes beyond the official schema; listed by `validate --strict` only."""


class Consequence(StrEnum):
    """What a problem takes out of service when the file is served all the same."""

    FILE = "file"
    """Nothing of the file can be served."""
    PART = "part"
    """The operation, tool, resource or adapter that holds the problem is left out."""
    NOTHING = "nothing"
    """The value is passed over, or the problem does not prevent anything."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a source file; line and column count from 1, as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file: where, what, and how to mend it.

    `rule` is a stable kebab-case identifier (it is the SARIF rule id and the anchor in
    docs/errors.md). `message` starts in lower case and quotes the offending value; `remedy`
    says what to do about it.
    """

    rule: str
    place: Place
    path: DocumentPath
    message: str
    remedy: str = ""
    severity: Severity = Severity.ERROR
    consequence: Consequence = Consequence.FILE

    def __str__(self) -> str:
        remedy = f" - {self.remedy}" if self.remedy else ""
        return f"{self.place}: {self.message}{remedy}"


def format_path(path: DocumentPath) -> str:
    """A document path as a JSONPath-like text: `$.capability.exposes[0].port`."""
    text = "$"
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() or step.replace("-", "_").isidentifier():
            text += f".{step}"
        else:
            text += f"['{step}']"
    return text


def in_file_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems sorted as a reader meets them, each one once."""
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda p: (p.place.file, p.place.line, p.place.column, p.rule))
