"""Names the route that a caller of an unknown path may have meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from naftiko_runtime.document.dialects import fold_name

_MOST_SEGMENTS: Final = 16
_MOST_ROUTES_PER_WORD: Final = 50
"""Bounds the work per unknown path, which anyone can ask for as often as he likes."""


class RouteIndex:
    """Routes by the words in them. Built once per table, when a path is first not found."""

    __slots__ = ("_by_word", "_sizes")

    def __init__(self, routes: Iterable[str]) -> None:
        self._by_word: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {}
        for route in dict.fromkeys(routes):
            words = _words(route)
            self._sizes[route] = len(words)
            for word in words:
                if "{" not in word:
                    holders = self._by_word.setdefault(word, [])
                    if len(holders) < _MOST_ROUTES_PER_WORD:
                        holders.append(route)

    def closest(self, path: str) -> str | None:
        """The route with the most words of the path, if those are at least half of each."""
        words = _words(path)[:_MOST_SEGMENTS]
        shared = Counter(route for word in words for route in self._by_word.get(word, ()))
        best = max(
            shared,
            key=lambda route: (shared[route], -abs(self._sizes[route] - len(words))),
            default=None,
        )
        if best is None or 2 * shared[best] < max(len(words), self._sizes[best]):
            return None
        return best


def _words(path: str) -> list[str]:
    return list(dict.fromkeys(fold_name(word) for word in path.split("/") if word))
