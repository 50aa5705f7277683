"""HTML answers: the tables in them, `{"tables": [[{header: text}]]}`.

`outputSchema` is a CSS selector of tables, or of elements whose tables are meant; without one all
tables count. A table needs a header row (`th`); rows that hold a `th` are no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from naftiko_runtime.formats.text import decode_text
from naftiko_runtime.json_values import JsonValue


def html_tables(selector: str | None) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of the tables that a selector means. Raises ValueError for a selector that cannot
    be read."""
    if selector is not None:
        try:
            LexborHTMLParser("<p></p>").css(selector)
        except (SelectolaxError, ValueError):
            raise ValueError(f'"{selector}" is not a CSS selector') from None

    def read(body: bytes, charset: str | None) -> JsonValue:
        page = LexborHTMLParser(decode_text(body, charset))
        tables: list[JsonValue] = []
        for table in _selected(page, selector):
            rows = _rows(table)
            if rows is not None:
                tables.append(rows)
        return {"tables": tables}

    return read


def _selected(page: LexborHTMLParser, selector: str | None) -> Iterable[LexborNode]:
    seen: set[int] = set()
    for node in page.css(selector or "table"):
        for table in [node] if node.tag == "table" else node.css("table"):
            if table.mem_id not in seen:
                seen.add(table.mem_id)
                yield table


def _rows(table: LexborNode) -> list[JsonValue] | None:
    """The rows of a table as objects; None for a table without a header."""
    header = _cells(table, "thead tr:first-child th") or _cells(table, "tr:first-child th")
    if not any(header):
        return None
    found = table.css("tbody tr") or table.css("tr")
    rows: list[JsonValue] = []
    for row in found:
        if row.css_first("th") is not None:
            continue
        cells = _cells(row, "td")
        padded = cells + [""] * (len(header) - len(cells))
        values: dict[str, JsonValue] = {}
        values.update((name, text) for name, text in zip(header, padded, strict=False) if name)
        rows.append(values)
    return rows


def _cells(node: LexborNode, selector: str) -> list[str]:
    return [" ".join(cell.text(deep=True).split()) for cell in node.css(selector)]
