"""How a tool is described to clients: the schemas of its arguments and of its result."""

from __future__ import annotations

import json
from collections.abc import Mapping

from naftiko_runtime.document.model import Hints
from naftiko_runtime.exposes.mcp.json_numbers import as_doubles
from naftiko_runtime.exposes.mcp.naming import argument_alias, unique_name
from naftiko_runtime.exposes.mcp.schema_check import Check, lazy_check
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import InputPlan, OperationPlan, ToolPlan

_BODY = "body"
_BODY_DESCRIPTION = "The JSON body of the request."


@dataclass(frozen=True, slots=True)
class ToolArgument:
    """One argument under the name that it is listed as.

    `plan` is None for the request body of an operation that passes its caller's body on. That one
    has a `check`; the values of the others are checked by their plans.
    """

    name: str
    plan: InputPlan | None
    schema: Mapping[str, JsonValue]
    required: bool
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class ResultShape:
    """What a tool promises about its structured content.

    `wrapper` is the key that holds the result for clients of the handshake versions where the
    result is not an object: they take objects only. None where it is an object.
    """

    schema: Mapping[str, JsonValue]
    wrapper: str | None
    check: Check


def tool_arguments(operation: OperationPlan) -> tuple[ToolArgument, ...]:
    """The arguments of a tool, in the order of its inputs; the body comes last. A name that
    clients accept is never given to another input."""
    taken = {plan.name for plan in operation.inputs if argument_alias(plan.name) == plan.name}
    arguments = []
    for plan in operation.inputs:
        name = plan.name
        if name not in taken:
            name = unique_name(argument_alias(name), taken)
            taken.add(name)
        arguments.append(ToolArgument(name, plan, _argument_schema(plan), plan.required))
    if operation.accepts_body and not any(plan.whole_body for plan in operation.inputs):
        arguments.append(_body_argument(operation, unique_name(_BODY, taken)))
    return tuple(arguments)


def _body_argument(operation: OperationPlan, name: str) -> ToolArgument:
    """The JSON body. Where the file does not describe it a list is as good as an object, but only
    an object is advertised: some clients refuse arguments of more than one type."""
    described = operation.body_schema
    schema = {"description": _BODY_DESCRIPTION, **(described or {"type": "object"})}
    check = lazy_check(described or {"type": ["object", "array"]})
    return ToolArgument(name, None, schema, operation.body_required, check)


def _argument_schema(plan: InputPlan) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = dict(plan.schema)
    if plan.description:
        schema["description"] = plan.description
    if not isinstance(plan.default, Missing):
        schema["default"] = plan.default
    return schema


def result_shape(schema: Mapping[str, JsonValue] | None) -> ResultShape | None:
    if schema is None:
        return None
    types = schema.get("type")
    wrapper = None
    if types != "object":
        is_list = types == "array" or types in (["array", "null"], ["null", "array"])
        wrapper = "items" if is_list else "value"
    return ResultShape(schema, wrapper, lazy_check(schema))


def tool_entry(
    name: str,
    plan: ToolPlan,
    arguments: tuple[ToolArgument, ...],
    result: ResultShape | None,
    *,
    handshake: bool,
) -> dict[str, JsonValue]:
    """The tool as `tools/list` shows it. Raises ValueError when it cannot be written as JSON."""
    properties: dict[str, JsonValue] = {a.name: dict(a.schema) for a in arguments}
    input_schema: dict[str, JsonValue] = {"type": "object", "properties": properties}
    required: list[JsonValue] = [a.name for a in arguments if a.required]
    if required:
        input_schema["required"] = required
    input_schema["additionalProperties"] = False
    entry: dict[str, JsonValue] = {"name": name}
    if plan.label:
        entry["title"] = plan.label
    if plan.description or plan.label:
        entry["description"] = plan.description or plan.label
    entry["inputSchema"] = input_schema
    if result is not None:
        entry["outputSchema"] = _output_schema(result, handshake=handshake)
    annotations = _annotations(plan.hints, plan.label)
    if annotations:
        entry["annotations"] = annotations
    plain = as_doubles(entry)
    assert isinstance(plain, dict)
    fault = _fault(plain)
    if fault is not None:
        raise ValueError(fault)
    return plain


def _output_schema(result: ResultShape, *, handshake: bool) -> JsonValue:
    if result.wrapper is None or not handshake:
        return dict(result.schema)
    inner: dict[str, JsonValue] = {result.wrapper: dict(result.schema)}
    return {"type": "object", "properties": inner, "required": [result.wrapper]}


def _annotations(hints: Hints, label: str) -> dict[str, JsonValue]:
    """ToolAnnotations of the protocol, without those that the file does not give (McpToolHints)."""
    given = {
        "title": label or None,
        "readOnlyHint": hints.read_only,
        "destructiveHint": hints.destructive,
        "idempotentHint": hints.idempotent,
        "openWorldHint": hints.open_world,
    }
    return {key: value for key, value in given.items() if value is not None}


def _fault(entry: Mapping[str, JsonValue]) -> str | None:
    """Why the protocol's schema of `tools/list` would refuse an entry. One refused entry takes the
    whole list with it, so each is checked before it is listed."""
    json.dumps(entry)  # raises TypeError for what is no JSON at all
    for key in ("inputSchema", "outputSchema"):
        schema = entry.get(key)
        if schema is None:
            continue
        assert isinstance(schema, dict)
        if not isinstance(schema.get("$schema"), str | None):
            return f'"$schema" of its {key} is not text'
        if schema.get("type") != "object":
            continue
        if not _are_schemas(schema.get("properties")):
            return f"the properties of its {key} are not schemas"
        if not _are_names(schema.get("required")):
            return f'"required" of its {key} is not a list of names'
    return None


def _are_schemas(properties: JsonValue) -> bool:
    if isinstance(properties, dict):
        return all(isinstance(each, dict | bool) for each in properties.values())
    return properties is None


def _are_names(required: JsonValue) -> bool:
    if isinstance(required, list):
        return all(isinstance(each, str) for each in required)
    return required is None
