"""Where the language reference explains which definition of the specification."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tests.docs.examples import LANGUAGE, Example, language_pages, read_examples
from tests.docs.markdown import Section, read_sections, table_rows

_ENTRY = re.compile(r"Definitions?: (`[A-Za-z0-9]+`(?:, `[A-Za-z0-9]+`)*)\.")
_ROW = re.compile(r"\[`([A-Za-z0-9]+)`\]\((\S+)\)")


def entries() -> Iterator[tuple[str, Section]]:
    """Each definition that a section says it is about, with that section."""
    for page in language_pages():
        for section in read_sections(page):
            for line in section.prose:
                if named := _ENTRY.fullmatch(line):
                    for name in re.findall(r"`(\w+)`", named[1]):
                        yield name, section


def index() -> list[tuple[str, str]]:
    """The rows of the index: a definition and where its link leads."""
    rows = [
        row
        for section in read_sections(LANGUAGE / "README.md")
        for row in table_rows(section.prose)
    ]
    found = [_ROW.fullmatch(row[0]) for row in rows]
    return [(match[1], match[2]) for match in found if match]


def target_of(section: Section) -> str:
    """How the index links to a section."""
    return f"{section.page.name}#{section.anchor}"


def examples_below(section: Section) -> list[Example]:
    """The running examples of a section and of those below it."""
    sections = read_sections(section.page)
    following = [each for each in sections if each.line > section.line]
    ends = [each.line for each in following if each.level <= section.level]
    end = min(ends, default=sys.maxsize)
    return [
        example
        for example in read_examples(section.page)
        if section.line <= example.section.line < end and example.exchanges
    ]
