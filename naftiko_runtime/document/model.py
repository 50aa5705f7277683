"""The typed model of a capability file.

Frozen data, free of dialect: how a file spelt a reference or a path expression is settled before
these are built (see `dialects`). Each node that can be at fault knows its place. Names follow the
specification (schema 1.0.0-alpha2); a comment names the schema definition where it differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.problems import DocumentPath, Place


@dataclass(frozen=True, slots=True)
class Node:
    """Where a part of the model stands in its file."""

    place: Place
    path: DocumentPath


# --- references and templates -------------------------------------------------------------


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


# --- binds --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bind(Node):
    """One variable of a Binding: `variable` is filled from `key` at `location`.

    Without a location the key is looked up in the process environment (or --env-file).
    """

    namespace: str
    variable: str
    key: str
    location: str | None


# --- parameters ---------------------------------------------------------------------------


class ParameterType(StrEnum):
    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ARRAY = "array"
    OBJECT = "object"


class ParameterPlace(StrEnum):
    """The `in` of a parameter."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class ConsumedParameter(Node):
    """ConsumedInputParameter: something that an upstream request carries.

    `type` and `required` are None where the file does not say.
    """

    name: str
    location: ParameterPlace
    type: ParameterType | None = None
    description: str = ""
    required: bool | None = None
    value: Value | None = None
    schema: Mapping[str, JsonValue] = field(default_factory=dict)
    """Further JSON Schema keywords that the file gives (enum, default, items, pattern, ...)."""


@dataclass(frozen=True, slots=True)
class InputParameter(Node):
    """ExposedInputParameter and McpToolInputParameter: something that a caller may give."""

    name: str
    type: ParameterType
    description: str = ""
    location: ParameterPlace | None = None
    required: bool | None = None
    value: str | None = None
    """A constant, or a JSONPath into the request body when it starts with `$` (REST only)."""
    target: str | None = None
    """The published key `mapping`: the name of the consumed parameter or body field it feeds."""
    schema: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputParameter(Node):
    """Mapped, mock, orchestrated and consumed output parameters alike.

    `mapping` is a JSONPath text (`$` for the whole document), `value` a constant or template.
    """

    name: str | None
    type: str
    mapping: str | None = None
    value: Value | None = None
    const: MaybeJson = MISSING
    properties: tuple[tuple[str, OutputParameter], ...] | None = None
    items: OutputParameter | None = None
    values: OutputParameter | None = None
    max_length: int | None = None
    description: str = ""


# --- consumes -----------------------------------------------------------------------------


class AuthenticationType(StrEnum):
    BASIC = "basic"
    BEARER = "bearer"
    API_KEY = "apikey"
    DIGEST = "digest"
    OAUTH2 = "oauth2"


@dataclass(frozen=True, slots=True)
class Authentication(Node):
    """Authentication: credentials towards an upstream, or what an adapter asks of its callers."""

    type: AuthenticationType
    fields: Mapping[str, Template] = field(default_factory=dict)
    """username, password, token, key, value, audience, tokenEndpoint, ... as templates."""
    placement: str = "header"
    scopes: tuple[str, ...] = ()


class BodyType(StrEnum):
    JSON = "json"
    TEXT = "text"
    XML = "xml"
    SPARQL = "sparql"
    FORM = "formUrlEncoded"
    MULTIPART = "multipartForm"
    RAW = "raw"
    """A bare string: text that is sent as JSON."""


@dataclass(frozen=True, slots=True)
class RequestBody(Node):
    """RequestBody. `data` is None where the file gives none (a published `data: null`)."""

    type: BodyType
    data: Value | None


@dataclass(frozen=True, slots=True)
class ConsumedOperation(Node):
    """ConsumedHttpOperation with what its resource and adapter add.

    `parameters` are those of adapter, resource and operation, the most specific of a name and
    place winning. `url_path` starts with one slash or is empty; its placeholders are
    InputReferences (or BindReferences).
    """

    namespace: str
    name: str
    method: str
    url_path: Template
    parameters: tuple[ConsumedParameter, ...] = ()
    body: RequestBody | None = None
    raw_format: str | None = None
    """`outputRawFormat`; None where the file is silent, which reads as JSON but checks nothing."""
    output_schema: str | None = None
    outputs: tuple[OutputParameter, ...] = ()
    description: str = ""

    @property
    def reference(self) -> str:
        return f"{self.namespace}.{self.name}"


@dataclass(frozen=True, slots=True)
class Consumes(Node):
    """ConsumesHttp: one upstream."""

    namespace: str
    base_uri: Template
    operations: Mapping[str, ConsumedOperation]
    parameters: tuple[ConsumedParameter, ...] = ()
    authentication: Authentication | None = None
    description: str = ""


# --- what an operation does ---------------------------------------------------------------


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


# --- exposes ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExposedOperation(Node):
    """One method of one route. `parameters` joins adapter, resource and operation level."""

    method: str
    route: str
    name: str
    label: str = ""
    description: str = ""
    parameters: tuple[InputParameter, ...] = ()
    behaviour: Behaviour = Behaviour()


@dataclass(frozen=True, slots=True)
class Forward(Node):
    """ForwardConfig of a resource: everything under `route` goes to another upstream."""

    route: str
    target_namespace: str
    trusted_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RestAdapter(Node):
    namespace: str
    port: int
    address: str | None = None
    description: str = ""
    operations: tuple[ExposedOperation, ...] = ()
    forwards: tuple[Forward, ...] = ()
    authentication: Authentication | None = None


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
    behaviour: Behaviour = Behaviour()


@dataclass(frozen=True, slots=True)
class McpResource(Node):
    name: str
    label: str
    uri: str
    description: str = ""
    mime_type: str | None = None
    location: str | None = None
    behaviour: Behaviour = Behaviour()


@dataclass(frozen=True, slots=True)
class PromptArgument(Node):
    name: str
    label: str = ""
    description: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()


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
    port: int
    address: str | None = None
    management: Mapping[str, JsonValue] = field(default_factory=dict)
    observability: Mapping[str, JsonValue] = field(default_factory=dict)
    authentication: Authentication | None = None


Adapter: TypeAlias = RestAdapter | McpAdapter | SkillAdapter | ControlAdapter


# --- aggregates and the whole -------------------------------------------------------------


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
    behaviour: Behaviour = Behaviour()

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
