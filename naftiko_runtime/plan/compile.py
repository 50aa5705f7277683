"""Compiles a capability into its plan.

What cannot be compiled is a problem that takes one operation or tool out of service; what this
version does not run is refused by name. Nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from naftiko_runtime.document.model import (
    Adapter,
    Capability,
    Consumes,
    ControlAdapter,
    ExposedOperation,
    Hints,
    McpAdapter,
    McpResource,
    Node,
    RestAdapter,
    SkillAdapter,
    Tool,
)
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan, SkillAdapterPlan, ToolMode
from naftiko_runtime.plan.behaviour import OutOfService, Part, Surroundings, compile_behaviour
from naftiko_runtime.plan.conditions import StepError
from naftiko_runtime.plan.consumed import consumed_plans
from naftiko_runtime.plan.control import compile_control
from naftiko_runtime.plan.ends import answers_of
from naftiko_runtime.plan.forward import compile_forward
from naftiko_runtime.plan.inbound import RULE as INBOUND_RULE
from naftiko_runtime.plan.inbound import InboundError, InboundPlan, compile_inbound
from naftiko_runtime.plan.inputs import InputPatternError
from naftiko_runtime.plan.jsonpath import JsonPathSyntaxError
from naftiko_runtime.plan.mcp_parts import compile_prompts, compile_resources
from naftiko_runtime.plan.operation import (
    CapabilityPlan,
    ForwardPlan,
    McpAdapterPlan,
    OperationPlan,
    RestAdapterPlan,
    RestOperationPlan,
    ToolPlan,
    UnservedAdapter,
)
from naftiko_runtime.plan.outputs import OutputError
from naftiko_runtime.plan.scripts import ScriptError, read_scripting
from naftiko_runtime.plan.skills import compile_skills
from naftiko_runtime.plan.targets import targets_of
from naftiko_runtime.plan.uri_template import read_uri
from naftiko_runtime.plan.url import Base, BaseUriError, resolve_base
from naftiko_runtime.plan.variables import Variables
from naftiko_runtime.problems import Consequence, Problem, Severity

_OUT_OF_SERVICE = (Severity.ERROR, Consequence.PART)
_KINDS = {ExposedOperation: "operation", Tool: "tool", McpResource: "resource"}


@dataclass(frozen=True, slots=True)
class _Context:
    """What compiling the parts of one capability shares."""

    capability: Capability
    surroundings: Surroundings
    problems: list[Problem] = field(default_factory=list)

    def refuse(
        self,
        rule: str,
        node: Node,
        message: str,
        remedy: str = "",
        consequence: Consequence = Consequence.PART,
    ) -> None:
        self.problems.append(
            Problem(rule, node.place, node.path, message, remedy, Severity.ERROR, consequence)
        )


def compile_capability(
    capability: Capability, variables: Variables, base_uris: Mapping[str, str]
) -> tuple[CapabilityPlan, list[Problem]]:
    """The plan of everything in a capability that can be served, and what cannot be.

    `base_uris` replaces the `baseUri` of a consumed namespace (--base-uri).
    """
    problems: list[Problem] = []
    bases = {
        consumes.namespace: base
        for consumes in capability.consumes.values()
        if (base := _base(consumes, variables, base_uris, problems)) is not None
    }
    label = capability.label
    scripting = read_scripting(capability.adapters, variables.environment)
    surroundings = Surroundings(
        capability.consumes, capability.aggregates, variables, bases, label, scripting
    )
    context = _Context(capability, surroundings, problems)
    rest: list[RestAdapterPlan] = []
    mcp: list[McpAdapterPlan] = []
    skills: list[tuple[SkillAdapter, InboundPlan | None]] = []
    control: list[ControlAdapterPlan] = []
    unserved: list[UnservedAdapter] = []
    for adapter in capability.adapters:
        try:
            asked = _compile_authentication(adapter, context)
        except InboundError:
            unserved.append(_unserved(adapter))
            continue
        if isinstance(adapter, RestAdapter):
            rest.append(_compile_rest(adapter, asked, context))
        elif isinstance(adapter, McpAdapter):
            mcp.append(_compile_mcp(adapter, asked, context))
        elif isinstance(adapter, SkillAdapter):
            skills.append((adapter, asked))
        else:
            planned, found = compile_control(adapter, asked, variables)
            control.append(planned)
            problems += found
    plan = CapabilityPlan(
        file=capability.place.file,
        label=capability.label,
        description=capability.description,
        rest=tuple(rest),
        mcp=tuple(mcp),
        skills=_compile_skills(skills, rest, mcp, problems),
        control=tuple(control),
        unserved=tuple(unserved),
        variables={bind.variable: bind.variable in variables.values for bind in capability.binds},
        upstreams={namespace: base.origin for namespace, base in bases.items()},
        files=tuple(sorted(scripting.files)),
        consumed=consumed_plans(surroundings),
        targets=targets_of(capability.consumes.values(), bases),
    )
    return plan, problems


def _base(
    consumes: Consumes,
    variables: Variables,
    base_uris: Mapping[str, str],
    problems: list[Problem],
) -> Base | None:
    base: Base | None = None
    severity = Severity.WARNING
    try:
        override = base_uris.get(consumes.namespace)
        base = resolve_base(consumes.namespace, consumes.base_uri, variables, override)
    except BaseUriError as error:
        message, severity = f"no request can be sent to this baseUri: {error}", Severity.ERROR
    else:
        if base.missing is None:
            return base
        needed = base.missing.failure.field
        message = (
            "the baseUri is empty"
            if needed == "baseUri"
            else f'the baseUri needs the variable "{needed}", which is not set'
        )
    problems.append(
        Problem(
            "base-uri",
            consumes.place,
            (*consumes.path, "baseUri"),
            message,
            f"set it, or give the whole URI with --base-uri {consumes.namespace}=URI",
            severity,
            Consequence.PART if base is None else Consequence.NOTHING,
        )
    )
    return base


def _unserved(adapter: Adapter) -> UnservedAdapter:
    if isinstance(adapter, ControlAdapter):
        return UnservedAdapter("control", "", adapter.port)
    kind = "skill" if isinstance(adapter, SkillAdapter) else "mcp"
    kind = "rest" if isinstance(adapter, RestAdapter) else kind
    return UnservedAdapter(kind, adapter.namespace, adapter.port)


def _compile_skills(
    adapters: Sequence[tuple[SkillAdapter, InboundPlan | None]],
    rest: Iterable[RestAdapterPlan],
    mcp: Iterable[McpAdapterPlan],
    problems: list[Problem],
) -> tuple[SkillAdapterPlan, ...]:
    """Skills last: their tools stand for what the other adapters serve."""
    actions = {(each.namespace, tool.name): ToolMode.MCP for each in mcp for tool in each.tools}
    actions |= {(each.namespace, op.name): ToolMode.REST for each in rest for op in each.operations}
    plans: list[SkillAdapterPlan] = []
    for adapter, asked in adapters:
        plan, found = compile_skills(adapter, asked, actions)
        plans.append(plan)
        problems += found
    return tuple(plans)


def _compile_authentication(adapter: Adapter, context: _Context) -> InboundPlan | None:
    """What an adapter asks of its callers. Raises InboundError, which is reported already, for one
    that cannot ask: it is not served, since nobody meant it to be open."""
    authentication = adapter.authentication
    if authentication is None:
        return None
    try:
        return compile_inbound(authentication, context.surroundings.variables)
    except InboundError as error:
        path = (*authentication.path, error.field)
        message = f"{error}, so this adapter is not served"
        context.problems.append(
            Problem(
                INBOUND_RULE,
                authentication.place,
                path,
                message,
                error.remedy,
                Severity.ERROR,
                Consequence.PART,
            )
        )
        raise


def _compile_rest(
    adapter: RestAdapter, asked: InboundPlan | None, context: _Context
) -> RestAdapterPlan:
    operations = []
    for operation in adapter.operations:
        compiled = _compile_operation(operation, adapter, context)
        if compiled is not None:
            operations.append(
                RestOperationPlan(
                    method=operation.method,
                    route=operation.route,
                    name=operation.name or _inherited_name(operation),
                    label=operation.label,
                    description=operation.description or _described(operation, context),
                    operation=compiled,
                    place=operation.place,
                )
            )
    return RestAdapterPlan(
        adapter.namespace,
        adapter.port,
        adapter.address,
        adapter.description,
        tuple(operations),
        adapter.place,
        asked,
        tuple(_compile_forwards(adapter, context)),
    )


def _compile_forwards(adapter: RestAdapter, context: _Context) -> Iterable[ForwardPlan]:
    surroundings = context.surroundings
    for forward in adapter.forwards:
        consumes = surroundings.consumes[forward.target_namespace]
        base = surroundings.bases.get(consumes.namespace)
        if base is None:
            message = (
                f'"{consumes.namespace}" has no usable baseUri: see line {consumes.place.line}'
            )
            context.refuse("call-out-of-service", forward, message)
            continue
        try:
            plan, problems = compile_forward(forward, consumes, base, surroundings.variables)
        except ValueError as error:
            context.refuse("not-compilable", forward, f"nothing can be forwarded: {error}")
        else:
            context.problems.extend(problems)
            yield plan


def _compile_mcp(
    adapter: McpAdapter, asked: InboundPlan | None, context: _Context
) -> McpAdapterPlan:
    resources, of_resources = compile_resources(
        adapter.resources, lambda part: _compile_operation(part, adapter, context)
    )
    prompts, of_prompts = compile_prompts(adapter.prompts)
    context.problems.extend([*of_resources, *of_prompts])
    tools = []
    for tool in adapter.tools:
        compiled = _compile_operation(tool, adapter, context)
        if compiled is not None:
            tools.append(
                ToolPlan(
                    name=tool.name or _inherited_name(tool),
                    label=tool.label,
                    description=tool.description or _described(tool, context),
                    hints=_hints(tool, context),
                    operation=compiled,
                    place=tool.place,
                )
            )
    return McpAdapterPlan(
        adapter.namespace,
        adapter.transport,
        adapter.port,
        adapter.address,
        adapter.description,
        tuple(tools),
        adapter.place,
        asked,
        resources=resources,
        prompts=prompts,
    )


def _inherited_name(part: ExposedOperation | Tool) -> str:
    """A part that refers to a function goes by the function's name unless it has its own."""
    return (part.behaviour.reference or "").rpartition(".")[2]


def _hints(tool: Tool, context: _Context) -> Hints:
    """A tool's hints, filled up from the semantics of the function that it refers to (Semantics:
    safe means read-only and not destructive)."""
    function = context.capability.aggregates.get(tool.behaviour.reference or "")
    if function is None:
        return tool.hints
    given, semantics = tool.hints, function.semantics
    destructive = False if semantics.safe else None
    return Hints(
        semantics.safe if given.read_only is None else given.read_only,
        destructive if given.destructive is None else given.destructive,
        semantics.idempotent if given.idempotent is None else given.idempotent,
        given.open_world,
    )


def _described(part: ExposedOperation | Tool, context: _Context) -> str:
    """What a part without a description of its own inherits: the function's that it refers to, or
    the consumed operation's."""
    function = context.capability.aggregates.get(part.behaviour.reference or "")
    if function is not None:
        return function.description
    call = part.behaviour.call
    if call is None:
        return ""
    namespace, _, name = call.operation.partition(".")
    return context.capability.consumes[namespace].operations[name].description


def _compile_operation(
    part: ExposedOperation | Tool | McpResource,
    adapter: RestAdapter | McpAdapter,
    context: _Context,
) -> OperationPlan | None:
    """The plan of one operation, tool or resource; None, and a problem, when it cannot be
    served."""
    try:
        return compile_behaviour(
            Part(
                name=f"{adapter.namespace}.{part.name}",
                parameters=() if isinstance(part, McpResource) else part.parameters,
                behaviour=part.behaviour,
                route=part.route if isinstance(part, ExposedOperation) else None,
                reads_body=isinstance(part, ExposedOperation) and part.method != "GET",
                in_uri=read_uri(part.uri).variables if isinstance(part, McpResource) else (),
                errors=adapter.errors,
                answers={} if part.behaviour.call is not None else answers_of(adapter),
            ),
            context.surroundings,
        )
    except OutputError as error:
        remedy = "write a JSONPath (RFC 9535) such as $.orders[*].price, or $. for the whole answer"
        context.refuse("jsonpath-syntax", error.parameter, str(error), remedy)
    except JsonPathSyntaxError as error:
        context.refuse("jsonpath-syntax", part, f"a path in it cannot be read: {error}")
    except StepError as error:
        context.problems.append(
            Problem(error.rule, error.place, error.path, str(error), error.remedy, *_OUT_OF_SERVICE)
        )
    except ScriptError as error:
        path = (*error.step.path, error.key)
        context.problems.append(
            Problem("script", error.step.place, path, str(error), error.remedy, *_OUT_OF_SERVICE)
        )
    except InputPatternError as error:
        remedy = "write it without what the message names"
        context.refuse("pattern", error.input or part, str(error), remedy)
    except OutOfService as error:
        context.refuse("call-out-of-service", part, str(error))
    except ValueError as error:
        kind = _KINDS[type(part)]
        context.refuse("not-compilable", part, f'the {kind} "{part.name}" cannot be run: {error}')
    return None
