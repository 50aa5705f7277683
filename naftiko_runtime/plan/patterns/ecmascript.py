"""Reads regular expressions of ECMA-262 (with its `u` flag, and what its Annex B forgives) into the
tree that I-Regexp has, as far as they are regular.

Lookaheads are read where patterns have them in practice: right after a leading `^`. What looks back
or around elsewhere, backreferences among it, is refused: to match that can take a time that grows
exponentially with the text.
"""

from __future__ import annotations

from typing import Final

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.jsonpath.iregexp import (
    MAX_STATES,
    Alternatives,
    Anchor,
    Character,
    CharacterTest,
    Expression,
    IRegexpTooLarge,
    Repetition,
    Sequence,
    checked_size,
)
from naftiko_runtime.plan.patterns.classes import CLASSES, CONTROLS, negated, one_of, unicode

_DEEPEST: Final = 50
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_DIGITS: Final = frozenset("0123456789")
_QUANTIFIERS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_UNKNOWN: Final = "which means nothing in ECMA-262"
_AROUND: Final = "which looks around"
_REFERENCE: Final = "which refers back"
_REASONS: Final = {"b": _AROUND, "B": _AROUND, "k": _REFERENCE} | dict.fromkeys(
    "123456789", _REFERENCE
)
_LOOKING: Final = ("(?<=", "(?<!", "(?=", "(?!")


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Lookahead:
    """What has to follow the start of the text, or must not."""

    ahead: Expression
    wanted: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """`lookaheads` are about the whole text, beside the expression."""

    lookaheads: tuple[Lookahead, ...]
    expression: Expression


def parse_pattern(source: str) -> Pattern:
    """Raises PatternError."""
    try:
        if len(source) > MAX_STATES:
            raise IRegexpTooLarge
        return _Reader(source).pattern()
    except IRegexpTooLarge as error:
        raise PatternError(f"it is too large: {error}") from None


class _Reader:
    """A position in a pattern, owned by one parse."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.depth = 0

    def pattern(self) -> Pattern:
        lookaheads: list[Lookahead] = []
        if not self.take("^(?=") and not self.take("^(?!"):
            return Pattern((), self.whole())
        while True:
            wanted = self.source[self.position - 1] == "="
            lookaheads.append(Lookahead(self.group_end(), wanted))
            if not self.take("(?=") and not self.take("(?!"):
                break
        rest = self.whole()
        if isinstance(rest, Alternatives):
            raise _refused("holds a lookahead beside alternatives, which takes a group around them")
        return Pattern(tuple(lookaheads), Sequence((Anchor(False), rest), rest.size + 1))

    def whole(self) -> Expression:
        expression = self.alternatives()
        if self.position < len(self.source):
            raise _refused('has a ")" too many')
        return expression

    def next(self) -> str:
        return self.source[self.position : self.position + 1]

    def take(self, text: str) -> bool:
        if not self.source.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def alternatives(self) -> Expression:
        branches = [self.branch()]
        while self.take("|"):
            branches.append(self.branch())
        if len(branches) == 1:
            return branches[0]
        size = checked_size(sum(1 + branch.size for branch in branches))
        return Alternatives(tuple(branches), size)

    def branch(self) -> Expression:
        items: list[Expression] = []
        while self.next() not in ("", "|", ")"):
            items.append(self.repeated(self.atom()))
        return Sequence(tuple(items), checked_size(sum(item.size for item in items)))

    def atom(self) -> Expression:
        if self.take("("):
            return self.group()
        if self.take("^"):
            return Anchor(at_end=False)
        if self.take("$"):
            return Anchor(at_end=True)
        if self.take("."):
            return Character(CLASSES["."])
        if self.take("["):
            return self.bracketed()
        if self.take("\\"):
            return Character(_test(self.escape(in_class=False)))
        if self.next() in _QUANTIFIERS or self.bounds() is not None:
            raise _refused(f"has nothing to repeat before character {self.position + 1}")
        character = self.next()
        self.position += 1
        return Character(character.__eq__)

    def group(self) -> Expression:
        for start in _LOOKING:
            if self.source.startswith(start, self.position - 1):
                raise _refused(
                    f'looks around with "{start}" - only right after a leading "^" it can'
                )
        if self.take("?:") or self.next() != "?":
            return self.group_end()
        if self.take("?<"):
            end = self.source.find(">", self.position)
            if end > self.position and self.source[self.position : end].isidentifier():
                self.position = end + 1
                return self.group_end()
        raise _refused(f'begins a group with "({self.source[self.position : self.position + 2]}"')

    def group_end(self) -> Expression:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise IRegexpTooLarge
        expression = self.alternatives()
        if not self.take(")"):
            raise _refused('lacks a ")"')
        self.depth -= 1
        return expression

    def repeated(self, item: Expression) -> Expression:
        bounds = _QUANTIFIERS.get(self.next())
        if bounds is not None:
            self.position += 1
        else:
            bounds = self.bounds()
        if bounds is None:
            return item
        if isinstance(item, Anchor):
            raise _refused("repeats an anchor")
        self.take("?")  # which of several matches is found makes no difference here
        if self.next() in _QUANTIFIERS:
            raise _refused(f"has nothing to repeat before character {self.position + 1}")
        least, most = bounds
        copies = least + 1 if most is None else most
        return Repetition(item, least, most, checked_size(copies * (item.size + 1)))

    def bounds(self) -> tuple[int, int | None] | None:
        """`{2}`, `{2,}`, `{2,5}`; None where a brace is only a brace, as it is for Annex B."""
        if self.next() != "{":
            return None
        inside, brace, _ = self.source[self.position + 1 :].partition("}")
        low, comma, high = inside.partition(",")
        if not brace or not low + high or not set(low + high) <= _DIGITS:
            return None
        if not low:
            raise _refused(f'holds "{{,{high}}}", which is no repetition - write "{{0,{high}}}"')
        if max(len(low), len(high)) > len(str(MAX_STATES)):
            raise IRegexpTooLarge
        self.position += len(inside) + 2
        least = int(low)
        most = int(high) if high else None if comma else least
        if most is not None and most < least:
            raise _refused(f'holds "{{{inside}}}", whose bounds are in the wrong order')
        return least, most

    def bracketed(self) -> Character:
        """A character class, after its opening bracket."""
        is_negated = self.take("^")
        tests: list[CharacterTest] = []
        while not self.take("]"):
            if not self.next():
                raise _refused('lacks a "]"')
            tests.append(self.class_part())
        test = one_of(tuple(tests))
        return Character(negated(test) if is_negated else test, max(1, len(tests)))

    def class_part(self) -> CharacterTest:
        first = self.class_atom()
        if self.next() != "-" or self.source.startswith("-]", self.position):
            return _test(first)
        self.position += 1
        last = self.class_atom()
        if not isinstance(first, str) or not isinstance(last, str):
            return one_of((_test(first), "-".__eq__, _test(last)))
        if last < first:
            raise _refused(f'holds the range "{first}-{last}", which is in the wrong order')
        return lambda character: first <= character <= last

    def class_atom(self) -> str | CharacterTest:
        if self.take("\\"):
            return self.escape(in_class=True)
        character = self.next()
        if not character:
            raise _refused('lacks a "]"')
        self.position += 1
        return character

    def escape(self, *, in_class: bool) -> str | CharacterTest:
        """What an escape stands for, after its backslash: one character, or several."""
        escaped = self.next()
        if not escaped:
            raise _refused("ends in a backslash")
        self.position += 1
        if escaped in CLASSES and escaped != ".":
            return CLASSES[escaped]
        if escaped in CONTROLS:
            return CONTROLS[escaped]
        if escaped == "b" and in_class:
            return "\b"
        if escaped == "0" and self.next() not in _DIGITS:
            return "\0"
        if escaped == "c" and self.next().isascii() and self.next().isalpha():
            self.position += 1
            return chr(ord(self.source[self.position - 1]) % 32)
        if escaped in "xu":
            return self.code(escaped)
        if escaped in "pP":
            return self.property(is_negated=escaped == "P")
        if escaped.isalnum() and escaped.isascii():
            raise _refused(f'holds "\\{escaped}", {_REASONS.get(escaped, _UNKNOWN)}')
        return escaped

    def code(self, kind: str) -> str:
        """A character by its number: `\\x41`, `\\u0041`, `\\u{1F600}`, or two surrogates."""
        if kind == "u" and self.take("{"):
            digits, _, _ = self.source[self.position :].partition("}")
            self.position += len(digits) + 1
            number = self.hexadecimal(digits)
        else:
            number = self.digits(2 if kind == "x" else 4)
            if 0xD800 <= number < 0xDC00 and self.take("\\u"):
                number = 0x10000 + (number - 0xD800) * 0x400 + self.digits(4) - 0xDC00
        if number > 0x10FFFF:
            raise _refused("names a character that does not exist")
        return chr(number)

    def digits(self, count: int) -> int:
        self.position += count
        digits = self.source[self.position - count : self.position]
        return self.hexadecimal(digits if len(digits) == count else "")

    def hexadecimal(self, digits: str) -> int:
        if not digits or len(digits) > 8 or not set(digits) <= _HEX:
            raise _refused("holds a character number that is not hexadecimal")
        return int(digits, 16)

    def property(self, *, is_negated: bool) -> CharacterTest:
        """`\\p{Lu}`: a general category of Unicode by its short name."""
        name, end, _ = self.source[self.position :].partition("}")
        test = unicode(name.removeprefix("{")) if end and name.startswith("{") else None
        if test is None:
            raise _refused(
                "names a property of characters that is not known here - use one as \\p{L}"
            )
        self.position += len(name) + 1
        return negated(test) if is_negated else test


def _refused(complaint: str) -> PatternError:
    return PatternError(f"it {complaint}")


def _test(found: str | CharacterTest) -> CharacterTest:
    return found.__eq__ if isinstance(found, str) else found
