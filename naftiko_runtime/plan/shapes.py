"""Compiles the declared shape of a result that is made by name: what `outputParameters` say after
`steps` (OrchestratedOutputParameter), where there are names and types but no paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from naftiko_runtime.document.model import OutputParameter
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import OutputPlan, Scope
from naftiko_runtime.plan.rewriting import fitting, is_rewritten

Shape = Callable[[JsonValue], JsonValue]


def is_by_name(outputs: Sequence[OutputParameter]) -> bool:
    """Whether outputs describe a result by names and types alone: each with a name, or a single
    one for the whole, and none with a path or a value."""
    named = len(outputs) == 1 or all(output.name for output in outputs)
    return bool(outputs) and named and not any(_has_source(output) for output in outputs)


def _has_source(output: OutputParameter) -> bool:
    children = [child for _, child in output.properties or ()]
    children += [child for child in (output.items, output.values) if child is not None]
    own = output.mapping is not None or output.value is not None
    own = own or output.optional or is_rewritten(output)
    return own or any(_has_source(child) for child in children)


def compile_shape(outputs: Sequence[OutputParameter]) -> OutputPlan:
    """Shapes an object: declared members in their types, null where they are missing. Members that
    nothing declares stay as they are: a mapping put them there. A single output without a name is
    the shape of the whole."""
    if len(outputs) == 1 and outputs[0].name is None:
        return _plan(_compile(outputs[0]), shape_schema(outputs[0]))
    members = [(output.name or "", output) for output in outputs]
    properties: dict[str, JsonValue] = {name: shape_schema(output) for name, output in members}
    return _plan(_object(members), {"type": "object", "properties": properties})


def _plan(shape: Shape, schema: dict[str, JsonValue]) -> OutputPlan:
    def apply(document: JsonValue, scope: Scope) -> JsonValue:
        return shape(document)

    return OutputPlan(apply, schema)


def _compile(output: OutputParameter) -> Shape:
    if output.items is not None:
        return _array(_compile(output.items))
    if output.properties is not None:
        return _object(output.properties)
    fit = fitting(output.type)
    return lambda value: None if value is None else fit(value)


def _object(members: Sequence[tuple[str, OutputParameter]]) -> Shape:
    shapes = [(name, _compile(output)) for name, output in members]

    def shape(value: JsonValue) -> JsonValue:
        if not isinstance(value, dict):
            return value
        declared = {name: make(value.get(name)) for name, make in shapes}
        return {**declared, **{k: v for k, v in value.items() if k not in declared}}

    return shape


def _array(make: Shape) -> Shape:
    def shape(value: JsonValue) -> JsonValue:
        if isinstance(value, list):
            return [make(item) for item in value]
        return [make(value)] if isinstance(value, dict) else value

    return shape


def shape_schema(output: OutputParameter) -> dict[str, JsonValue]:
    """JSON Schema of a shaped value; anything may be null, since a step may find nothing."""
    schema: dict[str, JsonValue] = {"type": [output.type, "null"]}
    if output.description:
        schema["description"] = output.description
    if output.items is not None:
        schema["items"] = shape_schema(output.items)
    if output.properties is not None:
        schema["properties"] = {name: shape_schema(child) for name, child in output.properties}
    return schema
