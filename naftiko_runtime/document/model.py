"""The typed model of a capability file.

Frozen data, free of dialect: how a file spelt a reference or a path expression is settled before
these are built (see `dialects`). Each node that can be at fault knows its place. Names follow the
specification (schema 1.0.0-alpha2); a comment names the schema definition where it differs.

The parts of the model live in modules of their own; all of them are imported from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from naftiko_runtime.document.adapters import (
    Adapter,
    ControlAdapter,
    ExposedOperation,
    Forward,
    Hints,
    McpAdapter,
    McpResource,
    McpTransport,
    Prompt,
    PromptArgument,
    PromptMessage,
    RestAdapter,
    Skill,
    SkillAdapter,
    SkillTool,
    Tool,
)
from naftiko_runtime.document.behaviour import (
    MOCK,
    Behaviour,
    Call,
    CallStep,
    ErrorShape,
    Expression,
    FailStep,
    LookupStep,
    QuestionStep,
    Repeat,
    ScriptStep,
    Source,
    Step,
    StepMapping,
    UniqueStep,
    ValueStep,
)
from naftiko_runtime.document.node import Node
from naftiko_runtime.document.parameters import (
    ConsumedParameter,
    InputParameter,
    OutputParameter,
    ParameterPlace,
    ParameterType,
)
from naftiko_runtime.document.upstreams import (
    Authentication,
    AuthenticationType,
    BodyType,
    ConsumedOperation,
    Consumes,
    RequestBody,
)
from naftiko_runtime.document.values import (
    BindReference,
    InputReference,
    Literal,
    Reference,
    StepReference,
    Template,
    TemplatedArray,
    TemplatedObject,
    Value,
    references_of,
)
from naftiko_runtime.lazy_dataclasses import dataclass

__all__ = [
    "MOCK",
    "Adapter",
    "AggregateFunction",
    "Authentication",
    "AuthenticationType",
    "Behaviour",
    "Bind",
    "BindReference",
    "BodyType",
    "Call",
    "CallStep",
    "Capability",
    "ConsumedOperation",
    "ConsumedParameter",
    "Consumes",
    "ControlAdapter",
    "ErrorShape",
    "ExposedOperation",
    "Expression",
    "FailStep",
    "Forward",
    "Hints",
    "InputParameter",
    "InputReference",
    "Literal",
    "LookupStep",
    "McpAdapter",
    "McpResource",
    "McpTransport",
    "Node",
    "OutputParameter",
    "ParameterPlace",
    "ParameterType",
    "Prompt",
    "PromptArgument",
    "PromptMessage",
    "QuestionStep",
    "Reference",
    "Repeat",
    "RequestBody",
    "RestAdapter",
    "ScriptStep",
    "Semantics",
    "Skill",
    "SkillAdapter",
    "SkillTool",
    "Source",
    "Step",
    "StepMapping",
    "StepReference",
    "Template",
    "TemplatedArray",
    "TemplatedObject",
    "Tool",
    "UniqueStep",
    "Value",
    "ValueStep",
    "references_of",
]


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """One variable of a Binding: `variable` is filled from `key` at `location`.

    Without a location the key is looked up in the process environment (or --env-file).
    """

    namespace: str
    variable: str
    key: str
    location: str | None
    default: str | None = None
    """What it stands for without a value."""


@dataclass(frozen=True, slots=True)
class Semantics:
    safe: bool | None = None
    idempotent: bool | None = None
    cacheable: bool | None = None


@dataclass(frozen=True, slots=True)
class AggregateFunction(Node):
    namespace: str
    name: str
    description: str = ""
    semantics: Semantics = Semantics()
    parameters: tuple[InputParameter, ...] = ()
    behaviour: Behaviour = MOCK

    @property
    def reference(self) -> str:
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class Capability(Node):
    """A whole file, checked: every `call` and `ref` in it resolves."""

    label: str
    description: str
    binds: tuple[Bind, ...]
    consumes: Mapping[str, Consumes]
    aggregates: Mapping[str, AggregateFunction]
    adapters: tuple[Adapter, ...]
    variables: tuple[BindReference, ...] = ()
    """Variables that are used without being declared under `binds`."""
