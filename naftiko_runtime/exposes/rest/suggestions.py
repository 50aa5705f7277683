"""Names the route that a caller of an unknown path may have meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field
from itertools import islice
from typing import Final

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.lazy_dataclasses import dataclass

_MOST_SEGMENTS: Final = 16
_MOST_ROUTES_PER_WORD: Final = 50
"""Bounds the work per unknown path, which anyone can ask for as often as he likes."""


@dataclass(frozen=True, slots=True)
class RouteIndex:
    """Routes by the words in them, and how many words each has. Made by `index_routes`."""

    by_word: Mapping[str, Mapping[str, None]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def closest(self, path: str) -> str | None:
        """The route with the most words of the path, if those are at least half of each."""
        words = _words(path)[:_MOST_SEGMENTS]
        shared = Counter(
            route
            for word in words
            for route in islice(self.by_word.get(word, ()), _MOST_ROUTES_PER_WORD)
        )
        best = min(
            shared,
            key=lambda route: (-shared[route], abs(self.sizes[route] - len(words)), route),
            default=None,
        )
        if best is None or 2 * shared[best] < max(len(words), self.sizes[best]):
            return None
        return best


def index_routes(routes: Iterable[str], before: RouteIndex | None = None) -> RouteIndex:
    """The index of these routes, out of the one `before` where there is one: callers wait for it
    after a reload, so that its time depends on the routes that come and go."""
    now = dict.fromkeys(routes)
    before = before or RouteIndex()
    removed = {route: _words(route) for route in before.sizes.keys() - now.keys()}
    added = {route: _words(route) for route in now if route not in before.sizes}
    sizes = {route: size for route, size in before.sizes.items() if route not in removed}
    sizes |= {route: len(words) for route, words in added.items()}
    spelt = {word for words in (*removed.values(), *added.values()) for word in words}
    changing = {word: dict(before.by_word.get(word, ())) for word in spelt if "{" not in word}
    for route, words in removed.items():
        for word in words:
            changing.get(word, {}).pop(route, None)
    for route, words in added.items():
        for word in words:
            changing.get(word, {})[route] = None
    by_word = {**before.by_word, **changing}
    return RouteIndex({word: held for word, held in by_word.items() if held}, sizes)


def _words(path: str) -> list[str]:
    return list(dict.fromkeys(fold_name(word) for word in path.split("/") if word))
