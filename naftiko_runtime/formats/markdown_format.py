"""Markdown answers: `{"frontMatter": {...}, "tables": [[{header: text}]], "sections": [...]}`.

A section is `{heading, level, content}`; its content is the plain text of what follows, up to the
next heading of any level. `outputSchema` is the beginning of the headings that are wanted, with or
without their `#`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from naftiko_runtime.document.yaml_reader import read_yaml
from naftiko_runtime.formats.text import check_size, decode_text
from naftiko_runtime.json_values import JsonValue

_LIMIT = 512 * 1024
_MARKS = "\n[]*_`<!&"
_MOST_MARKS = 40_000
"""The library takes some 30 microseconds for each of them, whatever they mean."""


def markdown_parts(prefix: str | None) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of Markdown that keeps the sections whose heading begins with `prefix`."""
    wanted = (prefix or "").lstrip("#").strip()
    parser = MarkdownIt("commonmark").enable("table")

    def read(body: bytes, charset: str | None) -> JsonValue:
        check_size(body, _LIMIT)
        text = decode_text(body, charset).replace("\r\n", "\n")
        if sum(map(text.count, _MARKS)) > _MOST_MARKS:
            raise ValueError(f"it holds more than {_MOST_MARKS:,} lines and marks such as [ or *")
        front_matter, text = _front_matter(text)
        tokens = parser.parse(text)
        sections = [s for s in _sections(tokens) if str(s["heading"]).startswith(wanted)]
        return {
            "frontMatter": front_matter,
            "tables": list(_tables(tokens)),
            "sections": list[JsonValue](sections),
        }

    return read


def _front_matter(text: str) -> tuple[JsonValue, str]:
    """The mapping between two lines of dashes at the beginning, and what follows. Anything else
    between them is text: the dashes are rules then."""
    if not text.startswith("---\n"):
        return {}, text
    head, mark, rest = text[3:].partition("\n---\n")
    if not mark and text.endswith("\n---"):
        head, mark, rest = text[3:-4], "---", ""
    if not mark:
        return {}, text
    if not head.strip():
        return {}, rest
    document, _ = read_yaml(head.encode(), "the front matter")
    if document is None or not isinstance(document.value, dict):
        return {}, text
    return document.value, rest


def _sections(tokens: Sequence[Token]) -> Iterator[dict[str, JsonValue]]:
    section: dict[str, JsonValue] | None = None
    content: list[str] = []
    in_table = 0
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            if section is not None:
                yield {**section, "content": "\n".join(content)}
            content = []
            section = {"heading": _plain(tokens[index + 1]), "level": int(token.tag[1:])}
            continue
        in_table += (token.type == "table_open") - (token.type == "table_close")
        is_heading = index > 0 and tokens[index - 1].type == "heading_open"
        if section is None or in_table or is_heading:
            continue
        if token.type == "inline":
            content.append(_plain(token))
        elif token.type in ("fence", "code_block"):
            content.append(token.content.rstrip("\n"))
    if section is not None:
        yield {**section, "content": "\n".join(content)}


def _tables(tokens: Sequence[Token]) -> Iterator[JsonValue]:
    header: list[str] = []
    rows: list[JsonValue] = []
    cells: list[str] = []
    in_head = False
    for index, token in enumerate(tokens):
        if token.type == "table_open":
            header, rows = [], []
        elif token.type == "table_close":
            yield rows
        elif token.type in ("thead_open", "thead_close"):
            in_head = token.type == "thead_open"
        elif token.type == "tr_open":
            cells = []
        elif token.type in ("th_open", "td_open"):
            cells.append(_plain(tokens[index + 1]))
        elif token.type == "tr_close" and in_head:
            header = cells
        elif token.type == "tr_close":
            values: dict[str, JsonValue] = {}
            values.update(zip(header, cells, strict=False))
            rows.append(values)


def _plain(token: Token) -> str:
    """The text of inline content without its marks."""
    pieces: list[str] = []
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            pieces.append(child.content)
        elif child.type == "softbreak":
            pieces.append(" ")
        elif child.type == "hardbreak":
            pieces.append("\n")
        elif child.type == "image":
            pieces.append(child.content)
    return "".join(pieces).strip()
