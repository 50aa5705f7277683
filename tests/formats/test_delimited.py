"""CSV, TSV and PSV answers as lists of objects."""

from __future__ import annotations

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.json_values import JsonValue
from tests.formats.reading import read, refusal


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (
            "name,imo\nAurora,1\nBoreas,2\n",
            [{"name": "Aurora", "imo": "1"}, {"name": "Boreas", "imo": "2"}],
        ),
        ("name,imo\r\nAurora,1\r\n", [{"name": "Aurora", "imo": "1"}]),
        ("name,imo\nAurora,1", [{"name": "Aurora", "imo": "1"}]),
        ('a,b\n"x,""y""\nz",2\n', [{"a": 'x,"y"\nz', "b": "2"}]),
        ("a,b\n x , 1 \n", [{"a": " x ", "b": " 1 "}]),
        ("a,b\n1\n", [{"a": "1", "b": None}]),
        ("a,b\n,\n", [{"a": "", "b": ""}]),
        ("a,b\n\n1,2\n\n", [{"a": "1", "b": "2"}]),
        ("\na,b\n1,2\n", [{"a": "1", "b": "2"}]),
        ("a,a\n1,2\n", [{"a": "2"}]),
        ("a,b\n", []),
        ("\ufeffa,b\n1,2\n", [{"a": "1", "b": "2"}]),
        ("a\n007\n", [{"a": "007"}]),
    ],
)
def test_the_header_names_the_members_of_each_row(document: str, value: JsonValue) -> None:
    assert read("csv", document) == value


@pytest.mark.parametrize(("name", "delimiter"), [("csv", ","), ("tsv", "\t"), ("psv", "|")])
def test_each_format_has_its_delimiter(name: str, delimiter: str) -> None:
    document = f"a{delimiter}b\nx,y|z\tw{delimiter}2\n".replace("x,y|z\tw", '"x,y|z\tw"')
    assert read(name, document) == [{"a": "x,y|z\tw", "b": "2"}]


def test_the_charset_of_the_media_type_counts() -> None:
    assert read("csv", "a\nTromsø\n".encode("latin-1"), None, "iso-8859-1") == [{"a": "Tromsø"}]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "it is empty: the first row has to name the columns"),
        ("\n\n", "it is empty: the first row has to name the columns"),
        ("a,b\n1,2,3\n", "line 2 has 3 fields, the header has 2"),
        ('a,b\n1,"2\n', "line 2 cannot be read: unexpected end of data"),
        ('a,b\n"1"x,2\n', "line 2 cannot be read: "),
        (b"a,b\n\xff,1\n", "byte 4 is not UTF-8 text"),
    ],
)
def test_what_is_no_table_is_refused(document: str | bytes, reason: str) -> None:
    assert refusal("csv", document).startswith(reason)


def test_a_field_of_more_than_a_mebibyte_is_refused() -> None:
    most = "x" * 2**20
    assert read("csv", f"a\n{most}\n") == [{"a": most}]
    assert "field larger than field limit" in refusal("csv", f'a\n"{most}x"\n')


def test_a_wide_header_over_many_short_rows_is_refused() -> None:
    header = ",".join(str(n) for n in range(10_000))
    assert refusal("csv", header + "\n" + "x\n" * 100_000) == "it has more than 5,000,000 cells"


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=8)


@given(st.lists(st.lists(cells, min_size=3, max_size=3).filter(any), max_size=6))
def test_any_table_comes_out_as_it_was_written(rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["a", "b", "c"])
    writer.writerows(rows)
    assert read("csv", text.getvalue()) == [dict(zip("abc", row, strict=True)) for row in rows]


@given(st.one_of(st.binary(max_size=60), st.text('ab,"\n\r\t|\x00 ', max_size=60)))
def test_any_bytes_are_read_or_refused(document: str | bytes) -> None:
    with contextlib.suppress(ValueError):
        read("csv", document)
