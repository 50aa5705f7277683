"""Describes what a listener forwards, which OpenAPI has no word for: the rest of a path is one
variable there, and each usual method an operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from naftiko_runtime.exposes.rest.forwards import ServedForward
from naftiko_runtime.exposes.rest.openapi_parameters import described_parameters
from naftiko_runtime.exposes.rest.openapi_paths import Paths
from naftiko_runtime.exposes.rest.route_syntax import parse_route
from naftiko_runtime.exposes.rest.table import RestTable
from naftiko_runtime.json_values import JsonValue

METHODS: Final = ("get", "put", "post", "delete", "patch")
"""Those that are described; all others but CONNECT and TRACE are passed on as well."""

_WITH_BODY: Final = frozenset({"put", "post", "patch"})
_NO_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization", "cookie"})
"""Headers that a parameter object cannot describe (OpenAPI 3.1, 4.8.12.1), and cookies."""


def described_forwards(
    table: RestTable, paths: Paths
) -> Iterator[tuple[ServedForward, str, dict[str, JsonValue]]]:
    """Each forwarding resource, its templated path and what its operations have in common."""
    for forward in table.forwards.served:
        plan = forward.plan
        route = parse_route(f"{plan.route.rstrip('/')}/{{{plan.rest or 'path'}}}")
        path, names = paths.of(route)
        given = described_parameters(route, names, plan.inputs, reads_body=False)
        description: dict[str, JsonValue] = {
            "tags": [forward.adapter.namespace],
            "description": plan.description or _passed_on(forward),
            "parameters": [*given, *_trusted(forward)],
            "responses": {"default": {"description": "The answer of the upstream as it came."}},
        }
        if plan.label:
            description["summary"] = plan.label
        yield forward, path, description


def operation_of(method: str, description: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The operation of one of METHODS."""
    if method not in _WITH_BODY:
        return dict(description)
    return {**description, "requestBody": {"content": {"*/*": {}}}}


def _passed_on(forward: ServedForward) -> str:
    return f"All requests below {forward.plan.route} go on to {forward.plan.upstream} as they come."


def _trusted(forward: ServedForward) -> Iterator[JsonValue]:
    """The headers that go along, but for those that the file declares as inputs."""
    known = {plan.name.lower() for plan in forward.plan.inputs} | _NO_PARAMETERS
    for name in sorted(forward.plan.trusted - known):
        yield {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
