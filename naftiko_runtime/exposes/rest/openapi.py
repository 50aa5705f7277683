"""Describes everything that a listener serves as an OpenAPI 3.1 document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from naftiko_runtime import __version__
from naftiko_runtime.exposes.rest.forwards import ServedForward
from naftiko_runtime.exposes.rest.openapi_forwards import (
    METHODS,
    described_forwards,
    operation_of,
)
from naftiko_runtime.exposes.rest.openapi_parameters import (
    described_parameters,
    description_of,
    in_body,
    schema_of,
)
from naftiko_runtime.exposes.rest.openapi_paths import Paths
from naftiko_runtime.exposes.rest.openapi_security import SecuritySchemes
from naftiko_runtime.exposes.rest.problem_details import PROBLEM_TYPE
from naftiko_runtime.exposes.rest.table import RestTable, ServedOperation
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import OperationPlan

_METHODS: Final = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
"""Those for which a path item has a place (OpenAPI 3.1, 4.8.9)."""
_PROBLEM_SCHEMA: Final[dict[str, JsonValue]] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:naftiko:problem: and the kind of failure."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong and what to do."},
        "field": {"type": "string", "description": "The input at fault."},
        "executed": {
            "type": "boolean",
            "description": "False when the upstream provably never got the request.",
        },
        "incident": {"type": "string", "description": "Where the log explains an internal error."},
    },
}


def described_operations(
    table: RestTable, paths: Paths
) -> Iterator[tuple[ServedOperation, str, dict[str, JsonValue]]]:
    """Each operation that a path item has a place for, its templated path and its description."""
    identifiers = _Identifiers()
    for operation in table.operations:
        if operation.plan.method in _METHODS:
            path, names = paths.of(operation.route)
            plan = operation.plan
            plain = plan.name or f"{plan.method} {plan.route}"
            identifier = identifiers.take(plain, operation.adapter.namespace)
            yield operation, path, _operation(operation, names, identifier)


def openapi_document(table: RestTable) -> dict[str, JsonValue]:
    """The document as a JSON value."""
    items: dict[str, dict[str, JsonValue]] = {}
    security = SecuritySchemes(table)
    paths = Paths()
    for operation, path, description in described_operations(table, paths):
        asked = operation.adapter.authentication
        if asked is not None:
            description["security"] = security.required(asked)
        items.setdefault(path, {})[operation.plan.method.lower()] = description
    for forward, path, description in described_forwards(table, paths):
        asked = forward.adapter.authentication
        if asked is not None:
            description["security"] = security.required(asked)
        for method in METHODS:
            items.setdefault(path, {}).setdefault(method, operation_of(method, description))
    schemes = security.described()
    return {
        "openapi": "3.1.0",
        "info": {"title": title(table), "version": __version__},
        "servers": [{"url": "/"}],
        "tags": _tags(table),
        "paths": dict(items),
        "components": {
            "schemas": {"Problem": _PROBLEM_SCHEMA},
            "responses": {
                "Problem": {
                    "description": "A failure of the call, or an error of the upstream as it came.",
                    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
            **({"securitySchemes": schemes} if schemes else {}),
        },
    }


def title(table: RestTable) -> str:
    """The label of the only file, or one for many."""
    labels = list(dict.fromkeys(each.label for each in _served(table)))
    return labels[0] if len(labels) == 1 else "Naftiko capabilities"


def _served(table: RestTable) -> tuple[ServedOperation | ServedForward, ...]:
    return (*table.operations, *table.forwards.served)


def _tags(table: RestTable) -> list[JsonValue]:
    described: dict[str, str] = {}
    for served in _served(table):
        adapter = served.adapter
        described[adapter.namespace] = described.get(adapter.namespace) or adapter.description
    return [
        {"name": name, **({"description": text} if text else {})}
        for name, text in described.items()
    ]


class _Identifiers:
    """Unique operation ids: the operation's name, with its namespace where that is taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, plain: str, namespace: str) -> str:
        identifier = plain
        count = 1
        while identifier in self._taken:
            suffix = "" if count == 1 else f"-{count}"
            identifier = f"{namespace}.{plain}{suffix}"
            count += 1
        self._taken.add(identifier)
        return identifier


def _operation(
    served: ServedOperation, names: tuple[str, ...], identifier: str
) -> dict[str, JsonValue]:
    plan = served.plan
    described: dict[str, JsonValue] = {
        "operationId": identifier,
        "tags": [served.adapter.namespace],
        "parameters": described_parameters(
            served.route,
            names,
            plan.operation.inputs,
            reads_body=plan.operation.accepts_body,
        ),
        "responses": _responses(plan.operation),
    }
    if plan.label:
        described["summary"] = plan.label
    if plan.description:
        described["description"] = plan.description
    if plan.operation.accepts_body:
        described["requestBody"] = {
            "required": plan.operation.body_required,
            "content": {"application/json": {"schema": _body_schema(plan.operation)}},
        }
    return described


def _body_schema(operation: OperationPlan) -> dict[str, JsonValue]:
    """The schema of the request body, made of the inputs that are its fields where the plan has
    none of its own."""
    if operation.body_schema is not None:
        return dict(operation.body_schema)
    whole = next((plan for plan in operation.inputs if plan.whole_body), None)
    if whole is not None:
        return schema_of(whole)
    fields = [
        plan
        for plan in operation.inputs
        if in_body(plan) and plan.body_path is None and plan.route_variable is None
    ]
    if not fields:
        return {}
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {plan.name: {**schema_of(plan), **description_of(plan)} for plan in fields},
    }
    required: list[JsonValue] = [plan.name for plan in fields if plan.required]
    if required:
        schema["required"] = required
    return schema


def _responses(operation: OperationPlan) -> dict[str, JsonValue]:
    output = operation.output
    media_type = "application/json" if output.map else output.raw_format.media_type
    schema: JsonValue = {} if output.schema is None else dict(output.schema)
    return {
        "200": {
            "description": "The upstream's answer; its status passes through.",
            "content": {media_type: {"schema": schema}},
        },
        "default": _failures(operation),
    }


def _failures(operation: OperationPlan) -> dict[str, JsonValue]:
    """The shape that the file gives to all failures, else a problem document. Failures that have
    a shape of their own are either."""
    entry = next((each for each in operation.errors if each.body is not None), None)
    if entry is None or entry.when is not None:
        return {"$ref": "#/components/responses/Problem"}
    schema = {} if entry.schema is None else dict(entry.schema)
    content: JsonValue = {"application/json": {"schema": schema}}
    return {"description": "A failure of the call.", "content": content}
