"""The classes of characters that ECMA-262 has names for."""

from __future__ import annotations

from typing import Final
from unicodedata import category

from naftiko_runtime.plan.jsonpath.iregexp import CATEGORIES, CharacterTest

_SPACES: Final = frozenset("\t\n\v\f\r \u00a0\u2028\u2029\ufeff")
"""WhiteSpace and LineTerminator (sections 12.2, 12.3), beside what Unicode calls a space."""
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f"}


def negated(test: CharacterTest) -> CharacterTest:
    return lambda character: not test(character)


def one_of(tests: tuple[CharacterTest, ...]) -> CharacterTest:
    """No character passes none of no tests: `[]` matches nothing."""
    if len(tests) == 1:
        return tests[0]
    return lambda character: any(test(character) for test in tests)


def unicode(name: str) -> CharacterTest | None:
    """The characters of a general category, such as `L` and `Lu`; None for another name."""
    if not name or name[0] not in CATEGORIES or name[1:] not in ("", *CATEGORIES[name[0]]):
        return None
    return lambda character: category(character).startswith(name)


def _is_space(character: str) -> bool:
    return character in _SPACES or category(character) == "Zs"


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def _is_line_break(character: str) -> bool:
    return character in "\n\r\u2028\u2029"


CLASSES: Final[dict[str, CharacterTest]] = {
    "d": _is_digit,
    "D": negated(_is_digit),
    "w": _WORD.__contains__,
    "W": negated(_WORD.__contains__),
    "s": _is_space,
    "S": negated(_is_space),
    ".": negated(_is_line_break),
}
