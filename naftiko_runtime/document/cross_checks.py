"""Checks that a schema cannot express, and what they take out of service.

The model that comes out is sound: each `call` and `ref` in it names something that exists.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    Adapter,
    AggregateFunction,
    Behaviour,
    BindReference,
    Call,
    CallStep,
    Capability,
    ConsumedOperation,
    Consumes,
    ExposedOperation,
    InputReference,
    LookupStep,
    McpAdapter,
    McpResource,
    ParameterPlace,
    Reference,
    RestAdapter,
    Template,
    TemplatedArray,
    TemplatedObject,
    Tool,
    Value,
)
from naftiko_runtime.problems import Severity

_ROUTE_VARIABLE = re.compile(r"\{\{?\s*([^{}]+?)\s*\}\}?")


def check_references(capability: Capability, reading: Reading) -> Capability:
    """The capability without what its problems take out of service."""
    for consumes in capability.consumes.values():
        _check_consumed(consumes, reading)
    functions = {
        name: function
        for name, function in capability.aggregates.items()
        if _is_sound(function, capability, reading)
    }
    capability = replace(capability, aggregates=functions)
    adapters = tuple(_sound_adapter(a, capability, reading) for a in capability.adapters)
    undeclared = _undeclared_variables(capability, reading)
    return replace(capability, adapters=adapters, variables=undeclared)


_Part = TypeVar("_Part", ExposedOperation, Tool, McpResource)


def _sound_adapter(adapter: Adapter, capability: Capability, reading: Reading) -> Adapter:
    def sound(parts: Iterable[_Part]) -> tuple[_Part, ...]:
        return tuple(part for part in parts if _is_sound(part, capability, reading))

    if isinstance(adapter, RestAdapter):
        for operation in adapter.operations:
            _check_route(operation, reading)
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
    behaviour = part.behaviour
    if behaviour.reference is not None and behaviour.reference not in capability.aggregates:
        path = (*part.path, "ref")
        _refuse_unknown(reading, path, "function", behaviour.reference, capability.aggregates)
    if behaviour.call is not None:
        _check_call(behaviour.call, capability, reading)
    _check_steps(behaviour, capability, reading)
    return not reading.is_refused(part.path)


def _check_steps(behaviour: Behaviour, capability: Capability, reading: Reading) -> None:
    earlier: dict[str, int] = {}
    for step in behaviour.steps:
        if step.name in earlier:
            reading.refuse(
                "duplicate-step",
                (*step.path, "name"),
                f'"{step.name}" is also the step at line {earlier[step.name]}',
                "give each step a name of its own",
            )
        if isinstance(step, CallStep):
            _check_call(step.call, capability, reading)
        elif isinstance(step, LookupStep) and step.index not in earlier:
            _refuse_unknown(reading, (*step.path, "index"), "earlier step", step.index, earlier)
        earlier[step.name] = step.place.line


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


def references_of(value: Value) -> Iterable[Reference]:
    """All references inside a value."""
    if isinstance(value, Template):
        yield from value.references
    elif isinstance(value, TemplatedObject):
        for _, member in value.members:
            yield from references_of(member)
    elif isinstance(value, TemplatedArray):
        for item in value.items:
            yield from references_of(item)


def _check_consumed(consumes: Consumes, reading: Reading) -> None:
    if consumes.place.file != reading.document.file:
        return
    for operation in consumes.operations.values():
        in_path = {
            fold_name(".".join((r.name, *r.rest)))
            for r in operation.url_path.references
            if isinstance(r, InputReference)
        }
        for parameter in operation.parameters:
            if parameter.location is ParameterPlace.PATH and (
                fold_name(parameter.name) not in in_path
            ):
                reading.report(
                    "path-variable",
                    parameter.path,
                    f'the path "{operation.url_path.source}" has no place for "{parameter.name}"',
                    f"put {{{parameter.name}}} into the path, or say where else it goes with `in`",
                    severity=Severity.WARNING,
                )


def _check_route(operation: ExposedOperation, reading: Reading) -> None:
    variables = _ROUTE_VARIABLE.findall(operation.route)
    folded = [fold_name(name) for name in variables]
    for name in {n for n in folded if folded.count(n) > 1}:
        reading.refuse(
            "duplicate-variable",
            operation.path,
            f'the path "{operation.route}" holds the variable "{name}" twice',
            "give each variable a name of its own",
        )
    for parameter in operation.parameters:
        if parameter.location is ParameterPlace.PATH and fold_name(parameter.name) not in folded:
            reading.report(
                "path-variable",
                parameter.path,
                f'the path "{operation.route}" has no variable "{parameter.name}"',
                "callers give it in the query instead; put it into the path, or say `in: query`",
                severity=Severity.WARNING,
            )


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


def _undeclared_variables(capability: Capability, reading: Reading) -> tuple[BindReference, ...]:
    """Variables that are used but not declared; each is reported where it is used first."""
    declared = {bind.variable for bind in capability.binds}
    declared |= {f"{bind.namespace}.{bind.variable}" for bind in capability.binds}
    found: dict[str, BindReference] = {}

    def visit(value: Value, path: tuple[str | int, ...]) -> None:
        for reference in references_of(value):
            if not isinstance(reference, BindReference) or reference.variable in declared:
                continue
            if reference.variable not in found:
                found[reference.variable] = reference
                reading.report(
                    "undeclared-variable",
                    path,
                    f'"{reference.text}" is not declared under `binds`',
                    "declare it there; until then it is looked up in the environment, and sent "
                    "as written where that has none either",
                    severity=Severity.WARNING,
                )

    for consumes in capability.consumes.values():
        if consumes.place.file == reading.document.file and capability.adapters:
            _visit_consumes(consumes, visit)
    return tuple(found.values())


def _visit_consumes(
    consumes: Consumes, visit: Callable[[Value, tuple[str | int, ...]], None]
) -> None:
    visit(consumes.base_uri, (*consumes.path, "baseUri"))
    if consumes.authentication is not None:
        for key, template in consumes.authentication.fields.items():
            visit(template, (*consumes.authentication.path, key))
    for operation in consumes.operations.values():
        visit(operation.url_path, operation.path)
        for parameter in operation.parameters:
            if parameter.value is not None:
                visit(parameter.value, parameter.path)
        if operation.body is not None and operation.body.data is not None:
            visit(operation.body.data, operation.body.path)
