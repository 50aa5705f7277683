"""Texts of strangers, as what they are.

Whoever approves must see what is sent: characters that are invisible, that turn the reading
direction (Trojan Source, CVE-2021-42574) or that pile up are shown by their code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import escape
from typing import Final

import msgspec

from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue

SHORT: Final = 600
"""Characters of a text that are shown before it has to be unfolded."""

_MEMBER: Final = 120
"""Characters of a text inside of a value."""

_LONG: Final = 4000
_LONGEST: Final = 100_000
_MOST_MARKS: Final = 2
"""How many combining marks a letter has in any living language, more or less."""
_PLAIN: Final = re.compile(r"[ -~\n]*")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters and marks that look like nothing."""


def visible(text: str) -> str:
    """HTML for a text, nothing of which is hidden. Line breaks stay."""
    if _PLAIN.fullmatch(text):
        return escape(text)
    return "".join(
        escape(part) if is_plain else f'<span class="odd">U+{ord(part):04X}</span>'
        for part, is_plain in _characters(text)
    )


def for_terminal(text: str) -> str:
    """The same for a terminal, which control characters could make do things."""
    return "".join(
        part if is_plain else f"<U+{ord(part):04X}>" for part, is_plain in _characters(text)
    )


def _characters(text: str) -> Iterator[tuple[str, bool]]:
    """Each character, and whether it shows what it is."""
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        yield character, _is_plain(character, category) and marks <= _MOST_MARKS


def _is_plain(character: str, category: str) -> bool:
    if character in " \n":
        return True
    variation = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return category not in _INVISIBLE and character not in _FILLERS and not variation


def block(text: str, *, whole: bool = False) -> str:
    """A text in a box of its own; what follows in a long one is to be unfolded, unless the `whole`
    is to be seen."""
    if len(text) <= SHORT:
        return f"<pre>{visible(text)}</pre>"
    missing = len(text) - SHORT
    return (
        f'<pre>{visible(text[:SHORT])}<span class="cut">…</span></pre>'
        f"{_folded(text[SHORT:], f'Show the {missing} characters that follow', whole)}"
    )


def value_block(value: JsonValue, *, whole: bool = False) -> str:
    """A value in a box of its own. Long texts in it are cut one by one, so that none of them pushes
    the other members out of sight; all of it is to be unfolded, unless the `whole` is to be seen.
    """
    if isinstance(value, str):
        return block(value, whole=whole)
    text, short = as_text(value), as_text(_shortened(value))
    if len(text) <= SHORT or (text == short and len(text) <= _LONG):
        return f"<pre>{visible(text)}</pre>"
    cut = f'<span class="cut">… {len(short) - _LONG} more</span>' if len(short) > _LONG else ""
    return (
        f"<pre>{visible(short[:_LONG])}{cut}</pre>"
        f"{_folded(text, f'Show all {len(text)} characters', whole)}"
    )


def _folded(text: str, label: str, is_open: bool) -> str:
    beyond = len(text) - _LONGEST
    end = f"<p>{beyond} more characters are not shown.</p>" if beyond > 0 else ""
    return (
        f"<details{' open' if is_open else ''}><summary>{label}</summary>"
        f"<pre>{visible(text[:_LONGEST])}</pre>{end}</details>"
    )


def _shortened(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        rest = len(value) - _MEMBER
        return f"{value[:_MEMBER]}… ({rest} more characters)" if rest > 0 else value
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    if isinstance(value, dict):
        members: dict[str, JsonValue] = {}
        for name, each in value.items():
            short = str(_shortened(name))
            members[name if short in members else short] = _shortened(each)
        return members
    return value


def line(text: str, longest: int = 120) -> str:
    """A short text within a line; of a longer one, how much there is."""
    shown = visible(text[:longest].replace("\n", "⏎"))
    rest = len(text) - longest
    return f"<bdi>{shown}</bdi>" + (
        f' <span class="cut">… {rest} more characters</span>' if rest > 0 else ""
    )


def as_text(value: JsonValue) -> str:
    """A value to be read: a text as it is, another one as indented JSON with every digit."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(encode_json(value), indent=2).decode()
