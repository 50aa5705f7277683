"""HTML answers: the tables in them, `{"tables": [[{header: text}]]}`.

`outputSchema` is a CSS selector of tables, or of elements whose tables are meant; without one all
tables count. A table needs a header row (`th`); rows that hold a `th` are no data. A table inside
a cell is a table of its own, and no part of the cell's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from naftiko_runtime.formats.html_source import prepare_html
from naftiko_runtime.formats.text import check_size, decode_text
from naftiko_runtime.json_values import JsonValue

_LIMIT = 4 * 1024 * 1024
_MOST_CELLS = 2_000_000
"""Short rows are filled up: a wide header over many of them could take up any memory."""


def html_tables(selector: str | None) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of the tables that a selector means. Raises ValueError for a selector that cannot
    be read."""
    if selector is not None:
        try:
            LexborHTMLParser("<p></p>").css(selector)
        except (SelectolaxError, ValueError):
            raise ValueError(f'"{selector}" is not a CSS selector') from None

    def read(body: bytes, charset: str | None) -> JsonValue:
        check_size(body, _LIMIT)
        page = LexborHTMLParser(prepare_html(decode_text(body, charset)))
        tables: list[JsonValue] = []
        left = _MOST_CELLS
        for table in _selected(page, selector):
            header, data = _header_and_data(table)
            if not any(header):
                continue
            left -= len(header) * len(data)
            if left < 0:
                raise ValueError(f"its tables have more than {_MOST_CELLS:,} cells")
            tables.append([_row(header, cells) for cells in data])
        return {"tables": tables}

    return read


def _selected(page: LexborHTMLParser, selector: str | None) -> Iterable[LexborNode]:
    tables = page.css("table")
    if selector is None:
        return tables
    inside = {node.mem_id: True for node in page.css(selector)}
    return [table for table in tables if _is_inside(table, inside)]


def _is_inside(node: LexborNode, known: dict[int, bool]) -> bool:
    """Whether a node or one around it is among the known ones; remembers what it finds."""
    way: list[int] = []
    current: LexborNode | None = node
    while current is not None and current.mem_id not in known:
        way.append(current.mem_id)
        current = current.parent
    found = current is not None and known[current.mem_id]
    known.update(dict.fromkeys(way, found))
    return found


def _header_and_data(table: LexborNode) -> tuple[list[str], list[list[LexborNode]]]:
    """The names of a table's columns, empty without a header, and its rows of data. The header is
    the first row of `thead`, or else of the table."""
    found = list(_own_rows(table))
    first = next((cells for section, cells in found if section == "thead"), [])
    if not _is_header(first) and found:
        first = found[0][1]
    header = [_text(cell) for cell in first if cell.tag == "th"]
    in_body = [cells for section, cells in found if section == "tbody"]
    data = in_body or [cells for _, cells in found]
    return header, [cells for cells in data if not _is_header(cells)]


def _own_rows(table: LexborNode) -> Iterator[tuple[str | None, list[LexborNode]]]:
    """The rows of a table, not of tables inside it: the section each is in, and its cells."""
    for section in table.iter():
        rows = [section] if section.tag == "tr" else section.iter()
        for row in rows:
            if row.tag == "tr":
                yield section.tag, [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _is_header(cells: Iterable[LexborNode]) -> bool:
    return any(cell.tag == "th" for cell in cells)


def _row(header: list[str], cells: list[LexborNode]) -> JsonValue:
    texts = [_text(cell) for cell in cells]
    padded = texts + [""] * (len(header) - len(texts))
    values: dict[str, JsonValue] = {}
    values.update((name, text) for name, text in zip(header, padded, strict=False) if name)
    return values


def _text(cell: LexborNode) -> str:
    """The text of a cell with its blanks made single ones."""
    if cell.css_first("table") is None:
        return " ".join(cell.text(deep=True).split())
    pieces: list[str] = []
    node = cell.first_child
    while node is not None:
        if node.is_text_node:
            pieces.append(node.text())
        node = _next(node, cell, into=node.tag != "table")
    return " ".join("".join(pieces).split())


def _next(node: LexborNode, root: LexborNode, *, into: bool) -> LexborNode | None:
    """The node after this one in document order, with or without those inside it."""
    if into and node.first_child is not None:
        return node.first_child
    current: LexborNode | None = node
    while current is not None and current.mem_id != root.mem_id:
        if current.next is not None:
            return current.next
        current = current.parent
    return None
