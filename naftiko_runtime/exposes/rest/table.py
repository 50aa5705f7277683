"""Everything that one REST listener serves, merged from all adapters that name its port."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from naftiko_runtime.exposes.authentication import OPEN, Door, door_of, metadata_pages
from naftiko_runtime.exposes.rest.forwards import NO_FORWARDS, Forwards, ServedForward
from naftiko_runtime.exposes.rest.route_syntax import (
    Pattern,
    Route,
    RouteSyntaxError,
    parse_route,
)
from naftiko_runtime.exposes.rest.routes import Routes, build_routes
from naftiko_runtime.plan.operation import RestAdapterPlan, RestOperationPlan
from naftiko_runtime.problems import Consequence, Place, Problem, Severity


@dataclass(frozen=True, slots=True, eq=False)
class ServedOperation:
    """One operation where it is served. `label` is the name of its file, for documents."""

    label: str
    adapter: RestAdapterPlan
    plan: RestOperationPlan
    route: Route


class OwnPage(Enum):
    """What the runtime serves beside the operations; the value is the path."""

    OPENAPI = "/openapi.json"
    DOCS = "/docs"
    REFERENCE = "/redoc"


Target: TypeAlias = ServedOperation | OwnPage


@dataclass(frozen=True, slots=True, eq=False)
class RestTable:
    """Never changed: a reload builds another one. `operations` are in the order of the files,
    `door` is what their adapters ask of callers. `forwards` have what is no operation's."""

    routes: Routes[Target]
    operations: tuple[ServedOperation, ...]
    door: Door = OPEN
    forwards: Forwards = NO_FORWARDS

    def targets(self, path: bytes) -> dict[str, Target]:
        """What a path has, by method. Raises ValueError for a path that cannot be read."""
        found = {each: self.routes.find(each, path) for each in self.routes.methods(path)}
        return {method: match[0] for method, match in found.items() if match is not None}


def build_rest_table(
    adapters: Sequence[tuple[str, RestAdapterPlan]], before: RestTable | None = None
) -> tuple[RestTable, list[Problem]]:
    """The table of one port: pairs of a file's label and an adapter of that file, the first to
    claim a method and path keeping it. The runtime's own pages claim last. Operations that a table
    of `before` has are taken from there."""
    problems: list[Problem] = []
    operations = list(_operations(adapters, before, problems))
    claims: list[tuple[str, Route, Target]] = [
        (operation.plan.method, operation.route, operation) for operation in operations
    ]
    claims += [("GET", parse_route(page.value), page) for page in OwnPage]
    routes, taken = build_routes(claims)
    refused: set[Target] = set()
    for owner, late in taken:
        refused.add(late)
        if isinstance(owner, ServedOperation) and isinstance(late, ServedOperation):
            problems.append(_route_taken(owner.plan, late.plan))
    served = tuple(operation for operation in operations if operation not in refused)
    forwards = Forwards(_forwards(adapters, problems))
    asked = [adapter.authentication for _, adapter in adapters]
    return RestTable(routes, served, door_of(asked, metadata_pages(asked)), forwards), problems


def _operations(
    adapters: Sequence[tuple[str, RestAdapterPlan]],
    before: RestTable | None,
    problems: list[Problem],
) -> Iterator[ServedOperation]:
    known = {id(each.plan): each for each in before.operations} if before is not None else {}
    for label, adapter in adapters:
        for plan in adapter.operations:
            same = known.get(id(plan))
            if same is not None and same.adapter is adapter and same.label == label:
                yield same
                continue
            try:
                yield ServedOperation(label, adapter, plan, parse_route(plan.route))
            except RouteSyntaxError as error:
                problems.append(_route_invalid(plan.place, error))


def _forwards(
    adapters: Sequence[tuple[str, RestAdapterPlan]], problems: list[Problem]
) -> Iterator[ServedForward]:
    places: dict[tuple[Pattern, ...], Place] = {}
    for label, adapter in adapters:
        for plan in adapter.forwards:
            try:
                route = parse_route(plan.route)
            except RouteSyntaxError as error:
                problems.append(_route_invalid(plan.place, error))
                continue
            first = places.setdefault(route.patterns, plan.place)
            if first is plan.place:
                yield ServedForward(label, adapter, plan, route)
            else:
                message = f'"{plan.route}" is already forwarded at {first}'
                remedy = "change the path of one of them"
                problems.append(_taken(plan.place, message, remedy))


def _route_invalid(place: Place, error: RouteSyntaxError) -> Problem:
    message, _, remedy = str(error).partition(" - ")
    return Problem("route-invalid", place, (), message, remedy, consequence=Consequence.PART)


def _route_taken(owner: RestOperationPlan, late: RestOperationPlan) -> Problem:
    message = (
        f'"{late.method} {late.route}" of operation "{late.name}" is already served'
        f' by operation "{owner.name}" at {owner.place}'
    )
    return _taken(late.place, message, "change the path or the method of one of them")


def _taken(place: Place, message: str, remedy: str) -> Problem:
    return Problem("route-taken", place, (), message, remedy, Severity.WARNING, Consequence.PART)
