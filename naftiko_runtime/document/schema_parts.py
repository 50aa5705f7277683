"""Which elements of a capability file can be left out while the rest is served."""

from __future__ import annotations

from dataclasses import replace

from naftiko_runtime.problems import Consequence, DocumentPath, Problem, Severity

_ADAPTER_PARTS = frozenset({"resources", "tools", "prompts", "skills"})


def enclosing_part(path: DocumentPath) -> DocumentPath | None:
    """The innermost element around `path` that can be left out, None where there is none.

    These are `info`; an entry of `consumes` (also at the root), `exposes` and `aggregates`; of an
    adapter's `resources`, `tools`, `prompts` and `skills`; of a resource's `operations`; and of
    an aggregate's `functions`.
    """
    start = 1 if path[:1] == ("capability",) else 0
    section, inside = path[start : start + 1], path[start + 1 :]
    if path[:1] == ("info",):
        return ("info",)
    if not inside or not isinstance(inside[0], int):
        return None
    if section == ("consumes",):
        levels = _levels(inside, ("resources", "operations"))
    elif start and section == ("exposes",):
        second = inside[1] if len(inside) > 1 else None
        levels = _levels(inside, (second, "operations") if second in _ADAPTER_PARTS else ())
    elif start and section == ("aggregates",):
        levels = _levels(inside, ("functions",))
    else:
        return None
    return path[: start + 2 + 2 * levels]


def confine(problem: Problem) -> Problem:
    """The problem of an error with the consequence that its place in the file calls for."""
    if problem.severity is not Severity.ERROR or problem.consequence is not Consequence.FILE:
        return problem
    if enclosing_part(problem.path) is None:
        return problem
    return replace(problem, consequence=Consequence.PART)


def _levels(inside: DocumentPath, lists: tuple[str | int | None, ...]) -> int:
    """How many of the nested `lists` the path goes into, down to an element of each."""
    for level, name in enumerate(lists):
        key, index = 1 + 2 * level, 2 + 2 * level
        if len(inside) <= index or inside[key] != name or not isinstance(inside[index], int):
            return level
    return len(lists)
