"""The tables of HTML answers."""

from __future__ import annotations

import pytest

from naftiko_runtime.json_values import JsonValue
from tests.formats.reading import read, refusal

pytest.importorskip("selectolax")

SHIPS = (
    '<table class="ships"><thead><tr><th>Name</th><th> IMO\n number</th></tr></thead>'
    "<tbody><tr><td> Aurora </td><td><b>1</b></td></tr><tr><td>Boreas</td></tr></tbody></table>"
)
ROWS: JsonValue = [{"Name": "Aurora", "IMO number": "1"}, {"Name": "Boreas", "IMO number": ""}]


def tables(document: str | bytes, selector: str | None = None) -> JsonValue:
    value = read("html", document, selector)
    assert isinstance(value, dict)
    assert list(value) == ["tables"]
    return value["tables"]


def test_a_table_is_a_list_of_objects_by_its_header() -> None:
    assert tables(f"<!doctype html><html><body><p>x</p>{SHIPS}</body></html>") == [ROWS]


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("<tr><th>a</th></tr><tr><td>1</td></tr>", [{"a": "1"}]),
        ("<tr><th>a<th>b<tr><td>1<td>2<td>3", [{"a": "1", "b": "2"}]),
        ("<tr><th>a</th><th></th></tr><tr><td>1</td><td>2</td></tr>", [{"a": "1"}]),
        ("<tr><th>a</th><th>a</th></tr><tr><td>1</td><td>2</td></tr>", [{"a": "2"}]),
        ("<tr><th>a</th></tr><tr><th>sum</th></tr><tr><td>1</td></tr>", [{"a": "1"}]),
        (
            "<thead><tr><th>a</th></tr></thead><tfoot><tr><td>9</td></tr></tfoot>"
            "<tbody><tr><td>1</td></tr></tbody>",
            [{"a": "1"}],
        ),
        ("<thead><tr><td>x</td></tr></thead><tbody><tr><td>1</td></tr></tbody>", None),
        ("<tr><th>a</th></tr>", []),
        ("<tr><td>1</td></tr><tr><th>a</th></tr>", None),
        ("<tr><th> </th></tr><tr><td>1</td></tr>", None),
        ("", None),
        (
            "<tr><th>a</th></tr><tr><td>x<br>y&nbsp;&lt;<script>z</script></td></tr>",
            [{"a": "xy <z"}],
        ),
    ],
)
def test_the_first_row_is_the_header_and_rows_with_headers_are_no_data(
    table: str, rows: JsonValue
) -> None:
    assert tables(f"<table>{table}</table>") == ([] if rows is None else [rows])


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        (None, 3),
        ("table.ships", 1),
        ("table", 3),
        ("#main", 2),
        ("div", 2),
        ("#main, table.ships", 3),
        (".nothing", 0),
        ("td", 0),
    ],
)
def test_a_selector_means_tables_or_what_is_around_them(selector: str | None, found: int) -> None:
    small = "<table><tr><th>a</th></tr></table>"
    page = f'{SHIPS}<div id="main"><div>{small}</div>{small}</div>'
    answer = tables(page, selector)
    assert isinstance(answer, list)
    assert len(answer) == found


def test_a_table_inside_a_cell_is_a_table_of_its_own() -> None:
    inner = "<table><tr><th>b</th></tr><tr><td>2</td></tr></table>"
    outer = f"<table><tr><th>a</th></tr><tr><td>x <i>y</i> {inner} z</td></tr></table>"
    assert tables(outer) == [[{"a": "x y z"}], [{"b": "2"}]]


def test_formatting_does_not_matter() -> None:
    page = "<table><tr><th><b>a<th><i>b</table><b><table><tr><th>c<tr><td><font color=x>1"
    assert tables(page) == [[], [{"c": "1"}]]


@pytest.mark.parametrize("selector", ["table[", "::", "a >", ""])
def test_a_selector_that_cannot_be_read_is_refused_at_load(selector: str) -> None:
    assert refusal("html", "", selector) == f'"{selector}" is not a CSS selector'


def test_what_holds_no_table_has_none() -> None:
    for document in ("", "text", "<p>x", "{}", b"\x00"):
        assert tables(document) == []


def test_the_charset_of_the_media_type_counts() -> None:
    page = SHIPS.replace("Boreas", "Tromsø").encode("latin-1")
    value = read("html", page, None, "iso-8859-1")
    assert isinstance(value, dict)
    assert "Tromsø" in str(value)
    assert "byte" in refusal("html", page)


@pytest.mark.parametrize(
    "opening",
    [
        "<div>",
        "<table><tr><th>a</th></tr><tr><td>x",
        "<b><div></b>",
        "<div><object></div></object>",
        "<div><p></span>",
        "<ul><li>",
        "<table><caption><div></table>",
    ],
)
def test_deep_nesting_is_refused_however_it_is_made(opening: str) -> None:
    assert refusal("html", opening * 100_000).startswith("it is ")


def test_formatting_that_is_never_closed_costs_nothing() -> None:
    page = "".join(f"<font a={n}>" for n in range(5000)) + "<p>x" * 200_000
    assert tables(page) == []


def test_tags_inside_tags_cannot_bring_formatting_back() -> None:
    assert refusal("html", "<<b>b>x") == "it holds tags inside of tags"


def test_nested_tables_cost_no_more_than_they_hold() -> None:
    page = "<table><tr><th>a</th></tr><tr><td>x" * 400 + "y" * 1_000_000
    answer = tables(page)
    assert isinstance(answer, list)
    assert len(answer) == 400
    assert sum(len(str(table)) for table in answer) < 1_100_000


def test_a_wide_header_over_many_short_rows_is_refused() -> None:
    page = "<table><tr>" + "<th>a</th>" * 50_000 + "</tr>" + "<tr></tr>" * 100_000
    assert refusal("html", page) == "its tables have more than 2,000,000 cells"


def test_a_page_of_more_than_four_mebibytes_is_refused() -> None:
    assert refusal("html", b" " * (4 * 2**20 + 1)).startswith("it is larger than 4096 KiB")
