"""Reads what an operation, tool, resource or function does, and the inputs that it declares."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.document.consumes_reader import parameter_type
from naftiko_runtime.document.dialects import (
    NameScope,
    read_injected,
    read_mapping,
    read_template,
)
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.model import (
    AggregateFunction,
    Behaviour,
    Call,
    CallStep,
    InputParameter,
    LookupStep,
    ParameterPlace,
    ParameterType,
    ScriptStep,
    Semantics,
    Step,
    StepMapping,
    Value,
)
from naftiko_runtime.document.outputs_reader import read_outputs
from naftiko_runtime.document.templates import TemplateSyntaxError

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
    """`call` with `with`, `steps` with `mappings`, `ref`, and `outputParameters`."""
    steps: list[Step] = []
    known: frozenset[str] = frozenset()
    for child in element.children("steps"):
        step = _read_step(child, scope.with_steps(known))
        if step is not None:
            steps.append(step)
            known |= {step.name}
    arguments = _read_arguments(element, "with", scope)
    return Behaviour(
        call=_read_call(element, scope, arguments),
        steps=tuple(steps),
        reference=element.optional_text("ref"),
        mappings=tuple(
            StepMapping(
                child.place, child.path, child.text("targetName"), read_mapping(child.text("value"))
            )
            for child in element.children("mappings")
        ),
        outputs=read_outputs(element, scope.with_steps(known)),
        arguments=arguments,
    )


def _read_call(
    element: Element, scope: NameScope, arguments: tuple[tuple[str, Value], ...]
) -> Call | None:
    """`call` as text, or as an object `{operation, with}`."""
    given = element.values.get("call")
    path = (*element.path, "call")
    place = element.reading.document.place(path)
    if isinstance(given, str):
        return Call(place, path, given, arguments)
    inner = element.child("call")
    if inner is None:
        return None
    merged = dict(arguments) | dict(_read_arguments(inner, "with", scope))
    return Call(place, path, inner.text("operation"), tuple(merged.items()))


def _read_arguments(element: Element, key: str, scope: NameScope) -> tuple[tuple[str, Value], ...]:
    found = element.child(key)
    if found is None:
        return ()
    arguments: list[tuple[str, Value]] = []
    for name, value in found.values.items():
        try:
            arguments.append((name, read_injected(value, scope)))
        except TemplateSyntaxError as error:
            found.fail_template(name, error)
    return tuple(arguments)


def _read_step(element: Element, scope: NameScope) -> Step | None:
    reader = STEPS.get(element.text("type"))
    return None if reader is None else reader(element, scope)


def _read_call_step(element: Element, scope: NameScope) -> Step | None:
    call = _read_call(element, scope, _read_arguments(element, "with", scope))
    if call is None:
        return None
    return CallStep(element.place, element.path, element.text("name"), call)


def _read_lookup_step(element: Element, scope: NameScope) -> Step | None:
    text = element.text("lookupValue")
    try:
        value = read_mapping(text) if text.strip().startswith("$") else read_template(text, scope)
    except TemplateSyntaxError as error:
        element.fail_template("lookupValue", error)
        return None
    return LookupStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        index=element.text("index"),
        match=element.text("match"),
        lookup_value=value,
        fields=element.texts("outputParameters"),
    )


def _read_script_step(element: Element, scope: NameScope) -> Step | None:
    return ScriptStep(
        place=element.place,
        path=element.path,
        name=element.text("name"),
        file=element.text("file"),
        language=element.optional_text("language"),
        location=element.optional_text("location"),
        dependencies=element.texts("dependencies"),
        arguments=_read_arguments(element, "with", scope),
    )


STEPS: dict[str, Callable[[Element, NameScope], Step | None]] = {
    "call": _read_call_step,
    "lookup": _read_lookup_step,
    "script": _read_script_step,
}


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
