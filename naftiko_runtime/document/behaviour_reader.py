"""Reads what an operation, tool, resource or function does, and the inputs that it declares."""

from __future__ import annotations

from naftiko_runtime.document.consumes_reader import parameter_type
from naftiko_runtime.document.dialects import NameScope, read_mapping
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.errors_reader import read_errors
from naftiko_runtime.document.model import (
    AggregateFunction,
    Behaviour,
    InputParameter,
    ParameterPlace,
    ParameterType,
    Semantics,
    StepMapping,
)
from naftiko_runtime.document.outputs_reader import read_outputs
from naftiko_runtime.document.steps_reader import read_arguments, read_call, read_steps

_INPUT_KEYS = frozenset({"name", "in", "type", "description", "required", "value", "mapping"})


def read_inputs(element: Element) -> tuple[InputParameter, ...]:
    return tuple(_read_input(child) for child in element.children("inputParameters"))


def _read_input(element: Element) -> InputParameter:
    location = element.optional_text("in")
    return InputParameter(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        type=parameter_type(element) or ParameterType.STRING,
        description=element.text("description"),
        location=None if location is None else ParameterPlace(location),
        required=element.flag("required"),
        value=element.optional_text("value"),
        target=element.optional_text("mapping"),
        schema={k: v for k, v in element.values.items() if k not in _INPUT_KEYS},
    )


def read_behaviour(element: Element, scope: NameScope) -> Behaviour:
    """`call` with `with`, `steps` with `mappings`, `ref`, `outputParameters` and `errors`."""
    steps = read_steps(element, scope)
    arguments = read_arguments(element, "with", scope)
    return Behaviour(
        call=read_call(element, scope, arguments),
        steps=steps,
        reference=element.optional_text("ref"),
        mappings=tuple(
            StepMapping(
                child.place, child.path, child.text("targetName"), read_mapping(child.text("value"))
            )
            for child in element.children("mappings")
        ),
        outputs=read_outputs(element, scope.with_steps(frozenset(s.name for s in steps))),
        arguments=arguments,
        errors=read_errors(element, scope),
    )


def read_functions(element: Element, scope: NameScope) -> tuple[AggregateFunction, ...]:
    """The functions of one entry of `aggregates`; its namespace refers to the function's inputs."""
    namespace = element.text("namespace")
    return tuple(
        AggregateFunction(
            place=child.place,
            path=child.path,
            namespace=namespace,
            name=child.text("name"),
            description=child.text("description"),
            semantics=_read_semantics(child.child("semantics")),
            parameters=read_inputs(child),
            behaviour=read_behaviour(child, scope),
        )
        for child in element.children("functions")
    )


def _read_semantics(element: Element | None) -> Semantics:
    if element is None:
        return Semantics()
    return Semantics(element.flag("safe"), element.flag("idempotent"), element.flag("cacheable"))
