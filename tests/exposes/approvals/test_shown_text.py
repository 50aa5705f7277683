"""Whoever writes the arguments of a call cannot make the page say something else."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.exposes.approvals.shown_text import (
    SHORT,
    as_text,
    block,
    line,
    value_block,
    visible,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.origin import Origin
from tests.exposes.approvals.desk import Desk, a_call, a_page

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    "</pre></article><form action=//evil.example><button>Approve</button></form>"
    "&lt;b&gt; javascript:alert(1) {{7*7}} <!-- "
)


class Tags(HTMLParser):
    """The elements of a document, with the text between them."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.text = ""
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_a_text_becomes_no_element_but_our_own_marks(text: str) -> None:
    assert set(Tags(visible(text)).tags) <= {("span", (("class", "odd"),))}


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]) | st.just("\n")))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert Tags(visible(text)).text == text


@given(st.text())
def test_nothing_invisible_is_left(text: str) -> None:
    for character in Tags(visible(text)).text:
        category = unicodedata.category(character)
        assert character in " \n" or not category.startswith(("C", "Z"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("BUY\u202e LLES", "BUYU+202E LLES"),
        ("a\u200bb", "aU+200Bb"),
        ("a\u2066b\u2069", "aU+2066bU+2069"),
        ("a\x00\x1b[31m", "aU+0000U+001B[31m"),
        ("a\rb", "aU+000Db"),
        ("a\u00a0b", "aU+00A0b"),
        ("\ufeffa", "U+FEFFa"),
        ("a\u3164b", "aU+3164b"),
        ("a\ud800b", "aU+D800b"),
        ("a\U000e0041", "aU+E0041"),
        ("Zürich 東京 שלום", "Zürich 東京 שלום"),
        ("z" + "\u0301" * 4, "z\u0301\u0301U+0301U+0301"),
    ],
)
def test_what_deceives_the_eye_is_shown_by_its_number(text: str, shown: str) -> None:
    assert Tags(visible(text)).text == shown


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=3000))
def test_a_long_text_is_cut_and_can_be_seen_whole(text: str) -> None:
    document = block(text)
    shown = Tags(document).text
    assert text[:SHORT] in shown
    if len(text) > SHORT:
        assert f"Show the {len(text) - SHORT} characters that follow" in shown
        assert text[SHORT:] in shown


@given(st.text(max_size=2000), st.integers())
def test_no_long_member_hides_another_one(long: str, quantity: int) -> None:
    """A model may write as much as it likes into one argument."""
    value: JsonValue = {"symbol": long * 3, long[:300] * 9: 1, "quantity": quantity}
    shown = Tags(value_block(value).partition("<details")[0]).text
    assert f'"quantity": {quantity}' in shown


def test_names_that_begin_alike_are_all_shown() -> None:
    value: JsonValue = {"n" * 200 + str(number): number for number in range(5)}
    shown = Tags(value_block(value).partition("<details")[0]).text
    for number in range(5):
        assert f": {number}" in shown


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.text()))
def test_all_of_a_value_can_be_unfolded(value: JsonValue) -> None:
    whole = Tags(visible(as_text(value))).text
    if not isinstance(value, str):
        assert whole in Tags(value_block(value)).text


def test_the_whole_is_open_where_it_has_to_be_seen() -> None:
    long: JsonValue = {"symbol": "W" * 3000}
    assert "<details>" in value_block(long)
    assert "<details open>" in value_block(long, whole=True)
    assert "<details open>" in value_block("W" * 3000, whole=True)


def test_a_text_in_a_line_says_how_much_is_missing() -> None:
    assert "… 5 more characters" in Tags(line("x" * 125)).text
    assert "⏎" in line("a\nb")


@pytest.mark.anyio
async def test_no_part_of_a_call_can_add_to_the_page() -> None:
    """Each part is hostile; the page has the elements that it has for a harmless call."""

    async def elements(text: str) -> list[object]:
        body: dict[str, object] = {text: [text, {"x": text}]}
        call = a_call(
            name=text,
            capability=text,
            operation=text,
            origin=Origin(text, text),
            request={"method": text, "url": text, "headers": {text: text}, "body": body},
            arguments={text: text},
            preview={text: text},
        )
        desk = Desk()
        await desk.park(call)
        found: list[object] = []
        async with a_page(desk) as page:
            await page.log_in()
            for path in ("/", "/approvals/a-1", "/approvals/a-1/approve"):
                document = re.sub(r'value="[0-9a-f]{64}"', "", (await page.get(path)).text)
                found += Tags(document).tags
                assert text in Tags(document).text
        return found

    harmless = "x" * len(HOSTILE)
    assert await elements(HOSTILE) == await elements(harmless)
