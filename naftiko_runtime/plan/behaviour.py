"""Compiles what an exposed part does - a call, steps, a function or a mock - into its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import (
    AggregateFunction,
    Behaviour,
    Call,
    CallStep,
    ConsumedOperation,
    Consumes,
    ErrorShape,
    InputParameter,
    ParameterPlace,
)
from naftiko_runtime.formats import JSON, RawFormat, compile_format
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.calls import Shelf
from naftiko_runtime.plan.ends import Answers
from naftiko_runtime.plan.errors import compile_errors
from naftiko_runtime.plan.getters import Compiler, arguments_of
from naftiko_runtime.plan.inputs import InputCollector, Need
from naftiko_runtime.plan.mappings import compile_mappings
from naftiko_runtime.plan.mocks import compile_mock
from naftiko_runtime.plan.operation import (
    Action,
    CallPlan,
    InputPlan,
    OperationPlan,
    OrchestrationPlan,
    OutputPlan,
)
from naftiko_runtime.plan.outputs import compile_output
from naftiko_runtime.plan.request import CompiledCall, compile_call
from naftiko_runtime.plan.scripts import Scripting
from naftiko_runtime.plan.shapes import compile_shape, is_by_name
from naftiko_runtime.plan.steps import StepCompiler, compile_steps
from naftiko_runtime.plan.url import Base
from naftiko_runtime.plan.variables import Variables


class OutOfService(Exception):
    """An upstream that calls cannot reach, for a reason that has been reported; the message names
    it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the parts of a capability refer to. `label` is the capability's."""

    consumes: Mapping[str, Consumes]
    functions: Mapping[str, AggregateFunction]
    variables: Variables
    bases: Mapping[str, Base]
    label: str = ""
    scripting: Scripting = field(default_factory=Scripting)
    shelf: Shelf = field(default_factory=Shelf)


@dataclass(frozen=True, slots=True)
class Part:
    """An exposed operation, tool or resource, as far as its behaviour goes.

    `route` is the exposed path for REST and None for MCP; `reads_body` says whether undeclared
    inputs may be fields of the request body; `in_uri` are the variables of a resource's URI.
    `errors` are those of its adapter, `answers` the adapter's operations or tools.
    """

    name: str
    parameters: tuple[InputParameter, ...]
    behaviour: Behaviour
    route: str | None = None
    reads_body: bool = False
    in_uri: tuple[str, ...] = ()
    errors: tuple[ErrorShape, ...] = ()
    answers: Answers = field(default_factory=dict)


def compile_behaviour(part: Part, surroundings: Surroundings) -> OperationPlan:
    """The plan of one part.

    Raises OutOfService, OutputError, JsonPathSyntaxError, ScriptError, StepError, or another
    ValueError for what cannot be compiled.
    """
    behaviour, parameters = part.behaviour, part.parameters
    function = surroundings.functions.get(behaviour.reference or "")
    if function is not None:
        parameters = parameters or _left_open(function, behaviour)
    collector = InputCollector(
        parameters, part.route, reads_body=part.reads_body, in_uri=part.in_uri
    )
    compiler = Compiler(collector, surroundings.variables)
    if function is not None:
        needs = {fold_name(each.name): _need_of(each) for each in function.parameters}
        arguments = {
            name: compiler.value(value, needs.get(fold_name(name), Need()))
            for name, value in behaviour.arguments
        }
        compiler = replace(compiler, arguments=arguments_of(arguments))
        behaviour = _inherited(behaviour, function.behaviour)
    body = _Body()
    action, output = _compile_action(behaviour, compiler, surroundings, body, part.answers)
    inputs = collector.plans()
    return OperationPlan(
        name=part.name,
        inputs=inputs,
        action=action,
        output=output,
        accepts_body=body.accepted or (part.route is not None and any(map(_is_in_body, inputs))),
        passes_encoded_body=body.passed and any(_is_content_coding(each) for each in inputs),
        body_required=body.required,
        body_schema=body.schema,
        capability=surroundings.label,
        function=function.reference if function is not None else None,
        errors=compile_errors((*behaviour.errors, *part.errors), compiler),
    )


def _left_open(function: AggregateFunction, behaviour: Behaviour) -> tuple[InputParameter, ...]:
    """The inputs of a function that the `with` beside `ref` does not give."""
    given = {fold_name(name) for name, _ in behaviour.arguments}
    return tuple(each for each in function.parameters if fold_name(each.name) not in given)


def _need_of(parameter: InputParameter) -> Need:
    """What a function wants of an input (McpToolInputParameter: required unless it says no)."""
    required = parameter.required is not False
    return Need(parameter.type, parameter.description, required, parameter.schema)


def _inherited(own: Behaviour, function: Behaviour) -> Behaviour:
    """What a part that refers to a function does: its own fields override (`ref`)."""
    return replace(
        function,
        mappings=own.mappings or function.mappings,
        outputs=own.outputs or function.outputs,
        errors=own.errors + function.errors,
    )


def _is_in_body(plan: InputPlan) -> bool:
    """Whether an input can be given in the body of a REST request."""
    return plan.whole_body or plan.body_path is not None or ParameterPlace.BODY in plan.places


def _is_content_coding(plan: InputPlan) -> bool:
    is_header = ParameterPlace.HEADER in plan.places
    return is_header and fold_name(plan.name) == fold_name("Content-Encoding")


@dataclass(slots=True)
class _Body:
    """What the calls of a part make of the caller's body, gathered while they are compiled."""

    accepted: bool = False
    passed: bool = False
    required: bool = False
    schema: dict[str, JsonValue] | None = None

    def note(self, call: CompiledCall) -> CallPlan:
        self.accepted |= call.accepts_body
        self.passed |= call.passes_body
        self.required |= call.body_required
        self.schema = self.schema or call.body_schema
        return call.plan


def _compile_action(
    behaviour: Behaviour,
    compiler: Compiler,
    surroundings: Surroundings,
    body: _Body,
    answers: Answers,
) -> tuple[Action, OutputPlan]:
    if behaviour.call is not None:
        operation = _operation(behaviour.call, surroundings)
        call = _compile_call(behaviour.call, compiler, surroundings)
        output = compile_output(behaviour.outputs, _raw_format(operation), compiler)
        return body.note(call), output
    if behaviour.steps:
        return _compile_steps(behaviour, compiler, surroundings, body, answers)
    return compile_mock(behaviour.outputs, compiler)


def _compile_steps(
    behaviour: Behaviour,
    compiler: Compiler,
    surroundings: Surroundings,
    body: _Body,
    answers: Answers,
) -> tuple[Action, OutputPlan]:
    def compile_one(step: CallStep, values: Compiler) -> CallPlan:
        return body.note(_compile_call(step.call, values, surroundings, in_steps=True))

    def consumed(step: CallStep) -> tuple[Consumes, ConsumedOperation]:
        operation = _operation(step.call, surroundings)
        return surroundings.consumes[operation.namespace], operation

    compiler.collector.close()
    steps = compile_steps(
        behaviour.steps,
        behaviour.mappings,
        behaviour.outputs,
        StepCompiler(
            compiler,
            consumed,
            compile_one,
            _raw_format,
            surroundings.scripting,
            surroundings.shelf,
            answers,
        ),
    )
    calls = [step for step in behaviour.steps if isinstance(step, CallStep)]
    raw_format = _raw_format(consumed(calls[-1])[1]) if calls else JSON
    if is_by_name(behaviour.outputs):
        output = replace(compile_shape(behaviour.outputs), raw_format=raw_format)
    else:
        output = compile_output(behaviour.outputs, raw_format, compiler)
    return OrchestrationPlan(steps, compile_mappings(behaviour.mappings)), output


def _raw_format(operation: ConsumedOperation) -> RawFormat:
    """The format of an operation's answers, made ready. Raises ValueError."""
    folder = Path(operation.place.file).parent
    try:
        return compile_format(operation.raw_format, operation.output_schema, folder)
    except ImportError as error:
        raise ValueError(
            f'outputRawFormat "{operation.raw_format}" needs the library "{error.name}": install '
            "naftiko-runtime[formats]"
        ) from None


def _operation(call: Call, surroundings: Surroundings) -> ConsumedOperation:
    namespace, _, name = call.operation.partition(".")
    return surroundings.consumes[namespace].operations[name]


def _compile_call(
    call: Call, compiler: Compiler, surroundings: Surroundings, *, in_steps: bool = False
) -> CompiledCall:
    operation = _operation(call, surroundings)
    consumes = surroundings.consumes[operation.namespace]
    base = surroundings.bases.get(operation.namespace)
    if base is None:
        raise OutOfService(
            f'its upstream "{operation.namespace}" has no usable baseUri: see line '
            f"{consumes.place.line}"
        )
    return compile_call(call, consumes, base, compiler, in_steps=in_steps)
