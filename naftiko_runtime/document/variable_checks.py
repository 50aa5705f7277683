"""Finds the variables that a file uses without declaring them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from naftiko_runtime.document.element import Reading
from naftiko_runtime.document.model import (
    Behaviour,
    BindReference,
    Capability,
    Consumes,
    ErrorShape,
    McpAdapter,
    OutputParameter,
    RestAdapter,
    Value,
    references_of,
)
from naftiko_runtime.document.step_values import values_of_call, values_of_step
from naftiko_runtime.problems import DocumentPath, Severity

Visit: TypeAlias = Callable[[Value, DocumentPath], None]


def undeclared_variables(capability: Capability, reading: Reading) -> tuple[BindReference, ...]:
    """Variables that are used but not declared; each is reported where it is used first."""
    declared = {bind.variable for bind in capability.binds}
    declared |= {f"{bind.namespace}.{bind.variable}" for bind in capability.binds}
    found: dict[str, BindReference] = {}

    def visit(value: Value, path: DocumentPath) -> None:
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

    if not capability.adapters:
        return ()
    for consumes in capability.consumes.values():
        if consumes.place.file == reading.document.file:
            _visit_consumes(consumes, visit)
    for behaviour in _behaviours(capability):
        _visit_behaviour(behaviour, visit)
    for adapter in capability.adapters:
        if isinstance(adapter, RestAdapter | McpAdapter):
            _visit_errors(adapter.errors, visit)
    return tuple(found.values())


def _behaviours(capability: Capability) -> Iterable[Behaviour]:
    for function in capability.aggregates.values():
        yield function.behaviour
    for adapter in capability.adapters:
        if isinstance(adapter, RestAdapter):
            yield from (operation.behaviour for operation in adapter.operations)
        elif isinstance(adapter, McpAdapter):
            yield from (tool.behaviour for tool in adapter.tools)
            yield from (resource.behaviour for resource in adapter.resources)


def _visit_behaviour(behaviour: Behaviour, visit: Visit) -> None:
    for step in behaviour.steps:
        for path, value in values_of_step(step):
            visit(value, path)
    if behaviour.call is not None:
        for path, value in values_of_call(behaviour.call):
            visit(value, path)
    for output in behaviour.outputs:
        _visit_output(output, visit)
    _visit_errors(behaviour.errors, visit)


def _visit_errors(errors: Iterable[ErrorShape], visit: Visit) -> None:
    for error in errors:
        if error.message is not None:
            visit(error.message, (*error.path, "message"))
        for output in error.outputs or ():
            _visit_output(output, visit)


def _visit_output(output: OutputParameter, visit: Visit) -> None:
    if output.value is not None:
        visit(output.value, (*output.path, "value"))
    children = [child for _, child in output.properties or ()]
    children += [child for child in (output.items, output.values) if child is not None]
    for child in children:
        _visit_output(child, visit)


def _visit_consumes(consumes: Consumes, visit: Visit) -> None:
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
