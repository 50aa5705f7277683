"""The adapters that a file exposes: REST, MCP, skill and control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeAlias

from naftiko_runtime.document.behaviour import MOCK, Behaviour, ErrorShape
from naftiko_runtime.document.node import Node
from naftiko_runtime.document.parameters import InputParameter
from naftiko_runtime.document.upstreams import Authentication
from naftiko_runtime.document.values import Template
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExposedOperation(Node):
    """One method of one route. `parameters` joins adapter, resource and operation level."""

    method: str
    route: str
    name: str
    label: str = ""
    description: str = ""
    parameters: tuple[InputParameter, ...] = ()
    behaviour: Behaviour = MOCK


@dataclass(frozen=True, slots=True)
class Forward(Node):
    """ForwardConfig of a resource: everything under `route` goes to another upstream. The
    parameters, label and description are the resource's."""

    route: str
    target_namespace: str
    trusted_headers: tuple[str, ...] = ()
    parameters: tuple[InputParameter, ...] = ()
    label: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class RestAdapter(Node):
    namespace: str
    port: int
    address: str | None = None
    description: str = ""
    operations: tuple[ExposedOperation, ...] = ()
    forwards: tuple[Forward, ...] = ()
    authentication: Authentication | None = None
    errors: tuple[ErrorShape, ...] = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """McpToolHints; None where the file is silent."""

    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None


@dataclass(frozen=True, slots=True)
class Tool(Node):
    name: str
    label: str = ""
    description: str = ""
    parameters: tuple[InputParameter, ...] = ()
    hints: Hints = Hints()
    behaviour: Behaviour = MOCK


@dataclass(frozen=True, slots=True)
class McpResource(Node):
    name: str
    label: str
    uri: str
    description: str = ""
    mime_type: str | None = None
    location: str | None = None
    behaviour: Behaviour = MOCK


@dataclass(frozen=True, slots=True)
class PromptArgument(Node):
    name: str
    label: str = ""
    description: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str | None = None


@dataclass(frozen=True, slots=True)
class PromptMessage:
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt(Node):
    name: str
    label: str = ""
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()
    messages: tuple[PromptMessage, ...] = ()
    location: str | None = None


class McpTransport(StrEnum):
    HTTP = "http"
    STDIO = "stdio"


@dataclass(frozen=True, slots=True)
class McpAdapter(Node):
    namespace: str
    transport: McpTransport
    port: int | None
    address: str | None = None
    description: str = ""
    tools: tuple[Tool, ...] = ()
    resources: tuple[McpResource, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    authentication: Authentication | None = None
    errors: tuple[ErrorShape, ...] = ()


@dataclass(frozen=True, slots=True)
class SkillTool(Node):
    name: str
    description: str = ""
    source: tuple[str, str] | None = None
    """`from`: the namespace of another adapter of the file and the name of its action."""
    instruction: str | None = None


@dataclass(frozen=True, slots=True)
class Skill(Node):
    name: str
    description: str
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    location: str | None = None
    tools: tuple[SkillTool, ...] = ()


@dataclass(frozen=True, slots=True)
class SkillAdapter(Node):
    namespace: str
    port: int
    address: str | None = None
    description: str = ""
    skills: tuple[Skill, ...] = ()
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True)
class ControlAdapter(Node):
    """`observability` is None where the file has no such section, and nothing is recorded."""

    port: int
    address: str | None = None
    management: Mapping[str, JsonValue] = field(default_factory=dict)
    observability: Mapping[str, JsonValue] | None = None
    otlp_endpoint: Template | None = None
    authentication: Authentication | None = None


Adapter: TypeAlias = RestAdapter | McpAdapter | SkillAdapter | ControlAdapter
