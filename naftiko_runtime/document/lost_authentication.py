"""Finds adapters whose authentication would be lost to a slip of the pen.

A key that nobody knows is passed over, with a warning. Were it `authentification`, or
`authentication` one level too deep, what its author meant to close would be served open.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import Final

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.problems import Consequence, DocumentPath, Problem

_WORDS: Final = frozenset(
    "auth authenticate authorisation authorization credentials security securityschemes".split()
)
_ALIKE: Final = 0.8
"""How much of `authentication` a misspelling shares (a ratio of difflib)."""


def without_loss(problem: Problem) -> Problem:
    """The problem of an unknown key. One that may have been meant as an adapter's authentication
    takes the part that it stands in out of service."""
    if not _may_mean_authentication(problem.path):
        return problem
    message = problem.message.replace(
        ", which is passed over", "; it may ask for authentication, so nothing is served without it"
    )
    remedy = problem.remedy or "correct or remove it"
    return replace(problem, message=message, remedy=remedy, consequence=Consequence.PART)


def _may_mean_authentication(path: DocumentPath) -> bool:
    if path[:2] != ("capability", "exposes") or not isinstance(path[-1], str):
        return False
    name = fold_name(path[-1])
    return name in _WORDS or SequenceMatcher(None, name, "authentication").ratio() >= _ALIKE
