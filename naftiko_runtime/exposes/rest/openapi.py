"""Describes everything that a listener serves as an OpenAPI 3.1 document."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from naftiko_runtime.document.model import ParameterPlace
from naftiko_runtime.exposes.rest.openapi_security import SecuritySchemes
from naftiko_runtime.exposes.rest.percent import encode_segment
from naftiko_runtime.exposes.rest.problem_details import PROBLEM_TYPE
from naftiko_runtime.exposes.rest.route_syntax import Pattern, Route
from naftiko_runtime.exposes.rest.table import RestTable, ServedOperation
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.plan.operation import InputPlan, OperationPlan

_METHODS: Final = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
"""Those for which a path item has a place (OpenAPI 3.1, 4.8.9)."""
_PARAMETER_PLACES: Final = (ParameterPlace.QUERY, ParameterPlace.HEADER, ParameterPlace.COOKIE)
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
    table: RestTable,
) -> Iterator[tuple[ServedOperation, str, dict[str, JsonValue]]]:
    """Each operation that a path item has a place for, its templated path and its description."""
    paths = _Paths()
    identifiers = _Identifiers()
    for operation in table.operations:
        if operation.plan.method in _METHODS:
            path, names = paths.of(operation.route)
            yield operation, path, _operation(operation, names, identifiers.take(operation))


def openapi_document(table: RestTable) -> dict[str, JsonValue]:
    """The document as a JSON value."""
    items: dict[str, dict[str, JsonValue]] = {}
    security = SecuritySchemes(table)
    for operation, path, description in described_operations(table):
        asked = operation.adapter.authentication
        if asked is not None:
            description["security"] = security.required(asked)
        items.setdefault(path, {})[operation.plan.method.lower()] = description
    schemes = security.described()
    return {
        "openapi": "3.1.0",
        "info": {"title": title(table), "version": _version()},
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
    labels = list(dict.fromkeys(operation.label for operation in table.operations))
    return labels[0] if len(labels) == 1 else "Naftiko capabilities"


def _version() -> str:
    try:
        return version("naftiko-runtime")
    except PackageNotFoundError:
        return "0"


def _tags(table: RestTable) -> list[JsonValue]:
    described: dict[str, str] = {}
    for operation in table.operations:
        adapter = operation.adapter
        described[adapter.namespace] = described.get(adapter.namespace) or adapter.description
    return [
        {"name": name, **({"description": text} if text else {})}
        for name, text in described.items()
    ]


class _Paths:
    """Templated paths. Routes that match the same paths share one, since OpenAPI holds templates
    to be the same whatever their variables are called."""

    def __init__(self) -> None:
        self._known: dict[tuple[Pattern, ...], tuple[str, tuple[str, ...]]] = {}

    def of(self, route: Route) -> tuple[str, tuple[str, ...]]:
        """The path of a route and what its variables are called there."""
        known = self._known.get(route.patterns)
        if known is None:
            names = _distinct(route.names)
            known = self._known[route.patterns] = (_templated(route.patterns, names), names)
        return known


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """A template must not hold one expression twice."""
    taken: dict[str, None] = {}
    for name in names:
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}-{count}"
        taken[unique] = None
    return tuple(taken)


def _templated(patterns: tuple[Pattern, ...], names: tuple[str, ...]) -> str:
    rest = iter(names)
    segments = []
    for pattern in patterns:
        pieces = [encode_segment(pattern[0])]
        for literal in pattern[1:]:
            pieces += ["{", next(rest), "}", encode_segment(literal)]
        segments.append("".join(pieces))
    return "/" + "/".join(segments)


class _Identifiers:
    """Unique operation ids: the operation's name, with its namespace where that is taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, operation: ServedOperation) -> str:
        plain = operation.plan.name or f"{operation.plan.method} {operation.plan.route}"
        identifier = plain
        count = 1
        while identifier in self._taken:
            suffix = "" if count == 1 else f"-{count}"
            identifier = f"{operation.adapter.namespace}.{plain}{suffix}"
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
        "parameters": _parameters(served, names),
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


def _parameters(served: ServedOperation, names: tuple[str, ...]) -> list[JsonValue]:
    """The parameters of an operation: its route's variables, called `names`, then the others."""
    by_variable = {
        plan.route_variable: plan
        for plan in served.plan.operation.inputs
        if plan.route_variable is not None
    }
    found: dict[tuple[str, str], JsonValue] = {}
    for variable, name in zip(served.route.names, names, strict=True):
        plan = by_variable.get(variable)
        found[name, "path"] = {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} if plan is None else _schema(plan),
            **_described(plan),
        }
    for plan in served.plan.operation.inputs:
        place = _parameter_place(plan, served.plan.operation)
        if place is not None and plan.route_variable not in served.route.names:
            found.setdefault(
                (plan.name, place.value),
                {
                    "name": plan.name,
                    "in": place.value,
                    "required": plan.required,
                    "schema": _schema(plan),
                    **_described(plan),
                },
            )
    return list(found.values())


def _parameter_place(plan: InputPlan, operation: OperationPlan) -> ParameterPlace | None:
    """The place to name for an input that can be given in several: the body if that is one of
    them, else the first. None for the body."""
    if plan.body_path is not None or (operation.accepts_body and _in_body(plan)):
        return None
    return next((place for place in plan.places if place in _PARAMETER_PLACES), None)


def _in_body(plan: InputPlan) -> bool:
    return plan.whole_body or ParameterPlace.BODY in plan.places


def _body_schema(operation: OperationPlan) -> dict[str, JsonValue]:
    """The schema of the request body, made of the inputs that are its fields where the plan has
    none of its own."""
    if operation.body_schema is not None:
        return dict(operation.body_schema)
    whole = next((plan for plan in operation.inputs if plan.whole_body), None)
    if whole is not None:
        return _schema(whole)
    fields = [
        plan
        for plan in operation.inputs
        if _in_body(plan) and plan.body_path is None and plan.route_variable is None
    ]
    if not fields:
        return {}
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {plan.name: {**_schema(plan), **_described(plan)} for plan in fields},
    }
    required: list[JsonValue] = [plan.name for plan in fields if plan.required]
    if required:
        schema["required"] = required
    return schema


def _schema(plan: InputPlan) -> dict[str, JsonValue]:
    schema = dict(plan.schema)
    if plan.default is not MISSING:
        schema.setdefault("default", plan.default)
    return schema


def _described(plan: InputPlan | None) -> dict[str, JsonValue]:
    return {"description": plan.description} if plan is not None and plan.description else {}


def _responses(operation: OperationPlan) -> dict[str, JsonValue]:
    schema = operation.output.schema
    return {
        "200": {
            "description": "The upstream's answer; its status passes through.",
            "content": {"application/json": {"schema": {} if schema is None else dict(schema)}},
        },
        "default": {"$ref": "#/components/responses/Problem"},
    }
