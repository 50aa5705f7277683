"""Checks texts against the `pattern` of an input: a regular expression of ECMA-262, searched for
anywhere in the text, as JSON Schema has it (Validation, section 6.3.3).

What callers send decides neither how long that takes nor how much it keeps: the expression becomes
an automaton, and what no automaton can do is refused when the file loads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from naftiko_runtime.plan.jsonpath.automaton import Matcher
from naftiko_runtime.plan.jsonpath.errors import JsonPathBudgetExceeded
from naftiko_runtime.plan.jsonpath.evaluation import Evaluation
from naftiko_runtime.plan.jsonpath.iregexp import Anchor, Sequence
from naftiko_runtime.plan.patterns.ecmascript import PatternError, parse_pattern

__all__ = ["PatternError", "compile_pattern"]

_LONGEST: Final = 65_536
"""Characters of a text that is looked at; longer ones do not match."""


def compile_pattern(source: str) -> Callable[[str], bool]:
    """Whether a text holds a match; False, too, for a text that takes too much work. Raises
    PatternError."""
    pattern = parse_pattern(source)
    start = Anchor(at_end=False)
    conditions = [
        (Matcher(Sequence((start, each.ahead), each.ahead.size + 1), anywhere=True), each.wanted)
        for each in pattern.lookaheads
    ]
    conditions.append((Matcher(pattern.expression, anywhere=True), True))

    def matches(text: str) -> bool:
        if len(text) > _LONGEST:
            return False
        evaluation = Evaluation(None)
        try:
            return all(find(text, evaluation) is wanted for find, wanted in conditions)
        except JsonPathBudgetExceeded:
            return False

    return matches
