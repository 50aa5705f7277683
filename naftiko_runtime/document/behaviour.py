"""What an exposed operation, a tool or an aggregate function does: calls, steps and mappings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from naftiko_runtime.document.node import Node
from naftiko_runtime.document.parameters import OutputParameter
from naftiko_runtime.document.values import Template, Value


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`call` with its `with`: a consumed operation and the arguments it is given."""

    operation: str
    """`namespace.operation`, known to exist."""
    arguments: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class CallStep(Node):
    name: str
    call: Call


@dataclass(frozen=True, slots=True)
class LookupStep(Node):
    name: str
    index: str
    match: str
    lookup_value: str | Template
    """A JSONPath over the steps' outputs when it starts with `$`, else a template."""
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScriptStep(Node):
    name: str
    file: str
    language: str | None = None
    location: str | None = None
    dependencies: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Value], ...] = ()


Step: TypeAlias = CallStep | LookupStep | ScriptStep


@dataclass(frozen=True, slots=True)
class StepMapping(Node):
    """StepOutputMapping: dots in `target` nest."""

    target: str
    value: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an operation, tool, resource or function does: exactly one of the first three, or none
    of them, which makes it a mock that answers from its outputs' values."""

    call: Call | None = None
    steps: tuple[Step, ...] = ()
    reference: str | None = None
    """`ref`: an aggregate function, `namespace.function`."""
    mappings: tuple[StepMapping, ...] = ()
    outputs: tuple[OutputParameter, ...] = ()
    arguments: tuple[tuple[str, Value], ...] = ()
    """`with` beside `ref`."""


MOCK = Behaviour()
"""Nothing declared: the answer, if any, is made of the outputs' values."""
