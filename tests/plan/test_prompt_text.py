"""Texts of prompts: placeholders are replaced once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.plan.prompt_text import read_prompt_text


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{a}}", "1"),
        ("{{ a }} {{\ta\n}}", "1 1"),
        ("{{my-name}} {{my_name}} {{MyName}}", "2 2 2"),
        ("{{two words}}", "3"),
        ("{{unknown}} {{}} {{ }}", "{{unknown}} {{}} {{ }}"),
        ("{a} {{a} {a}}", "{a} {{a} {a}}"),
        ("{{{a}}}", "{1}"),
        ("{{a}}{{a}}", "11"),
        ("", ""),
    ],
)
def test_placeholders_are_replaced_and_nothing_else(text: str, filled: str) -> None:
    assert read_prompt_text(text).fill({"a": "1", "my-name": "2", "two words": "3"}) == filled


@given(
    st.lists(st.sampled_from(["{{a}}", "{{b}}", "{{", "}}", "x", "{", "}", " "]), max_size=12),
    st.text("{}ab ", max_size=12),
    st.text("{}ab ", max_size=12),
)
def test_values_are_never_read_again(pieces: list[str], a: str, b: str) -> None:
    """Filled with private marks and then with values: had a value been read, they would differ."""
    text = read_prompt_text("".join(pieces))
    marked = text.fill({"a": "\ue000", "b": "\ue001"})
    expected = "".join({"\ue000": a, "\ue001": b}.get(letter, letter) for letter in marked)
    assert text.fill({"a": a, "b": b}) == expected


@given(st.text())
def test_any_text_can_be_read_and_stays_as_it_is_without_values(text: str) -> None:
    assert read_prompt_text(text).fill({}) == text
