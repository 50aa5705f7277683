"""Checks that a schema cannot express, and what they take out of service.

The model that comes out is sound: each `call` and `ref` in it names something that exists.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    Adapter,
    AggregateFunction,
    Call,
    CallStep,
    Capability,
    ConsumedOperation,
    Consumes,
    ExposedOperation,
    InputReference,
    McpAdapter,
    McpResource,
    RestAdapter,
    Tool,
    Value,
    references_of,
)
from naftiko_runtime.document.parameter_checks import check_consumed, check_route
from naftiko_runtime.document.semantics_checks import check_declared_safe, check_semantics
from naftiko_runtime.document.skill_checks import check_skills
from naftiko_runtime.document.step_checks import check_mappings, check_steps
from naftiko_runtime.document.variable_checks import undeclared_variables

_ROUTE_VARIABLE = re.compile(r"\{\{?\s*([^{}]+?)\s*\}\}?")


def check_references(capability: Capability, reading: Reading) -> Capability:
    """The capability without what its problems take out of service."""
    for consumes in capability.consumes.values():
        check_consumed(consumes, reading)
        check_declared_safe(consumes, reading)
    functions = {
        name: function
        for name, function in capability.aggregates.items()
        if _is_sound(function, capability, reading)
    }
    adapters = tuple(_sound_adapter(a, capability, reading) for a in capability.adapters)
    adapters = check_skills(adapters, capability.adapters, reading)
    undeclared = undeclared_variables(capability, reading)
    return replace(capability, aggregates=functions, adapters=adapters, variables=undeclared)


_Part = TypeVar("_Part", ExposedOperation, Tool, McpResource)


def _sound_adapter(adapter: Adapter, capability: Capability, reading: Reading) -> Adapter:
    def sound(parts: Iterable[_Part]) -> tuple[_Part, ...]:
        return tuple(part for part in parts if _is_sound(part, capability, reading))

    if isinstance(adapter, RestAdapter):
        for operation in adapter.operations:
            check_route(operation, reading)
        targets = (f for f in adapter.forwards if f.target_namespace not in capability.consumes)
        for forward in targets:
            _refuse_unknown(
                reading,
                (*forward.path, "targetNamespace"),
                "namespace",
                forward.target_namespace,
                capability.consumes,
            )
        return replace(
            adapter,
            operations=sound(adapter.operations),
            forwards=tuple(
                f for f in adapter.forwards if f.target_namespace in capability.consumes
            ),
        )
    if isinstance(adapter, McpAdapter):
        prompts = tuple(p for p in adapter.prompts if not reading.is_refused(p.path))
        return replace(
            adapter,
            tools=sound(adapter.tools),
            resources=sound(adapter.resources),
            prompts=prompts,
        )
    return adapter


def _is_sound(
    part: ExposedOperation | Tool | McpResource | AggregateFunction,
    capability: Capability,
    reading: Reading,
) -> bool:
    """Whether a part can be served; reports why not."""
    behaviour, steps = part.behaviour, part.behaviour.steps
    if behaviour.reference is not None:
        function = _check_reference(part, behaviour.reference, capability, reading)
        steps = steps if function is None else function.behaviour.steps
    if behaviour.call is not None:
        _check_call(behaviour.call, capability, reading)
    for step in behaviour.steps:
        if isinstance(step, CallStep):
            _check_call(step.call, capability, reading)
    inputs = () if isinstance(part, McpResource) else part.parameters
    check_steps(behaviour, inputs, reading)
    check_mappings(behaviour.mappings, steps, reading)
    return not reading.is_refused(part.path)


def _check_reference(
    part: ExposedOperation | Tool | McpResource | AggregateFunction,
    reference: str,
    capability: Capability,
    reading: Reading,
) -> AggregateFunction | None:
    function = capability.aggregates.get(reference)
    path = (*part.path, "ref")
    if function is None:
        _refuse_unknown(reading, path, "function", reference, capability.aggregates)
    elif reading.is_refused(function.path):
        reading.refuse(
            "call-out-of-service",
            path,
            f'"{reference}" is out of service: see line {function.place.line}',
        )
    elif isinstance(part, ExposedOperation):
        check_semantics(part, function, reading)
    return function


def _check_call(call: Call, capability: Capability, reading: Reading) -> None:
    namespace, _, name = call.operation.partition(".")
    consumes = capability.consumes.get(namespace)
    operation = consumes.operations.get(name) if consumes else None
    if consumes is None or operation is None:
        known = [
            operation.reference
            for each in capability.consumes.values()
            for operation in each.operations.values()
        ]
        _refuse_unknown(reading, call.path, "operation", call.operation, known)
        return
    if reading.is_refused(operation.path) and operation.place.file == reading.document.file:
        reading.refuse(
            "call-out-of-service",
            call.path,
            f'"{call.operation}" is out of service: see line {operation.place.line}',
        )
        return
    _check_arguments(call, consumes, operation, reading)


def _check_arguments(
    call: Call, consumes: Consumes, operation: ConsumedOperation, reading: Reading
) -> None:
    readable = consumed_names(consumes, operation)
    folded = {fold_name(name) for name in readable}
    for name, _ in call.arguments:
        if fold_name(name) not in folded:
            close = difflib.get_close_matches(name, sorted(readable), 1)
            hint = f'did you mean "{close[0]}"? ' if close else ""
            names = ", ".join(f'"{known}"' for known in sorted(readable)) or "nothing"
            reading.report(
                "unknown-argument",
                (*call.path[:-1], "with", name),
                f'"{call.operation}" reads no "{name}"',
                f"{hint}it reads {names}",
                key=True,
            )


def consumed_names(consumes: Consumes, operation: ConsumedOperation) -> set[str]:
    """Every name that an upstream request reads: its parameters and what its templates refer to."""
    names = {parameter.name for parameter in operation.parameters}
    if operation.leaves_body_open:
        names.add("body")
    texts: list[Value] = [operation.url_path, consumes.base_uri]
    texts += [p.value for p in operation.parameters if p.value is not None]
    if operation.body is not None and operation.body.data is not None:
        texts.append(operation.body.data)
    if consumes.authentication is not None:
        texts += consumes.authentication.fields.values()
    for reference in (r for text in texts for r in references_of(text)):
        if isinstance(reference, InputReference):
            names.add(".".join((reference.name, *reference.rest)))
            names.add(reference.name)
    return names


def _refuse_unknown(
    reading: Reading,
    path: tuple[str | int, ...],
    what: str,
    name: str,
    known: Iterable[str],
) -> None:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, 1, 0.5)
    if close:
        remedy = f'did you mean "{close[0]}"?'
    else:
        remedy = f"known: {', '.join(names[:12])}" if names else f"the file has no {what} at all"
    reading.refuse("unknown-reference", path, f'"{name}" names no {what}', remedy)
