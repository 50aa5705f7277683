"""Names with `*` for any text, compared without regard to case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a whole name: `*.placeorder` for `web-orders.placeOrder`."""
    return _compiled(pattern)(name)


def fits_any(patterns: Iterable[str], name: str) -> bool:
    return any(fits(pattern, name) for pattern in patterns)


def precision(pattern: str) -> tuple[bool, int]:
    """Orders patterns by how closely they say which names they mean: one without `*` is the most
    precise, then what spells out more."""
    spelt = pattern.replace("*", "")
    return spelt == pattern, len(spelt)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Callable[[str], bool]:
    # No `re.IGNORECASE`, which knows fewer pairs of letters than `casefold`. Atomic groups keep
    # the search linear in each part: the leftmost place of a part leaves most to the next ones.
    first, *rest = map(re.escape, pattern.casefold().split("*"))
    if not rest:
        return lambda name: name.casefold() == pattern.casefold()
    between = "".join(f"(?>.*?{part})" for part in rest[:-1] if part)
    match = re.compile(f"{first}{between}.*{rest[-1]}", re.DOTALL).fullmatch
    return lambda name: match(name.casefold()) is not None
