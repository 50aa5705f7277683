"""Says in one line what settings have for files that are not served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from naftiko_runtime.problems import Problem

_RULE: Final = "unfit-pattern"


def summed_up(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, with one for all patterns that fit nothing: where single files of a folder are
    served, settings for the others are in order, and each pattern is named all the same."""
    found = list(problems)
    unfit = [problem for problem in found if problem.rule == _RULE]
    if len(unfit) < 2:
        return found
    names = ", ".join(dict.fromkeys(problem.message.partition(" fits ")[0] for problem in unfit))
    one = replace(
        unfit[0],
        message=f"{len(unfit)} patterns fit nothing in what is served: {names}",
        remedy="that is in order if they are for files of the folder that are not served",
    )
    return [problem for problem in found if problem.rule != _RULE] + [one]
