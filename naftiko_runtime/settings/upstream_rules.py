"""Which of the operator's rules hold for a consumed namespace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from re import DOTALL, IGNORECASE, Pattern, compile, escape
from typing import Final

from naftiko_runtime.settings.model import UpstreamRule

_LEFT_OPEN: Final = frozenset({"match", "operations", "place"})
"""Fields of a rule that no wider rule fills."""


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Pattern[str]:
    return compile(".*".join(escape(part) for part in pattern.split("*")), IGNORECASE | DOTALL)


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern (`*` stands for any text) fits a whole name, in any case."""
    return _compiled(pattern).fullmatch(name) is not None


def best_fit(patterns: Iterable[str], name: str) -> str | None:
    """The pattern that says most of a name: the name itself before all patterns, then the one
    with the most letters beside its `*`; the first of several that say as much."""
    fitting = [pattern for pattern in patterns if fits(pattern, name)]
    return max(fitting, key=_precision, default=None)


def _precision(pattern: str) -> tuple[bool, int]:
    return "*" not in pattern, len(pattern.replace("*", ""))


def rule_for(rules: Sequence[UpstreamRule], namespace: str) -> UpstreamRule | None:
    """The rule for a namespace: the one that says most of its name, with what it leaves open
    filled from the rules that say less, down to `*`. None where no rule fits."""
    fitting = [rule for rule in rules if fits(rule.match, namespace)]
    fitting.sort(key=lambda rule: _precision(rule.match), reverse=True)
    if not fitting:
        return None
    settled = fitting[0]
    for wider in fitting[1:]:
        open_fields = {
            each.name: getattr(wider, each.name)
            for each in fields(UpstreamRule)
            if each.name not in _LEFT_OPEN and getattr(settled, each.name) is None
        }
        operations = {**wider.operations, **settled.operations}
        settled = replace(settled, operations=operations, **open_fields)
    return settled
