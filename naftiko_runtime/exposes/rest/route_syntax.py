"""Reads the path of a route as a file writes it: `/v1/users/{user-id}/keys/{{key}}.json`."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from naftiko_runtime.exposes.rest.percent import decode_percent
from naftiko_runtime.lazy_dataclasses import dataclass

Pattern: TypeAlias = tuple[str, ...]
"""One segment as the literal texts around its variables: `("users",)` has none, `("", "")` is
nothing but a variable, `("v", ":cancel")` a variable between texts."""

VARIABLE: Final[Pattern] = ("", "")
_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}/]+?)\s*\}\}|\{\s*([^{}/]+?)\s*\}")


class RouteSyntaxError(ValueError):
    """A route that cannot be served; the message ends in a remedy."""


@dataclass(frozen=True, slots=True)
class Route:
    """`patterns` say which paths match, and are equal where two routes claim the same paths;
    `names` are the variables in order of place. `text` is what the file says."""

    text: str
    patterns: tuple[Pattern, ...]
    names: tuple[str, ...]


def parse_route(text: str) -> Route:
    """Raises RouteSyntaxError."""
    patterns: list[Pattern] = []
    names: list[str] = []
    for segment in text.removeprefix("/").split("/"):
        pieces = _PLACEHOLDER.split(segment)
        literals = pieces[::3]
        if any("{" in literal or "}" in literal for literal in literals):
            raise RouteSyntaxError(
                f'route "{text}" has a brace that belongs to no variable - write {{name}}'
            )
        if "" in literals[1:-1]:
            raise RouteSyntaxError(
                f'route "{text}" has two variables with nothing between them'
                " - put a slash or other text there"
            )
        patterns.append(tuple(_decoded(literal) for literal in literals))
        names.extend(a or b for a, b in zip(pieces[1::3], pieces[2::3], strict=True))
    return Route(text, tuple(patterns), tuple(names))


def _decoded(literal: str) -> str:
    """Files write literal text as it is meant or percent-encoded; both mean the same path."""
    try:
        return decode_percent(literal)
    except ValueError:
        return literal
