"""Reads the Markdown pages of the documentation: their sections, links and fenced blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_HEADING = re.compile(r"(#{1,6}) +(.+?)\s*")
_FENCE = re.compile(r"(`{3,})(\S*)[^`]*")
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block; `line` is that of its first line of text."""

    language: str
    text: str
    line: int


@dataclass(slots=True)
class Section:
    """A heading and what follows it up to the next heading of any level. `prose` holds the lines
    outside of fenced blocks."""

    page: Path
    title: str
    level: int
    line: int
    anchor: str
    prose: list[str] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)

    @property
    def links(self) -> list[str]:
        return _LINK.findall("\n".join(self.prose))

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}#{self.anchor}"


def read_sections(page: Path) -> list[Section]:
    """The sections of a page in order. What stands before the first heading has no anchor."""
    sections = [Section(page, "", 0, 1, "")]
    anchors: dict[str, int] = {}
    fence: tuple[str, str, int] | None = None
    held: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if fence is not None:
            if line.strip() == fence[0]:
                sections[-1].fences.append(Fence(fence[1], "\n".join(held) + "\n", fence[2]))
                fence, held = None, []
            else:
                held.append(line)
        elif opened := _FENCE.fullmatch(line):
            fence = (opened[1], opened[2], number + 1)
        elif heading := _HEADING.fullmatch(line):
            anchor = _unique(anchor_of(heading[2]), anchors)
            sections.append(Section(page, heading[2], len(heading[1]), number, anchor))
        else:
            sections[-1].prose.append(line)
    assert fence is None, f"{page}:{fence and fence[2]}: the fenced block is never closed"
    return sections


def anchor_of(title: str) -> str:
    """The anchor that GitHub and most viewers give a heading."""
    return _NOT_IN_ANCHORS.sub("", title.lower()).replace(" ", "-")


def _unique(anchor: str, seen: dict[str, int]) -> str:
    count = seen[anchor] = seen.get(anchor, -1) + 1
    return f"{anchor}-{count}" if count else anchor


def table_rows(lines: list[str]) -> list[list[str]]:
    """The rows of the tables in some prose, without their headers and rules."""
    rows: list[list[str]] = []
    in_body = False
    for line in lines:
        if not line.startswith("|"):
            in_body = False
        elif set(line) <= set("|-: "):
            in_body = True
        elif in_body:
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows
