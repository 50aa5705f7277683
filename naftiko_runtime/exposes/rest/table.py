"""Everything that one REST listener serves, merged from all adapters that name its port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from typing import TypeAlias

from naftiko_runtime.exposes.adapter_changes import change_of, parts_between, with_change
from naftiko_runtime.exposes.authentication import OPEN, Door, door_of, metadata_pages
from naftiko_runtime.exposes.rest.forwards import NO_FORWARDS, Forwards, ServedForward
from naftiko_runtime.exposes.rest.route_syntax import (
    Pattern,
    Route,
    RouteSyntaxError,
    parse_route,
)
from naftiko_runtime.exposes.rest.routes import Claim, Routes, build_routes
from naftiko_runtime.guards.open_operations import may_change
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import RestAdapterPlan, RestOperationPlan
from naftiko_runtime.problems import Consequence, Place, Problem, Severity


@dataclass(frozen=True, slots=True, eq=False)
class ServedOperation:
    """One operation where it is served. `label` is the name of its file, for documents.
    `may_change` is what its methods and its file say of it."""

    label: str
    adapter: RestAdapterPlan
    plan: RestOperationPlan
    route: Route
    may_change: bool


class OwnPage(Enum):
    """What the runtime serves beside the operations; the value is the path."""

    OPENAPI = "/openapi.json"
    DOCS = "/docs"
    REFERENCE = "/redoc"


Target: TypeAlias = ServedOperation | OwnPage
Labelled: TypeAlias = Sequence[tuple[str, RestAdapterPlan]]


@dataclass(frozen=True, slots=True, eq=False)
class RestTable:
    """Never changed: a reload builds another one. `operations` are in the order of the files,
    `door` is what their adapters ask of callers. `forwards` have what is no operation's.

    For the next table: the `adapters` that it was built of, each with the label of its file, their
    `problems`, and the `contested` targets, which claim what others claim as well.
    """

    routes: Routes[Target]
    operations: tuple[ServedOperation, ...]
    door: Door = OPEN
    forwards: Forwards = NO_FORWARDS
    adapters: Labelled = ()
    problems: tuple[Problem, ...] = ()
    contested: frozenset[Target] = frozenset()

    def targets(self, path: bytes) -> dict[str, Target]:
        """What a path has, by method. Raises ValueError for a path that cannot be read."""
        found = {each: self.routes.find(each, path) for each in self.routes.methods(path)}
        return {method: match[0] for method, match in found.items() if match is not None}


def build_rest_table(
    adapters: Labelled, before: RestTable | None = None
) -> tuple[RestTable, list[Problem]]:
    """The table of one port: pairs of a file's label and an adapter of that file, the first to
    claim a method and path keeping it. The runtime's own pages claim last. What a table of
    `before` has is taken from there."""
    table = None if before is None else _changed(before, adapters)
    table = table or _built(adapters, before)
    return table, list(table.problems)


def _changed(before: RestTable, adapters: Labelled) -> RestTable | None:
    """The table of `before` with other adapters, in a time that hardly depends on those that
    stay. None where it matters to others which come and go."""
    change = change_of(before.adapters, adapters)
    if change is None or any(each.forwards for _, each in (*change.removed, *change.added)):
        return None
    leaving = {id(adapter) for _, adapter in change.removed}
    place = parts_between(before.operations, before.adapters, change)
    removed = [each for each in before.operations[place] if id(each.adapter) in leaving]
    planned = sum(len(adapter.operations) for _, adapter in change.removed)
    if len(removed) != planned or not before.contested.isdisjoint(removed):
        return None
    problems: list[Problem] = []
    added = list(_operations(change.added, None, problems))
    routes = before.routes.changed(_claims(removed), _claims(added))
    if problems or routes is None:
        return None
    served = with_change(before.operations, place, change, added)
    door = _door(adapters)
    return replace(before, routes=routes, operations=served, door=door, adapters=adapters)


def _built(adapters: Labelled, before: RestTable | None) -> RestTable:
    problems: list[Problem] = []
    operations = list(_operations(adapters, before, problems))
    claims = _claims(operations)
    claims += [("GET", parse_route(page.value), page) for page in OwnPage]
    routes, taken = build_routes(claims)
    refused: set[Target] = set()
    contested: set[Target] = set()
    for owner, late in taken:
        refused.add(late)
        contested |= {owner, late}
        if isinstance(owner, ServedOperation) and isinstance(late, ServedOperation):
            problems.append(_route_taken(owner.plan, late.plan))
    served = tuple(operation for operation in operations if operation not in refused)
    forwards = Forwards(_forwards(adapters, problems))
    found = tuple(problems)
    door = _door(adapters)
    return RestTable(routes, served, door, forwards, adapters, found, frozenset(contested))


def _claims(operations: Iterable[ServedOperation]) -> list[Claim[Target]]:
    return [(each.plan.method, each.route, each) for each in operations]


def _door(adapters: Labelled) -> Door:
    asked = [adapter.authentication for _, adapter in adapters]
    return door_of(asked, metadata_pages(asked))


def _operations(
    adapters: Labelled,
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
                route = parse_route(plan.route)
            except RouteSyntaxError as error:
                problems.append(_route_invalid(plan.place, error))
            else:
                yield ServedOperation(label, adapter, plan, route, may_change(plan.operation))


def _forwards(adapters: Labelled, problems: list[Problem]) -> Iterator[ServedForward]:
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
