"""The plan of a capability: what load decided, so that a call only does what its input demands.

The types here are what the packages above agree on: adapters read the inputs and put a caller's
values in order, the engine executes the steps, adapters encode the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Protocol, TypeAlias

from naftiko_runtime.document.model import Hints, McpTransport, ParameterPlace, ParameterType
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan, SkillAdapterPlan
from naftiko_runtime.plan.calls import (
    SAFE_METHODS,
    CallPlan,
    OutputPlan,
    Scope,
    UpstreamRequest,
)
from naftiko_runtime.plan.destinations import Target
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.origin import Origin
from naftiko_runtime.plan.prompt_text import PromptText
from naftiko_runtime.plan.step_plans import (
    CallStepPlan,
    EndStepPlan,
    ErrorPlan,
    LookupStepPlan,
    OrchestrationPlan,
    ScriptSource,
    ScriptStepPlan,
    StepFlow,
    StepPlan,
    ValueStepPlan,
)
from naftiko_runtime.plan.uri_template import UriTemplate
from naftiko_runtime.problems import Place

__all__ = [
    "SAFE_METHODS",
    "Action",
    "CallPlan",
    "CallStepPlan",
    "CapabilityPlan",
    "EndStepPlan",
    "ErrorPlan",
    "ForwardPlan",
    "InputPlan",
    "Inputs",
    "LookupStepPlan",
    "McpAdapterPlan",
    "MockPlan",
    "OperationPlan",
    "OrchestrationPlan",
    "OutputPlan",
    "Passage",
    "PromptArgumentPlan",
    "PromptPlan",
    "ResourcePlan",
    "RestAdapterPlan",
    "RestOperationPlan",
    "Scope",
    "ScriptSource",
    "ScriptStepPlan",
    "StepFlow",
    "StepPlan",
    "ToolPlan",
    "UnservedAdapter",
    "UpstreamRequest",
    "ValueStepPlan",
]


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One value that a caller may give, declared in the file or implied by what the call needs.

    `name` is the file's spelling; callers may also write it in another case or with `-` and `_`
    exchanged (`loose` is the folded form to compare, empty where
    another input's name folds alike). `schema` is the JSON Schema of the value,
    without its description. `places` is where a REST caller's value is looked for, in order; an
    empty tuple means that only MCP callers give it. `route_variable` is the variable of the
    exposed route that holds it, if one does. `whole_body` makes the caller's whole request body
    the value (for REST); `body_path` is a JSONPath reader into it.
    """

    name: str
    loose: str
    type: ParameterType | None
    schema: Mapping[str, JsonValue]
    description: str = ""
    required: bool = False
    default: MaybeJson = MISSING
    places: tuple[ParameterPlace, ...] = ()
    route_variable: str | None = None
    whole_body: bool = False
    body_path: Callable[[JsonValue], MaybeJson] | None = None
    convert: Callable[[MaybeJson, bool], JsonValue] = field(default=lambda value, textual: None)
    """Checks a given value and returns it in its declared type; the second argument is True when
    the value came as text (a path variable, query or header value). Raises CallFailed
    (INVALID_INPUT, naming the input)."""


class Inputs(Protocol):
    """A caller's values, as an adapter decoded them."""

    def find(self, plan: InputPlan) -> tuple[MaybeJson, bool]:
        """The value given for an input (MISSING if none) and whether it came as text.

        Repeated query values come as a list of text.
        """
        ...

    def raw_body(self) -> bytes | None:
        """The JSON text of the caller's request body, checked to be JSON; None when there is
        none. Raises CallFailed when the body is not JSON."""
        ...

    def has_encoded_body(self) -> bool:
        """Whether the body is in a Content-Encoding that is the upstream's to undo: then
        `raw_body` is the bytes as they came, unchecked, and the body has no value."""
        ...

    @property
    def origin(self) -> Origin: ...

    @property
    def dry_run(self) -> bool:
        """Whether the caller wants to know what would be sent, and nothing to be changed."""
        ...


@dataclass(frozen=True, slots=True)
class MockPlan:
    """An answer made of the caller's input alone; MISSING when it has nothing to say."""

    answer: Callable[[Scope], MaybeJson]
    method: str = "GET"
    operation: str = "the file itself"


Action: TypeAlias = CallPlan | OrchestrationPlan | MockPlan


@dataclass(frozen=True, slots=True)
class OperationPlan:
    """Everything needed to execute one exposed operation or tool.

    `capability` is the label of its file, `function` the aggregate function that it refers to;
    both are for traces. `version` identifies the text of the file and what it is made of besides.
    `read_only` says that it declares that nothing is changed, and `changes` that something is,
    whatever the method. `accepts_body` says that a JSON request body is read or passed on,
    `body_required` that the call cannot do without. `passes_encoded_body` says that the body goes
    upstream as it came together with its Content-Encoding, so that it may be compressed. `errors`
    say what callers are told of failures, the most specific first.
    """

    name: str
    inputs: tuple[InputPlan, ...]
    action: Action
    output: OutputPlan
    accepts_body: bool = False
    passes_encoded_body: bool = False
    body_required: bool = False
    body_schema: Mapping[str, JsonValue] | None = None
    capability: str = ""
    function: str | None = None
    version: str = ""
    read_only: bool = False
    changes: bool = False
    errors: tuple[ErrorPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class RestOperationPlan:
    """One method of one route. `route` is as written: `/v1/account/{accountid}/orders`."""

    method: str
    route: str
    name: str
    label: str
    description: str
    operation: OperationPlan
    place: Place


@dataclass(frozen=True, slots=True)
class Passage:
    """What a request holds that can be passed on: `rest` is what follows the route in its path and
    `query` what follows the `?`, both as they came; header names are in lower case."""

    method: str
    rest: str
    query: str
    headers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ForwardPlan:
    """Everything at `route` and under it goes to an upstream as it comes. `trusted` are the headers
    that go along. `inputs` are what the file declares and what the scope of `build` has to hold;
    where one of them is the rest of the path, `rest` is what its route variable is called. `build`
    raises CallFailed, and leaves the body to whoever sends it."""

    route: str
    upstream: str
    trusted: frozenset[str]
    inputs: tuple[InputPlan, ...]
    rest: str | None
    build: Callable[[Scope, Passage], UpstreamRequest]
    place: Place
    label: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class RestAdapterPlan:
    """`authentication` is what every caller of its operations has to pass, None if nothing."""

    namespace: str
    port: int
    address: str | None
    description: str
    operations: tuple[RestOperationPlan, ...]
    place: Place
    authentication: InboundPlan | None = None
    forwards: tuple[ForwardPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolPlan:
    """One tool, under the name that the file gives it (aliases are the adapter's business)."""

    name: str
    label: str
    description: str
    hints: Hints
    operation: OperationPlan
    place: Place


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """One MCP resource: the files at `source` (a file, or a folder with all that is in it), or the
    answer of `operation`, whose inputs are the variables of `uri`. One of the two is None.

    `mime_type` is None where the file does not say.
    """

    name: str
    label: str
    uri: UriTemplate
    description: str
    mime_type: str | None
    place: Place
    source: Path | None = None
    operation: OperationPlan | None = None


@dataclass(frozen=True, slots=True)
class PromptArgumentPlan:
    """An argument of a prompt. `default` is what an argument that is not given stands for; None
    makes the argument required. `choices` are offered, not enforced."""

    name: str
    label: str
    description: str
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """One MCP prompt: `messages` with their roles (`user`, `assistant`), or the file at `source`,
    whose text is one message of the user. One of the two is empty."""

    name: str
    label: str
    description: str
    arguments: tuple[PromptArgumentPlan, ...]
    messages: tuple[tuple[str, PromptText], ...]
    place: Place
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class McpAdapterPlan:
    """`authentication` is what every HTTP caller has to pass, None if nothing. Over standard input
    nobody is asked: whoever starts the process gives it the secrets."""

    namespace: str
    transport: McpTransport
    port: int | None
    address: str | None
    description: str
    tools: tuple[ToolPlan, ...]
    place: Place
    authentication: InboundPlan | None = None
    resources: tuple[ResourcePlan, ...] = ()
    prompts: tuple[PromptPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class UnservedAdapter:
    """An adapter that the file declares and that cannot be served at all. `port` is None for one
    that needs none."""

    type: str
    namespace: str
    port: int | None


@dataclass(frozen=True, slots=True)
class CapabilityPlan:
    """All that one file serves. `unserved` are its adapters that are out of service; `variables`
    says of each declared variable whether it has a value; `upstreams` maps each consumed namespace
    to its origin (`https://localhost:5000`), None where a variable that it needs is not set.
    `files` are those that it is made of beside the file itself, there or not: scripts. `consumed`
    gives the plan of each consumed operation (`namespace.operation`) called on its own, or raises
    ValueError where it cannot be. `targets` say where the requests of consumed operations go."""

    file: str
    label: str
    description: str
    rest: tuple[RestAdapterPlan, ...] = ()
    mcp: tuple[McpAdapterPlan, ...] = ()
    skills: tuple[SkillAdapterPlan, ...] = ()
    control: tuple[ControlAdapterPlan, ...] = ()
    unserved: tuple[UnservedAdapter, ...] = ()
    variables: Mapping[str, bool] = field(default_factory=dict)
    upstreams: Mapping[str, str | None] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    consumed: Mapping[str, Callable[[], OperationPlan]] = field(default_factory=dict, compare=False)
    targets: tuple[Target, ...] = ()
