"""What an exposed operation, a tool or an aggregate function does: calls, steps and mappings."""

from __future__ import annotations

from typing import TypeAlias

from naftiko_runtime.document.node import Node
from naftiko_runtime.document.parameters import OutputParameter
from naftiko_runtime.document.values import Template, Value
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`call` with its `with`: a consumed operation and the arguments it is given."""

    operation: str
    """`namespace.operation`, known to exist."""
    arguments: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """A condition about the inputs and the outputs of earlier steps (RFC 9535, 2.3.5.1)."""

    text: str


@dataclass(frozen=True, slots=True)
class Repeat(Node):
    """`repeat`: the call is made again until the expression holds, `limit` times at the most,
    `every` so many seconds."""

    until: Expression
    limit: int
    every: float = 0.0
    counter: str | None = None
    """The name under which arguments see the number of the call, from 0."""
    collect: bool = False
    start: str | None = None
    """`from`: a JSONPath to what the step's name stands for before the first call."""
    may_end_short: bool = False
    """`atLimit: continue`: the last answer counts although the expression does not hold."""


@dataclass(frozen=True, slots=True)
class CallStep(Node):
    name: str
    call: Call
    when: Expression | None = None
    repeat: Repeat | None = None
    keep: float = 0.0
    """For how many seconds an answer also answers equal requests."""
    optional: bool = False
    """The sequence does without it if it fails."""


@dataclass(frozen=True, slots=True)
class LookupStep(Node):
    name: str
    index: str
    match: str
    lookup_value: str | Template
    """A JSONPath over the steps' outputs when it starts with `$`, else a template."""
    fields: tuple[str, ...]
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class ScriptStep(Node):
    name: str
    file: str
    language: str | None = None
    location: str | None = None
    dependencies: tuple[str, ...] = ()
    arguments: tuple[tuple[str, Value], ...] = ()
    when: Expression | None = None


Source: TypeAlias = str | Value
"""A JSONPath over inputs and outputs as text, or a value with templates."""


@dataclass(frozen=True, slots=True)
class ValueStep(Node):
    """Gives what `value` finds, else what `default` does."""

    name: str
    value: Source
    default: Source | None = None
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class UniqueStep(Node):
    """Gives a text that no other call is given."""

    name: str
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class FailStep(Node):
    """Ends the call: it is refused with `message`."""

    name: str
    message: Value
    status: int | None = None
    executed: bool | None = None
    """Whether the calls before it have changed something; None leaves it to their methods."""
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class QuestionStep(Node):
    """Ends the call with a question, which the exposed operation or tool `operation` of the same
    adapter answers, given `accept` or `decline`."""

    name: str
    message: Value
    id: Value
    operation: str
    accept: tuple[tuple[str, Value], ...] = ()
    decline: tuple[tuple[str, Value], ...] = ()
    when: Expression | None = None


Step: TypeAlias = (
    CallStep | LookupStep | ScriptStep | ValueStep | UniqueStep | FailStep | QuestionStep
)


@dataclass(frozen=True, slots=True)
class StepMapping(Node):
    """StepOutputMapping: dots in `target` nest."""

    target: str
    value: str


@dataclass(frozen=True, slots=True)
class ErrorShape(Node):
    """One entry of `errors`: what callers are told of the failures that `when` fits. What it does
    not say is left to later entries. None for outputs leaves REST callers the problem document."""

    when: Expression | None = None
    status: int | None = None
    message: Value | None = None
    outputs: tuple[OutputParameter, ...] | None = None


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
    errors: tuple[ErrorShape, ...] = ()
    """Those of the operation or function itself; the adapter's come after them."""


MOCK = Behaviour()
"""Nothing declared: the answer, if any, is made of the outputs' values."""
