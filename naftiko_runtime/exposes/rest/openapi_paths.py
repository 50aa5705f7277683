"""Routes as OpenAPI writes them (OpenAPI 3.1, 4.8.8)."""

from __future__ import annotations

from naftiko_runtime.exposes.rest.percent import encode_segment
from naftiko_runtime.exposes.rest.route_syntax import Pattern, Route


class Paths:
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
