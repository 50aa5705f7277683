"""Reads regular expressions of RFC 9485 (I-Regexp) into a tree.

One thing goes beyond its grammar: `^` and `$` outside brackets are anchors, not characters. The
mappings of section 5 make them so in every host language, and the public compliance tests of
RFC 9535 count on it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Final, TypeAlias

from naftiko_runtime.lazy_dataclasses import dataclass

MAX_STATES: Final = 10_000
"""Size of an expression with its repetitions written out: `a{3}` counts as `aaa`."""
_DEEPEST: Final = 50

CharacterTest: TypeAlias = Callable[[str], bool]


class NotIRegexp(ValueError):
    """The text does not conform to RFC 9485."""


class IRegexpTooLarge(ValueError):
    """The expression has more than MAX_STATES states, or nests too deeply."""

    def __init__(self) -> None:
        super().__init__(f"the regular expression is larger than {MAX_STATES} states")


@dataclass(frozen=True, slots=True)
class Character:
    """One character that passes the test; `size` is what the test costs."""

    test: CharacterTest
    size: int = 1


@dataclass(frozen=True, slots=True)
class Anchor:
    """The start of the text (`^`), or its end (`$`)."""

    at_end: bool
    size: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    items: tuple[Expression, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of them."""

    branches: tuple[Expression, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Repetition:
    """`item` from `least` to `most` times; `most` None is without end."""

    item: Expression
    least: int
    most: int | None
    size: int


Expression: TypeAlias = Character | Anchor | Sequence | Alternatives | Repetition

CATEGORIES: Final = {
    "L": "lmotu", "M": "cen", "N": "dlo", "P": "cdefios", "Z": "lps", "S": "ckmo", "C": "cfno",
}  # fmt: skip
_ESCAPED: Final = {c: c for c in "()*+-.?[\\]^{|}"} | {"n": "\n", "r": "\r", "t": "\t"}
_SPECIAL: Final = frozenset("()*+.?[\\]{|}")


def parse_iregexp(pattern: str) -> Expression:
    """Raises NotIRegexp or IRegexpTooLarge."""
    if len(pattern) > MAX_STATES:
        raise IRegexpTooLarge
    reader = _Reader(pattern)
    expression = reader.alternatives()
    if reader.position < len(pattern):
        raise NotIRegexp(pattern)
    return expression


class _Reader:
    """A position in a pattern, owned by one parse."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.depth = 0

    def next(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def take(self, character: str) -> bool:
        if self.next() != character:
            return False
        self.position += 1
        return True

    def character(self) -> str:
        """Any one character; surrogates are not characters."""
        found = self.next()
        if not found or "\ud800" <= found <= "\udfff":
            raise NotIRegexp(self.pattern)
        self.position += 1
        return found

    def alternatives(self) -> Expression:
        branches = [self.branch()]
        while self.take("|"):
            branches.append(self.branch())
        if len(branches) == 1:
            return branches[0]
        return Alternatives(
            tuple(branches), checked_size(sum(1 + branch.size for branch in branches))
        )

    def branch(self) -> Expression:
        items: list[Expression] = []
        while self.next() not in ("", "|", ")"):
            items.append(self.repeated(self.atom()))
        return Sequence(tuple(items), checked_size(sum(item.size for item in items)))

    def atom(self) -> Expression:
        if self.take("("):
            self.depth += 1
            if self.depth > _DEEPEST:
                raise IRegexpTooLarge
            group = self.alternatives()
            if not self.take(")"):
                raise NotIRegexp(self.pattern)
            self.depth -= 1
            return group
        if self.take("."):
            return Character(_is_not_line_break)
        if self.take("["):
            return self.bracketed()
        if self.take("\\"):
            return Character(self.escape())
        if self.take("^"):
            return Anchor(at_end=False)
        if self.take("$"):
            return Anchor(at_end=True)
        character = self.character()
        if character in _SPECIAL:
            raise NotIRegexp(self.pattern)
        return Character(character.__eq__)

    def repeated(self, item: Expression) -> Expression:
        least, most = 0, None
        if self.take("+"):
            least = 1
        elif self.take("?"):
            most = 1
        elif self.take("{"):
            least, most = self.bounds()
        elif not self.take("*"):
            return item
        copies = least + 1 if most is None else most
        return Repetition(item, least, most, checked_size(copies * (item.size + 1)))

    def bounds(self) -> tuple[int, int | None]:
        least = self.count()
        most: int | None = least
        if self.take(","):
            most = None if self.next() == "}" else self.count()
        if not self.take("}") or (most is not None and most < least):
            raise NotIRegexp(self.pattern)
        return least, most

    def count(self) -> int:
        start = self.position
        while self.next() and self.next() in "0123456789":
            self.position += 1
        digits = self.pattern[start : self.position]
        if not digits:
            raise NotIRegexp(self.pattern)
        significant = digits.lstrip("0")
        if len(significant) > len(str(MAX_STATES)):
            raise IRegexpTooLarge
        return int(significant or "0")

    def escape(self) -> CharacterTest:
        if self.next() in ("p", "P"):
            return self.category()
        return self.escaped_character().__eq__

    def escaped_character(self) -> str:
        escaped = _ESCAPED.get(self.character())
        if escaped is None:
            raise NotIRegexp(self.pattern)
        return escaped

    def category(self) -> CharacterTest:
        """`p{Lu}`, `P{L}`: a general category of Unicode, or all but it."""
        negated = self.character() == "P"
        if not self.take("{"):
            raise NotIRegexp(self.pattern)
        major = self.character()
        minors = CATEGORIES.get(major)
        if minors is None:
            raise NotIRegexp(self.pattern)
        minor = "" if self.next() == "}" else self.character()
        if (minor and minor not in minors) or not self.take("}"):
            raise NotIRegexp(self.pattern)
        return _category_test(major + minor, negated)

    def bracketed(self) -> Character:
        """A character class, after its opening bracket; `-` is plain first and last only."""
        negated = self.take("^")
        tests: list[CharacterTest] = []
        if self.take("-"):
            tests.append("-".__eq__)
        while not self.take("]"):
            tests.append(self.class_part())
        if not tests:
            raise NotIRegexp(self.pattern)
        return Character(_class_test(tuple(tests), negated), len(tests))

    def class_part(self) -> CharacterTest:
        if self.at_last_hyphen():
            self.position += 1
            return "-".__eq__
        if self.next() == "\\" and self.after_next() in ("p", "P"):
            self.position += 1
            return self.category()
        first = self.class_character()
        if self.next() != "-" or self.at_last_hyphen():
            return first.__eq__
        self.position += 1
        last = self.class_character()
        if last < first:
            raise NotIRegexp(self.pattern)
        return lambda character: first <= character <= last

    def at_last_hyphen(self) -> bool:
        return self.next() == "-" and self.after_next() == "]"

    def after_next(self) -> str:
        return self.pattern[self.position + 1 : self.position + 2]

    def class_character(self) -> str:
        if self.take("\\"):
            return self.escaped_character()
        character = self.character()
        if character in "[]-":
            raise NotIRegexp(self.pattern)
        return character


def checked_size(size: int) -> int:
    """The size, where it is not too large. Raises IRegexpTooLarge."""
    if size > MAX_STATES:
        raise IRegexpTooLarge
    return size


def _is_not_line_break(character: str) -> bool:
    return character not in "\n\r"


def _category_test(category: str, negated: bool) -> CharacterTest:
    if len(category) == 1:
        return lambda character: (unicodedata.category(character)[0] == category) is not negated
    return lambda character: (unicodedata.category(character) == category) is not negated


def _class_test(tests: tuple[CharacterTest, ...], negated: bool) -> CharacterTest:
    return lambda character: any(test(character) for test in tests) is not negated
