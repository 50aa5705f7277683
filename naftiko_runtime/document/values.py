"""References, templates and values: what `with`, `value`, paths and bodies hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InputReference:
    """A value that the caller gives; `body` alone is the whole request body.

    `rest` is a dotted way into the value (`{{order.price}}`), empty as a rule.
    `text` is how the file spelt the name, for messages.
    """

    name: str
    rest: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class BindReference:
    """A variable that a bind (or the environment) gives."""

    variable: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class StepReference:
    """A value out of an earlier step's output."""

    step: str
    rest: tuple[str, ...] = ()
    text: str = ""


Reference: TypeAlias = InputReference | BindReference | StepReference


@dataclass(frozen=True, slots=True)
class Template:
    """Text with references in it: literal pieces and references in order."""

    parts: tuple[str | Reference, ...]
    source: str

    @property
    def literal(self) -> str | None:
        """The text itself when nothing is to be filled in."""
        if any(not isinstance(part, str) for part in self.parts):
            return None
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))

    @property
    def whole(self) -> Reference | None:
        """The reference, when the template is one placeholder and nothing else."""
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return self.parts[0]
        return None


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant JSON value."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class TemplatedObject:
    """A JSON object some of whose members hold references (a request body's `data`)."""

    members: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class TemplatedArray:
    items: tuple[Value, ...]


Value: TypeAlias = Literal | Template | TemplatedObject | TemplatedArray
"""What `with`, `value` and body `data` hold. A Template that is `whole` keeps its value's type."""


def references_of(value: Value) -> Iterable[Reference]:
    """All references inside a value."""
    if isinstance(value, Template):
        yield from value.references
    elif isinstance(value, TemplatedObject):
        for _, member in value.members:
            yield from references_of(member)
    elif isinstance(value, TemplatedArray):
        for item in value.items:
            yield from references_of(item)
