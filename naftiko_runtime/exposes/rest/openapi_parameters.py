"""Inputs as OpenAPI describes them (OpenAPI 3.1, 4.8.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from naftiko_runtime.document.model import ParameterPlace
from naftiko_runtime.exposes.rest.route_syntax import Route
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.plan.operation import InputPlan

_PARAMETER_PLACES: Final = (ParameterPlace.QUERY, ParameterPlace.HEADER, ParameterPlace.COOKIE)


def described_parameters(
    route: Route, names: tuple[str, ...], inputs: Sequence[InputPlan], *, reads_body: bool
) -> list[JsonValue]:
    """The variables of a route, called `names`, then the other inputs that are not fields of the
    body."""
    by_variable = {plan.route_variable: plan for plan in inputs if plan.route_variable is not None}
    found: dict[tuple[str, str], JsonValue] = {}
    for variable, name in zip(route.names, names, strict=True):
        plan = by_variable.get(variable)
        found[name, "path"] = {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"} if plan is None else schema_of(plan),
            **description_of(plan),
        }
    for plan in inputs:
        place = _parameter_place(plan, reads_body=reads_body)
        if place is not None and plan.route_variable not in route.names:
            found.setdefault(
                (plan.name, place.value),
                {
                    "name": plan.name,
                    "in": place.value,
                    "required": plan.required,
                    "schema": schema_of(plan),
                    **description_of(plan),
                },
            )
    return list(found.values())


def in_body(plan: InputPlan) -> bool:
    """Whether an input can be the body or a field of it."""
    return plan.whole_body or ParameterPlace.BODY in plan.places


def schema_of(plan: InputPlan) -> dict[str, JsonValue]:
    """The JSON Schema of an input, its default in it."""
    schema = dict(plan.schema)
    if plan.default is not MISSING:
        schema.setdefault("default", plan.default)
    return schema


def description_of(plan: InputPlan | None) -> dict[str, JsonValue]:
    return {"description": plan.description} if plan is not None and plan.description else {}


def _parameter_place(plan: InputPlan, *, reads_body: bool) -> ParameterPlace | None:
    """The place to name for an input that can be given in several: the body if that is one of
    them, else the first. None for the body."""
    if plan.body_path is not None or (reads_body and in_body(plan)):
        return None
    return next((place for place in plan.places if place in _PARAMETER_PLACES), None)
