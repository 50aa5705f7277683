"""Reads the lexemes of RFC 9535 off a text: blanks, names, numbers and quoted strings."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from naftiko_runtime.plan.jsonpath.errors import JsonPathSyntaxError

_MAX_SAFE_INTEGER: Final = 2**53 - 1
_LONGEST_SHOWN: Final = 120
_DEEPEST: Final = 50

_BLANK = re.compile(r"[ \t\n\r]*")
# RFC 9535, section 2.5.1.1: letters, "_", what is not ASCII, and digits after the first character.
# Sets of characters are given by what is not in them, which compiles ten times faster.
_NOT_IN_NAMES = r"\x00-/:-@\[-^`{-\x7f\ud800-\udfff"
_NAME = re.compile(f"[^{_NOT_IN_NAMES}0-9][^{_NOT_IN_NAMES}]*")
_FUNCTION_NAME = re.compile(r"[a-z][a-z_0-9]*")
_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_UNESCAPED = {
    '"': re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*'),
    "'": re.compile(r"[^'\\\x00-\x1f\ud800-\udfff]*"),
}
_ESCAPES: Final = {
    "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\",
}  # fmt: skip
_HEX = re.compile(r"[0-9A-Fa-f]{4}")

# Beside the characters of names, any of @ $ : # % / and -
_NOT_TOLERATED = r"\x00-\x1f!\x22&-,.;-?\[-^`{-\x7f\ud800-\udfff"
_TOLERATED_NAME = re.compile(f"[^{_NOT_TOLERATED} ]+")
_TOLERATED_WORDS = re.compile(f"[^{_NOT_TOLERATED} ][^{_NOT_TOLERATED}]*")
_SUBSTANCE = re.compile(f"[^{_NOT_IN_NAMES}]")
_ARITHMETIC = re.compile(r"(?<![^\W\d_])/|/(?![^\W\d_])|[-/][@$]+$")


class Scanner:
    """A position in a text, owned by one parse.

    `tolerant` widens the names after a dot to what published files write there and the reference
    engine reads: `content-type`, `1st`, `@id`, `$ref`, `soap:Body`, and, outside filters,
    `first name`.
    """

    def __init__(self, text: str, *, tolerant: bool = False) -> None:
        self.text = text
        self.position = 0
        self.tolerant = tolerant
        self.depth = 0

    def fault(self, detail: str, remedy: str = "", at: int | None = None) -> JsonPathSyntaxError:
        """What to raise for a position, the current one unless given."""
        shown = self.text if len(self.text) <= _LONGEST_SHOWN else self.text[:_LONGEST_SHOWN] + "…"
        offset = self.position if at is None else at
        return JsonPathSyntaxError(f'JSONPath "{shown}" {detail}', offset, remedy)

    def expected(self, what: str, remedy: str = "") -> JsonPathSyntaxError:
        """What to raise when something else is there, or nothing."""
        if self.at_end():
            return self.fault(f"ends where {what} is expected", remedy)
        return self.fault(f'has "{self.text[self.position]}" where {what} is expected', remedy)

    def at_end(self) -> bool:
        return self.position >= len(self.text)

    def peek(self, literal: str) -> bool:
        return self.text.startswith(literal, self.position)

    def take(self, literal: str) -> bool:
        """Steps over the literal if it is next."""
        if not self.text.startswith(literal, self.position):
            return False
        self.position += len(literal)
        return True

    def skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.position)
        if match:
            self.position = match.end()

    def enter(self) -> None:
        """Counts a level of nesting, so that no text can exhaust the stack; `leave` ends it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.fault(f"nests filters deeper than {_DEEPEST} levels", "simplify it")

    def leave(self) -> None:
        self.depth -= 1

    def name(self) -> str | None:
        """A member name without quotes, as it may follow a dot."""
        if not self.tolerant:
            return self._lexeme(_NAME)
        start = self.position
        name = self._lexeme(_TOLERATED_NAME if self.depth else _TOLERATED_WORDS)
        if name is None:
            return None
        name = name.rstrip(" ")
        self.position = start + len(name)
        if not _is_tolerated(name):
            raise self.fault(
                f'has the name "{name}", which is not clear without quotes',
                f"write ['{name}'] if it is a name",
                at=start,
            )
        return name

    def function_name(self) -> str | None:
        return self._lexeme(_FUNCTION_NAME)

    def integer(self) -> int | None:
        """An integer of section 2.1: no leading zeros, no `-0`, exact as a double."""
        start = self.position
        digits = self._lexeme(_INTEGER)
        if digits is None:
            return None
        if digits == "-0" or (len(digits.lstrip("-")) > 1 and digits.lstrip("-")[0] == "0"):
            raise self.fault(
                f'has the integer "{digits}"', "write it without leading zeros", at=start
            )
        if len(digits) > len(str(-_MAX_SAFE_INTEGER)) or abs(int(digits)) > _MAX_SAFE_INTEGER:
            raise self.fault("has an integer beyond the range of 53 bits", at=start)
        return int(digits)

    def number(self) -> int | Decimal | None:
        """A number literal of a filter; whole ones are ints, `1.0` and `1e2` included."""
        match = _NUMBER.match(self.text, self.position)
        if match is None:
            return None
        try:
            exact = Decimal(match.group())
        except InvalidOperation:
            raise self.fault("has a number beyond the range of numbers") from None
        self.position = match.end()
        if exact.adjusted() < 400 and exact == exact.to_integral_value():
            return int(exact)
        return exact

    def string(self) -> str | None:
        """The value of a quoted string."""
        start = self.position
        quote = self.text[start : start + 1]
        if quote not in ('"', "'"):
            return None
        self.position += 1
        plain = _UNESCAPED[quote]
        value = ""
        while True:
            value += self._lexeme(plain) or ""
            if self.take(quote):
                return value
            if self.take("\\"):
                value += self._escape(quote)
            elif self.at_end():
                raise self.fault("has a string without an end", f"close it with {quote}", at=start)
            else:
                code = ord(self.text[self.position])
                raise self.fault(
                    f"has the character U+{code:04X} in a string", f"write \\u{code:04X}"
                )

    def _escape(self, quote: str) -> str:
        start = self.position - 1
        if self.take(quote):
            return quote
        if self.take("u"):
            return self._unicode_escape(start)
        letter = self.text[self.position : self.position + 1]
        if letter not in _ESCAPES or not letter:
            raise self.fault(
                f'has the escape "\\{letter}" in a string',
                "the escapes are \\b \\f \\n \\r \\t \\/ \\\\ \\uXXXX and the quote itself",
                at=start,
            )
        self.position += 1
        return _ESCAPES[letter]

    def _unicode_escape(self, start: int) -> str:
        code = self._hex(start)
        if 0xD800 <= code <= 0xDBFF and self.take("\\u"):
            low = self._hex(start)
            if 0xDC00 <= low <= 0xDFFF:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= code <= 0xDFFF:
            raise self.fault("has half of a surrogate pair", "write both halves", at=start)
        return chr(code)

    def _hex(self, start: int) -> int:
        digits = self._lexeme(_HEX)
        if digits is None:
            raise self.fault(
                "has an incomplete escape", "write \\u and four hexadecimal digits", at=start
            )
        return int(digits, 16)

    def _lexeme(self, pattern: re.Pattern[str]) -> str | None:
        match = pattern.match(self.text, self.position)
        if match is None:
            return None
        self.position = match.end()
        return match.group()


def _is_tolerated(name: str) -> bool:
    """Whether a run of wide characters is a name rather than arithmetic, as jsonpath-ng has it.

    `a - b`, `a/2` and `a-$` (of `a-$.b`) are not; `content-type`, `application/json` are.
    """
    words = name.split(" ")
    return (
        all(_SUBSTANCE.search(word) for word in words if word)
        and not any(word.startswith("-") for word in words[1:])
        and not _ARITHMETIC.search(name)
    )
