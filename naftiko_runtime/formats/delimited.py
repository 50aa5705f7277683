"""Delimited text: CSV, TSV and PSV with a header row, to a list of objects of text (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from naftiko_runtime.formats.text import decode_text
from naftiko_runtime.json_values import JsonValue

_LONGEST_FIELD = 1024 * 1024


def delimited_by(delimiter: str) -> Callable[[bytes, str | None], JsonValue]:
    """A reader of text whose fields the delimiter parts.

    Short rows lack their last members as null; blank lines are passed over. The reader raises
    ValueError for an empty document, a row longer than the header, or a quote that never ends.
    """

    def read(body: bytes, charset: str | None) -> JsonValue:
        text = decode_text(body, charset)
        csv.field_size_limit(_LONGEST_FIELD)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            header = next((row for row in rows if row), None)
            if header is None:
                raise ValueError("it is empty: the first row has to name the columns")
            return [_row(header, row, rows.line_num) for row in rows if row]
        except csv.Error as error:
            raise ValueError(f"line {rows.line_num} cannot be read: {error}") from None

    return read


def _row(header: list[str], row: list[str], line: int) -> JsonValue:
    if len(row) > len(header):
        raise ValueError(f"line {line} has {len(row)} fields, the header has {len(header)}")
    values: dict[str, JsonValue] = dict.fromkeys(header)
    values.update(zip(header, row, strict=False))
    return values
