"""Where the language reference explains which definition of the specification."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.docs.examples import LANGUAGE, language_pages, read_examples
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


def sections_with_examples() -> set[str]:
    """The sections that an example stands in or below."""
    found: set[str] = set()
    for page in language_pages():
        lines = {example.section.line for example in read_examples(page) if example.exchanges}
        above: list[Section] = []
        for section in read_sections(page):
            above = [each for each in above if each.level < section.level] + [section]
            if section.line in lines:
                found.update(map(target_of, above))
    return found
