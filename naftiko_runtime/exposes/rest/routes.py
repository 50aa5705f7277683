"""Finds what a method and a path ask for, in a time that does not depend on how much is served.

Routes form a tree by segment. At each step an exact segment is tried first, then variables with
text around them (the longest text first), then a plain variable; a branch that leads to no
operation of the wanted method is given up for the next. Only the patterns with text around a
variable are tried one by one, and only those that share all segments before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Generic, TypeAlias, TypeVar

from naftiko_runtime.exposes.rest.percent import decode_percent, decode_utf8, encode_segment
from naftiko_runtime.exposes.rest.route_syntax import VARIABLE, Pattern, Route
from naftiko_runtime.lazy_dataclasses import dataclass

T = TypeVar("T")

Claim: TypeAlias = tuple[str, Route, T]
"""A method, a path, and what serves them."""


@dataclass(frozen=True, slots=True)
class _End(Generic[T]):
    target: T
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Affixes:
    """Literal texts around variables, decoded and as a careful client encodes them."""

    decoded: Pattern
    encoded: Pattern


@dataclass(slots=True)
class _Node(Generic[T]):
    """Filled by `build_routes`, never changed afterwards; trees share what they have in common."""

    exact: dict[str, _Node[T]] = field(default_factory=dict)
    affixed: list[tuple[_Affixes, _Node[T]]] = field(default_factory=list)
    variable: _Node[T] | None = None
    ends: dict[str, _End[T]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Path:
    """The segments of a request's path, as they came and decoded."""

    raw: list[str]
    decoded: list[str]

    def with_other_ending(self) -> _Path | None:
        """The same path without its trailing slash, or with one; None where it ends in several."""
        if self.raw[-1]:
            return _Path([*self.raw, ""], [*self.decoded, ""])
        if len(self.raw) > 1 and self.raw[-2]:
            return _Path(self.raw[:-1], self.decoded[:-1])
        return None


class Routes(Generic[T]):
    """The routes of one listener. Made by `build_routes`. `whole` holds what paths without
    variables have, by the path as clients usually write it."""

    __slots__ = ("_root", "_whole")

    def __init__(self, root: _Node[T], whole: Mapping[bytes, Mapping[str, _End[T]]]) -> None:
        self._root = root
        self._whole = whole

    def find(self, method: str, path: bytes) -> tuple[T, dict[str, str]] | None:
        """What serves a method and a path (raw, without query), with the path's variables.

        A trailing slash too many or too few is forgiven where nothing else matches. Raises
        ValueError when the path is not percent-encoded UTF-8.
        """
        known = self._whole.get(path)
        if known is not None and method in known:
            return known[method].target, {}
        segments = _split(path)
        if segments is None:
            return None
        values: list[str] = []
        end = _walk(self._root, segments, 0, method, values)
        if end is None:
            other = segments.with_other_ending()
            end = None if other is None else _walk(self._root, other, 0, method, values)
            if end is None:
                return None
        return end.target, dict(zip(end.names, values, strict=True))

    def methods(self, path: bytes) -> list[str]:
        """The methods that a path has, sorted; none where nothing matches. Raises ValueError."""
        segments = _split(path)
        found: set[str] = set()
        for each in (segments, segments and segments.with_other_ending()):
            if each is not None:
                _collect(self._root, each, 0, found)
        return sorted(found)

    def changed(self, removed: Sequence[Claim[T]], added: Sequence[Claim[T]]) -> Routes[T] | None:
        """These routes without some claims and with others, in a time that depends on those.

        None where the order of all claims counts, so that they have to be built anew: a method and
        path that is another's, and texts around variables.
        """
        if any(_has_texts(route) for _, route, _ in (*removed, *added)):
            return None
        root = self._root
        for method, route, target in removed:
            end = _ends_at(root, route.patterns).get(method)
            if end is None or end.target is not target:
                return None
            root = _without(root, route.patterns, method) or _Node()
        for method, route, target in added:
            if method in _ends_at(root, route.patterns):
                return None
            root = _with(root, route.patterns, method, _End(target, route.names))
        whole = dict(self._whole)
        for _, route, _ in (*removed, *added):
            path = None if route.names else _written(route)
            if path is not None:
                whole[path] = _ends_at(root, route.patterns)
        return Routes(root, {path: ends for path, ends in whole.items() if ends})


def build_routes(claims: Iterable[Claim[T]]) -> tuple[Routes[T], list[tuple[T, T]]]:
    """Routes out of methods, paths and what serves them, and the claims that came too late: pairs
    of what holds a method and path already and what would have had it."""
    root: _Node[T] = _Node()
    whole: dict[bytes, dict[str, _End[T]]] = {}
    taken: list[tuple[T, T]] = []
    for method, route, target in claims:
        node = root
        for pattern in route.patterns:
            node = _child(node, pattern)
        end = node.ends.setdefault(method, _End(target, route.names))
        if not route.names:
            path = _written(route)
            if path is not None:
                whole[path] = node.ends
        if end.target is not target:
            taken.append((end.target, target))
    return Routes(root, whole), taken


def _written(route: Route) -> bytes | None:
    """The path of a route without variables; None where it takes encoding to write it."""
    segments = [pattern[0] for pattern in route.patterns]
    if any("/" in segment or "%" in segment or not segment.isascii() for segment in segments):
        return None
    return "/".join(["", *segments]).encode()


def _child(node: _Node[T], pattern: Pattern) -> _Node[T]:
    if len(pattern) == 1:
        return node.exact.setdefault(pattern[0], _Node())
    if pattern == VARIABLE:
        if node.variable is None:
            node.variable = _Node()
        return node.variable
    for affixes, child in node.affixed:
        if affixes.decoded == pattern:
            return child
    encoded = tuple(encode_segment(literal) for literal in pattern)
    created: _Node[T] = _Node()
    node.affixed.append((_Affixes(pattern, encoded), created))
    node.affixed.sort(key=lambda entry: -sum(map(len, entry[0].decoded)))
    return created


def _has_texts(route: Route) -> bool:
    return any(len(pattern) > 1 and pattern != VARIABLE for pattern in route.patterns)


def _ends_at(root: _Node[T], patterns: Sequence[Pattern]) -> Mapping[str, _End[T]]:
    """For patterns without texts around variables, as the two below."""
    node: _Node[T] | None = root
    for pattern in patterns:
        if node is None:
            return {}
        node = node.exact.get(pattern[0]) if len(pattern) == 1 else node.variable
    return {} if node is None else node.ends


def _with(node: _Node[T], patterns: Sequence[Pattern], method: str, end: _End[T]) -> _Node[T]:
    if not patterns:
        return replace(node, ends={**node.ends, method: end})
    pattern, *rest = patterns
    if pattern == VARIABLE:
        return replace(node, variable=_with(node.variable or _Node(), rest, method, end))
    child = node.exact.get(pattern[0]) or _Node()
    return replace(node, exact={**node.exact, pattern[0]: _with(child, rest, method, end)})


def _without(node: _Node[T], patterns: Sequence[Pattern], method: str) -> _Node[T] | None:
    """None where nothing is left. The method is there."""
    if not patterns:
        left = replace(node, ends={key: end for key, end in node.ends.items() if key != method})
    elif patterns[0] == VARIABLE:
        assert node.variable is not None
        left = replace(node, variable=_without(node.variable, patterns[1:], method))
    else:
        exact = dict(node.exact)
        child = _without(exact.pop(patterns[0][0]), patterns[1:], method)
        if child is not None:
            exact[patterns[0][0]] = child
        left = replace(node, exact=exact)
    return left if left.exact or left.affixed or left.variable or left.ends else None


def _split(path: bytes) -> _Path | None:
    """None for a target that is no path (`*`). The path is split before it is decoded, so an
    encoded slash is part of a value."""
    if not path.startswith(b"/"):
        return None
    raw = decode_utf8(path)[1:].split("/")
    if b"%" not in path:
        return _Path(raw, raw)
    return _Path(raw, [decode_percent(segment) for segment in raw])


def _walk(
    node: _Node[T], path: _Path, depth: int, method: str, values: list[str]
) -> _End[T] | None:
    """The first way through the tree to an operation; `values` collects the variables on it."""
    decoded = path.decoded
    if depth == len(decoded):
        return node.ends.get(method)
    segment = decoded[depth]
    child = node.exact.get(segment)
    if child is not None:
        end = _walk(child, path, depth + 1, method, values)
        if end is not None:
            return end
    if not segment:
        return None
    for affixes, child in node.affixed:
        cut = _cut(affixes, path.raw[depth], segment)
        if cut is not None:
            values.extend(cut)
            end = _walk(child, path, depth + 1, method, values)
            if end is not None:
                return end
            del values[-len(cut) :]
    if node.variable is not None:
        values.append(segment)
        end = _walk(node.variable, path, depth + 1, method, values)
        if end is not None:
            return end
        values.pop()
    return None


def _collect(node: _Node[T], path: _Path, depth: int, found: set[str]) -> None:
    if depth == len(path.decoded):
        found.update(node.ends)
        return
    segment = path.decoded[depth]
    if segment in node.exact:
        _collect(node.exact[segment], path, depth + 1, found)
    if not segment:
        return
    for affixes, child in node.affixed:
        if _cut(affixes, path.raw[depth], segment) is not None:
            _collect(child, path, depth + 1, found)
    if node.variable is not None:
        _collect(node.variable, path, depth + 1, found)


def _cut(affixes: _Affixes, raw: str, segment: str) -> list[str] | None:
    """The values between the literal texts. A text that the client encoded inside a value does
    not count as literal (`{a}:{b}` and `x%3Ay:z`), unless the path cannot be read otherwise."""
    if raw != segment:
        pieces = _between(affixes.encoded, raw)
        if pieces is not None:
            try:
                return [decode_percent(piece) for piece in pieces]
            except ValueError:
                pass  # the literal was found inside an escape
    return _between(affixes.decoded, segment)


def _between(literals: Pattern, text: str) -> list[str] | None:
    """Splits text at literals, each at its first place that leaves a character before it; the
    time is linear in the text, which a regular expression would not be."""
    end = len(text) - len(literals[-1])
    position = len(literals[0])
    if not text.startswith(literals[0]) or not text.endswith(literals[-1]):
        return None
    values: list[str] = []
    for literal in literals[1:-1]:
        found = text.find(literal, position + 1, end)
        if found < 0:
            return None
        values.append(text[position:found])
        position = found + len(literal)
    if position >= end:
        return None
    values.append(text[position:end])
    return values
