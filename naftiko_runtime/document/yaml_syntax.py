"""Text that is no YAML, told in plain words.

The parser says what it was looking for ("did not find expected key"); the author wants to know
what is wrong with the line and how to mend it.
"""

from __future__ import annotations

import re

import yaml

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Place, Problem


@dataclass(frozen=True, slots=True)
class _Saying:
    """What to tell the author when the parser's complaint matches `complaint`.

    `at_start` puts the problem where the open construct begins rather than where the parser
    gave up, which for a missing quote or bracket may be many lines below.
    """

    complaint: re.Pattern[str]
    message: str
    remedy: str
    at_start: bool = False


def _saying(complaint: str, message: str, remedy: str, *, at_start: bool = False) -> _Saying:
    return _Saying(re.compile(complaint), message, remedy, at_start)


_ALIGN = "align it with the keys or elements it belongs to"

# Both parsers' wordings (libyaml's, and that of PyYAML's own), the most specific first.
_SAYINGS = (
    _saying(
        "mapping values are not allowed",
        'a ":" stands where no key can be',
        'put text that holds ": " in quotes, and check the indentation of this line',
    ),
    _saying(
        "could not find expected ':'",
        'a key is not followed by ":"',
        'write "key: value", or put text that spans lines in quotes',
        at_start=True,
    ),
    _saying(
        "found unexpected end of stream",
        "a quote is opened and never closed",
        "close it with the same quote sign",
        at_start=True,
    ),
    _saying(
        "found unexpected document separator",
        "a quote is opened and not closed before the next document",
        "close it with the same quote sign",
        at_start=True,
    ),
    _saying(
        r"expected ',' or '\]'",
        'a list in brackets is not closed with "]"',
        'separate its elements with "," and close it with "]"',
        at_start=True,
    ),
    _saying(
        r"expected ',' or '\}'",
        'a mapping in braces is not closed with "}"',
        'separate its entries with "," and close it with "}"; put a {{template}}, and text with '
        '"[" or "{" in it, in quotes',
        at_start=True,
    ),
    _saying(
        "unknown escape character",
        "an unknown escape stands in double quotes",
        "use single quotes, or double the backslash",
    ),
    _saying(
        "alphabetic or numeric character",
        'a value starts with "*" or "&", which YAML takes for an alias or an anchor',
        "put the value in quotes",
    ),
    _saying(
        "tab character",
        "a tab is used for indentation",
        "indent with spaces",
    ),
    _saying(
        "incompatible YAML document",
        "the %YAML line names a version that is not supported",
        "remove the line",
    ),
    _saying(
        "undefined tag handle",
        'a value starts with "!", which YAML takes for a tag',
        "put the value in quotes",
    ),
    _saying(
        "sequence entries are not allowed",
        'a list element ("- ") stands where no list can be',
        "start the list on a line of its own, indented under its key",
    ),
    _saying(
        r"comment or (a )?line break|chomping or indentation",
        'text follows "|" or ">" on the same line',
        "start the text on the next line, indented",
    ),
    _saying(
        "expected( the)? node content",
        "a value is missing, or starts with a character that YAML reserves",
        "put the value in quotes",
    ),
    _saying(
        "expected '?<document start>",
        "something follows the end of the document",
        f"remove it, or {_ALIGN}",
    ),
    _saying(
        r"expected '-' indicator|expected <block end>, but found '\?'",
        "this line does not fit into the list above it",
        f'start it with "- ", or {_ALIGN}',
    ),
    _saying(
        "expected key|expected <block end>",
        "this line does not fit into the mapping above it",
        f"{_ALIGN}; put text that holds quotes, brackets or commas in quotes altogether",
    ),
)
_STARTS_NO_VALUE = re.compile("cannot start any token")
_UNQUOTED_TEMPLATE = re.compile(r"(?:[:\-,\[{]|^)\s*\{\{")


def syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """The problem that stands for a parser's error over `text`."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return _problem(Place(file), "the text is not YAML", "check the file in an editor")
    lines = text.splitlines() or [""]
    place = _place(file, error.problem_mark or error.context_mark, lines)
    complaint = error.problem or ""
    line = lines[place.line - 1]
    if _STARTS_NO_VALUE.search(complaint):
        return _reserved_character(place, line)
    saying = next((known for known in _SAYINGS if known.complaint.search(complaint)), None)
    rest = "".join([line[place.column - 1 :], *lines[place.line :]])
    if "node content" in complaint and not rest.strip():
        return _problem(place, "the text ends too early", "write the rest, or close the bracket")
    if saying is None:
        return _problem(
            place, f"the text is not YAML ({complaint})", "correct the line or put text in quotes"
        )
    if saying.at_start and error.context_mark is not None:
        place = _place(file, error.context_mark, lines)
    remedy = saying.remedy
    if _UNQUOTED_TEMPLATE.search(line):
        remedy = "put a value that starts with {{ in quotes altogether"
    return _problem(place, saying.message, remedy)


def _reserved_character(place: Place, line: str) -> Problem:
    character = line[place.column - 1 : place.column]
    if character == "\t":
        return _problem(place, "a tab is used for indentation", "indent with spaces")
    return _problem(
        place,
        f'a value starts with "{character}", which YAML reserves',
        "put the value in quotes",
    )


def _problem(place: Place, message: str, remedy: str) -> Problem:
    return Problem("yaml-syntax", place, (), message, remedy)


def _place(file: str, mark: yaml.Mark | None, lines: list[str]) -> Place:
    """Where a mark points. libyaml marks the end of the text on a line that is not there."""
    if mark is None:
        return Place(file)
    if mark.line >= len(lines):
        return Place(file, len(lines), len(lines[-1]) + 1)
    return Place(file, mark.line + 1, mark.column + 1)
