"""Finds the forwarding resource that a path is under, where no operation has the path."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko_runtime.exposes.rest.percent import decode_utf8
from naftiko_runtime.exposes.rest.route_syntax import Route
from naftiko_runtime.exposes.rest.routes import Routes, build_routes
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import ForwardPlan, RestAdapterPlan

_ANY = "*"
"""Stands for all methods."""


@dataclass(frozen=True, slots=True, eq=False)
class ServedForward:
    """One forwarding resource where it is served. `label` is the name of its file."""

    label: str
    adapter: RestAdapterPlan
    plan: ForwardPlan
    route: Route


@dataclass(frozen=True, slots=True)
class Found:
    """A forward with the variables of its route, and the rest of the path as it came: empty, or
    from a slash on."""

    target: ServedForward
    variables: dict[str, str]
    rest: str


class Forwards:
    """The forwards of one listener, never changed. Of two that a path is under, the longer route
    counts."""

    __slots__ = ("_deepest", "_routes", "served")

    def __init__(self, forwards: Iterable[ServedForward]) -> None:
        """Of two with the same route, the first counts."""
        self.served = tuple(forwards)
        self._deepest = max((_depth(each.route) for each in self.served), default=-1)
        self._routes: Routes[ServedForward]
        self._routes, _ = build_routes((_ANY, each.route, each) for each in self.served)

    def find(self, path: bytes) -> Found | None:
        """What a raw path is under."""
        if self._deepest < 0 or not path.startswith(b"/"):
            return None
        segments = path[1:].split(b"/")
        for depth in range(min(self._deepest, len(segments)), -1, -1):
            before = segments[:depth]
            if before and not before[-1]:
                continue  # an empty segment belongs to the rest
            rest = b"".join(b"/" + segment for segment in segments[depth:])
            try:
                found = self._routes.find(_ANY, b"/" + b"/".join(before))
                if found is not None:
                    return Found(*found, decode_utf8(rest))
            except ValueError:
                continue  # not encoded as a route's segments have to be
        return None


def _depth(route: Route) -> int:
    return 0 if route.text == "/" else len(route.patterns)


NO_FORWARDS = Forwards(())
