"""A typed view of one mapping of a document, for the readers that build the model.

The readers run after the schema check, on what it did not refuse, so a key of the wrong type is
read as absent here and needs no second message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from naftiko_runtime.document.dialects import NameScope
from naftiko_runtime.document.templates import TemplateSyntaxError
from naftiko_runtime.document.yaml_reader import YamlDocument
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Consequence, DocumentPath, Place, Problem, Severity


@dataclass(slots=True)
class Reading:
    """What the readers of one file share: the document, what the schema check refused in it, what
    names mean, and the problems found. Lives while a file is read."""

    document: YamlDocument
    refused: set[DocumentPath]
    scope: NameScope
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        rule: str,
        path: DocumentPath,
        message: str,
        remedy: str = "",
        *,
        severity: Severity = Severity.ERROR,
        consequence: Consequence = Consequence.NOTHING,
        key: bool = False,
    ) -> None:
        place = self.document.place(path, key=key)
        self.problems.append(Problem(rule, place, path, message, remedy, severity, consequence))

    def refuse(self, rule: str, path: DocumentPath, message: str, remedy: str = "") -> None:
        """Reports a problem that takes the enclosing part out of service."""
        self.report(rule, path, message, remedy, consequence=Consequence.PART)
        self.refused.add(path)

    def is_refused(self, path: DocumentPath) -> bool:
        """Whether the value at a path, or something inside it, was refused."""
        return any(refused[: len(path)] == path for refused in self.refused)


def scalar_text(value: JsonValue, default: str = "") -> str:
    """A scalar as the text that it stands for; the default for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return default


@dataclass(frozen=True, slots=True)
class Element:
    """One mapping of the document, by its path."""

    reading: Reading
    path: DocumentPath
    values: Mapping[str, JsonValue]

    @property
    def place(self) -> Place:
        return self.reading.document.place(self.path)

    def text(self, key: str, default: str = "") -> str:
        return scalar_text(self.values.get(key), default)

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.values.get(key) is not None else None

    def flag(self, key: str) -> bool | None:
        value = self.values.get(key)
        return value if isinstance(value, bool) else None

    def number(self, key: str) -> int | None:
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key)
        return tuple(map(scalar_text, value)) if isinstance(value, list) else ()

    def mapping(self, key: str) -> Mapping[str, JsonValue]:
        value = self.values.get(key)
        return value if isinstance(value, dict) else {}

    def child(self, key: str) -> Element | None:
        value = self.values.get(key)
        return Element(self.reading, (*self.path, key), value) if isinstance(value, dict) else None

    def children(self, key: str) -> Iterator[Element]:
        """The mappings of a list, leaving out what is refused."""
        value = self.values.get(key)
        if not isinstance(value, list):
            return
        for index, item in enumerate(value):
            path = (*self.path, key, index)
            if isinstance(item, dict) and path not in self.reading.refused:
                yield Element(self.reading, path, item)

    def fail_template(self, key: str | int, error: TemplateSyntaxError) -> None:
        self.reading.refuse(
            "template-syntax",
            (*self.path, key),
            str(error),
            "write {{name}} for a value that is filled in",
        )
