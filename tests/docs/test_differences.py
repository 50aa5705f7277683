"""The page of differences names every place where the project's schema takes more than the official
one, and no others."""

from __future__ import annotations

import re

from tests.docs.differences import differences
from tests.docs.examples import LANGUAGE
from tests.docs.markdown import read_sections, table_rows

KINDS = {
    "Keys that the official schema does not have": "key",
    "Names of other characters": "name",
    "What may be left out": "missing",
    "Lists that may be empty": "empty",
    "Numbers and booleans as text": "text",
    "Others": "own",
}


def listed() -> set[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    for section in read_sections(LANGUAGE / "differences.md"):
        kind = KINDS.get(section.title)
        for row in table_rows(section.prose) if kind else ():
            if row[0] == "definition":
                continue
            keys = re.split(r",\s*", row[1].replace("`", ""))
            found |= {(row[0].strip("`"), key, kind or "") for key in keys}
    return found


def test_each_difference_of_the_schemas_is_listed() -> None:
    assert sorted(differences() - listed()) == []


def test_what_is_listed_is_a_difference() -> None:
    assert sorted(listed() - differences()) == []
