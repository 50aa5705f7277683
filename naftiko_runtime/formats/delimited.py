"""Delimited text: CSV, TSV and PSV with a header row, to a list of objects of text (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Protocol

from naftiko_runtime.formats.text import decode_text
from naftiko_runtime.json_values import JsonValue

_LONGEST_FIELD = 1024 * 1024
_MOST_CELLS = 5_000_000
"""Short rows are filled up: a wide header over many of them could take up any memory."""


class _Rows(Protocol):
    """A csv reader."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...


def delimited_by(delimiter: str) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of text whose fields the delimiter parts.

    Short rows lack their last members as null; blank lines are passed over. The reader raises
    ValueError for an empty document, a row longer than the header, a quote that never ends, or a
    table of more than 5 million cells.
    """

    def read(body: bytes, charset: str | None) -> JsonValue:
        text = decode_text(body, charset)
        csv.field_size_limit(_LONGEST_FIELD)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            header = next((row for row in rows if row), None)
            if header is None:
                raise ValueError("it is empty: the first row has to name the columns")
            return list(_table(header, rows))
        except csv.Error as error:
            raise ValueError(f"line {rows.line_num} cannot be read: {error}") from None

    return read


def _table(header: list[str], rows: _Rows) -> Iterator[JsonValue]:
    cells, width = 0, len(header)
    for row in rows:
        cells += width
        if cells > _MOST_CELLS:
            raise ValueError(f"it has more than {_MOST_CELLS:,} cells")
        if len(row) == width:
            whole: dict[str, JsonValue] = dict(zip(header, row, strict=True))
            yield whole
        elif row:
            yield _uneven(header, row, rows.line_num)


def _uneven(header: list[str], row: list[str], line: int) -> JsonValue:
    if len(row) > len(header):
        raise ValueError(f"line {line} has {len(row)} fields, the header has {len(header)}")
    values: dict[str, JsonValue] = dict.fromkeys(header)
    values.update(zip(header, row, strict=False))
    return values
