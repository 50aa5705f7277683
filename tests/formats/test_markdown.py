"""Markdown answers: front matter, tables and sections."""

from __future__ import annotations

from typing import Any

import pytest

from naftiko_runtime.json_values import JsonValue
from tests.formats.reading import read, refusal

pytest.importorskip("markdown_it")

DOCUMENT = """---
title: Fleet
tags: [a, b]
---

Before any heading.

# Ships *afloat*

First `paragraph`
goes on.

Second [one](http://x).

| Name   | IMO |
|--------|-----|
| Aurora | `1` |
| Boreas |

## Results for May

- a
- b

```
code
```

Other
=====
"""


def parts(document: str | bytes, prefix: str | None = None) -> dict[str, Any]:
    value = read("markdown", document, prefix)
    assert isinstance(value, dict)
    assert list(value) == ["frontMatter", "tables", "sections"]
    return value


def test_a_document_has_front_matter_tables_and_sections() -> None:
    assert parts(DOCUMENT) == {
        "frontMatter": {"title": "Fleet", "tags": ["a", "b"]},
        "tables": [[{"Name": "Aurora", "IMO": "1"}, {"Name": "Boreas", "IMO": ""}]],
        "sections": [
            {
                "heading": "Ships afloat",
                "level": 1,
                "content": "First paragraph goes on.\nSecond one.",
            },
            {"heading": "Results for May", "level": 2, "content": "a\nb\ncode"},
            {"heading": "Other", "level": 1, "content": ""},
        ],
    }


def test_line_ends_of_windows_make_no_difference() -> None:
    assert parts(DOCUMENT.replace("\n", "\r\n")) == parts(DOCUMENT)


@pytest.mark.parametrize(
    ("prefix", "headings"),
    [
        (None, ["Ships afloat", "Results for May", "Other"]),
        ("Results", ["Results for May"]),
        ("## Results", ["Results for May"]),
        ("results", []),
        ("##", ["Ships afloat", "Results for May", "Other"]),
    ],
)
def test_the_beginning_of_a_heading_chooses_sections(
    prefix: str | None, headings: list[str]
) -> None:
    found = parts(DOCUMENT, prefix)
    assert [section["heading"] for section in found["sections"]] == headings
    assert len(found["tables"]) == 1


@pytest.mark.parametrize(
    ("document", "front_matter", "headings"),
    [
        ("---\na: 1\n---\n# H\n", {"a": 1}, ["H"]),
        ("---\na: 1\n---", {"a": 1}, []),
        ("---\n---\n# H\n", {}, ["H"]),
        ("---\n\n---\n# H\n", {}, ["H"]),
        ("---\na: 1\n", {}, []),
        ("---\njust text\n\n---\n# H\n", {}, ["H"]),
        ("---\na: [\n---\n# H\n", {}, ["H"]),
        (" ---\na: 1\n---\n", {}, ["a: 1"]),
        ("# H\n---\na: 1\n---\n", {}, ["H", "a: 1"]),
        ("", {}, []),
    ],
)
def test_front_matter_is_a_mapping_at_the_very_beginning(
    document: str, front_matter: JsonValue, headings: list[str]
) -> None:
    found = parts(document)
    assert found["frontMatter"] == front_matter
    assert [section["heading"] for section in found["sections"]][
        -len(headings) or None :
    ] == headings


def test_an_alias_bomb_is_no_front_matter() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert parts("---\n" + "\n".join(lines) + "\n---\n")["frontMatter"] == {}


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("|a|b|\n|-|-|\n|1|2|3|\n", [{"a": "1", "b": "2"}]),
        ("|a|a|\n|-|-|\n|1|2|\n", [{"a": "2"}]),
        ("|a|\n|-|\n", []),
        ("|a\\|b|\n|-|\n|**x** y|\n", [{"a|b": "x y"}]),
    ],
)
def test_a_table_is_a_list_of_objects_by_its_header(table: str, rows: JsonValue) -> None:
    assert parts(table)["tables"] == [rows]


@pytest.mark.parametrize(
    "piece", ["[", "![", "[a](", "> ", "- ", "*a ", "`", "<a ", "\\", "&amp;", "|a", "# "]
)
def test_no_document_takes_more_than_it_is_worth(piece: str) -> None:
    """Bounded by the time limit of the whole run: each would take hours, were it quadratic."""
    parts(piece * 10_000)


def test_half_a_mebibyte_is_the_most_that_is_read() -> None:
    assert refusal("markdown", b" " * (2**19 + 1)).startswith("it is larger than 512 KiB")


@pytest.mark.parametrize("unit", ["![[]()", "_a__b_", "*a ", "[", "`", "<a ", "&amp;", "# a\n"])
def test_s2_text_that_is_nothing_but_marks_and_lines_is_refused(unit: str) -> None:
    said = refusal("markdown", unit * 40_001)
    assert said == "it holds more than 40,000 lines and marks such as [ or *"
