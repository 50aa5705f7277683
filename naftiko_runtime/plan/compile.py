"""Compiles a capability into its plan.

What cannot be compiled is a problem that takes one operation or tool out of service; what this
version does not run is refused by name. Nothing is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko_runtime.document.model import (
    Adapter,
    Behaviour,
    Capability,
    Consumes,
    ControlAdapter,
    ExposedOperation,
    McpAdapter,
    Node,
    RestAdapter,
    SkillAdapter,
    Tool,
)
from naftiko_runtime.plan.getters import Compiler
from naftiko_runtime.plan.inputs import InputCollector
from naftiko_runtime.plan.jsonpath import JsonPathSyntaxError
from naftiko_runtime.plan.operation import (
    CapabilityPlan,
    McpAdapterPlan,
    OperationPlan,
    RestAdapterPlan,
    RestOperationPlan,
    ToolPlan,
)
from naftiko_runtime.plan.outputs import OutputError, compile_output
from naftiko_runtime.plan.request import NotSupported, compile_call
from naftiko_runtime.plan.url import Base, BaseUriError, resolve_base
from naftiko_runtime.plan.variables import Variables
from naftiko_runtime.problems import Consequence, Problem, Severity

_RAW_FORMATS = frozenset({"json"})


@dataclass(frozen=True, slots=True)
class _Context:
    """What compiling the parts of one capability shares."""

    capability: Capability
    variables: Variables
    bases: Mapping[str, Base]
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
    context = _Context(capability, variables, bases, problems)
    rest: list[RestAdapterPlan] = []
    mcp: list[McpAdapterPlan] = []
    for adapter in capability.adapters:
        if not _is_served(adapter, context):
            continue
        if isinstance(adapter, RestAdapter):
            rest.append(_compile_rest(adapter, context))
        elif isinstance(adapter, McpAdapter):
            mcp.append(_compile_mcp(adapter, context))
    plan = CapabilityPlan(
        file=capability.place.file,
        label=capability.label,
        description=capability.description,
        rest=tuple(rest),
        mcp=tuple(mcp),
        upstreams={namespace: base.origin for namespace, base in bases.items()},
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


def _is_served(adapter: Adapter, context: _Context) -> bool:
    """Whether an adapter can be served at all; one that asks for authentication never is without
    it."""
    if adapter.authentication is not None:
        message = "authentication of callers is not supported yet, so this adapter is not served"
        context.refuse("not-supported", adapter.authentication, message)
        return False
    if isinstance(adapter, SkillAdapter | ControlAdapter):
        kind = "skill" if isinstance(adapter, SkillAdapter) else "control"
        context.refuse("not-supported", adapter, f"{kind} adapters are not supported yet")
        return False
    return True


def _compile_rest(adapter: RestAdapter, context: _Context) -> RestAdapterPlan:
    for forward in adapter.forwards:
        context.refuse("not-supported", forward, "`forward` is not supported yet")
    operations = []
    for operation in adapter.operations:
        compiled = _compile_operation(operation, adapter.namespace, context)
        if compiled is not None:
            operations.append(
                RestOperationPlan(
                    method=operation.method,
                    route=operation.route,
                    name=operation.name,
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
    )


def _compile_mcp(adapter: McpAdapter, context: _Context) -> McpAdapterPlan:
    for resource in adapter.resources:
        context.refuse("not-supported", resource, "MCP resources are not supported yet")
    for prompt in adapter.prompts:
        context.refuse("not-supported", prompt, "MCP prompts are not supported yet")
    tools = []
    for tool in adapter.tools:
        compiled = _compile_operation(tool, adapter.namespace, context)
        if compiled is not None:
            tools.append(
                ToolPlan(
                    name=tool.name,
                    label=tool.label,
                    description=tool.description or _described(tool, context),
                    hints=tool.hints,
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
    )


def _described(part: ExposedOperation | Tool, context: _Context) -> str:
    """The consumed operation's description, where the exposed part has none of its own."""
    call = part.behaviour.call
    if call is None:
        return ""
    namespace, _, name = call.operation.partition(".")
    return context.capability.consumes[namespace].operations[name].description


def _compile_operation(
    part: ExposedOperation | Tool, namespace: str, context: _Context
) -> OperationPlan | None:
    """The plan of one operation or tool; None, and a problem, when it cannot be served."""
    is_rest = isinstance(part, ExposedOperation)
    try:
        return _compile_call(part, namespace, context)
    except OutputError as error:
        remedy = "write a JSONPath (RFC 9535) such as $.orders[*].price, or $. for the whole answer"
        context.refuse("jsonpath-syntax", error.parameter, str(error), remedy)
    except JsonPathSyntaxError as error:
        context.refuse("jsonpath-syntax", part, f"a path of its inputs cannot be read: {error}")
    except NotSupported as error:
        context.refuse("not-supported", part, f"{error} is not supported yet")
    except ValueError as error:
        kind = "operation" if is_rest else "tool"
        context.refuse("not-compilable", part, f'the {kind} "{part.name}" cannot be run: {error}')
    return None


def _compile_call(
    part: ExposedOperation | Tool, namespace: str, context: _Context
) -> OperationPlan | None:
    call = part.behaviour.call
    if call is None:
        raise NotSupported(_unsupported(part.behaviour))
    upstream, _, name = call.operation.partition(".")
    consumes = context.capability.consumes[upstream]
    base = context.bases.get(upstream)
    if base is None:
        message = f'its upstream "{upstream}" has no usable baseUri: see line {consumes.place.line}'
        context.refuse("call-out-of-service", part, message)
        return None
    operation = consumes.operations[name]
    if operation.raw_format not in (None, *_RAW_FORMATS):
        raise NotSupported(f'outputRawFormat "{operation.raw_format}"')
    collector = InputCollector(
        part.parameters,
        part.route if isinstance(part, ExposedOperation) else None,
        reads_body=isinstance(part, ExposedOperation) and part.method != "GET",
    )
    compiled = compile_call(call, consumes, base, Compiler(collector, context.variables, {}))
    output = compile_output(
        part.behaviour.outputs,
        operation.raw_format,
        Compiler(collector, context.variables, {}),
    )
    return OperationPlan(
        name=f"{namespace}.{part.name}",
        inputs=collector.plans(),
        call=compiled.plan,
        output=output,
        accepts_body=compiled.accepts_body,
        body_required=compiled.body_required,
        body_schema=compiled.body_schema,
    )


def _unsupported(behaviour: Behaviour) -> str:
    if behaviour.steps:
        return "an operation made of `steps`"
    if behaviour.reference:
        return "`ref` to an aggregate function"
    return "an operation without `call` (a mock)"
