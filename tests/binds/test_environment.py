"""Variables from the environment and from dotenv files."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.binds.environment import lookup, parse_env_text, read_env_file
from naftiko_runtime.problems import Severity


def values_of(text: str) -> dict[str, str]:
    values, problems = parse_env_text(text, "settings.env")
    assert problems == []
    return values


def test_a_key_that_is_not_set_differs_from_one_that_is_empty() -> None:
    assert lookup(("SET", "EMPTY", "UNSET"), {"SET": "x", "EMPTY": ""}) == {
        "SET": "x",
        "EMPTY": "",
        "UNSET": None,
    }


def test_plain_lines_comments_blank_lines_and_exports_are_read() -> None:
    text = "# keys\n\nTOKEN=abc\n  export USER_NAME = ada \nLAST=1"
    assert values_of(text) == {"TOKEN": "abc", "USER_NAME": "ada", "LAST": "1"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=", ""),
        ("K=''", ""),
        ('K=""', ""),
        ("K=a=b==", "a=b=="),
        ("K=a#b", "a#b"),
        ("K=a # why", "a"),
        ("K= # nothing but a comment", ""),
        ("K='a # b' # why", "a # b"),
        ('K="a # b"', "a # b"),
        ("K=$HOME/${X}", "$HOME/${X}"),
        ("K='a\\nb'", "a\\nb"),
        ('K="a\\nb\\t\\"c\\""', 'a\nb\t"c"'),
        ("K='C:\\'", "C:\\"),
        ('K="C:\\\\"', "C:\\"),
        ('K="\\$5"', "$5"),
        ("K=it's", "it's"),
        ('K="it\'s"', "it's"),
        ("K='half", "'half"),
    ],
)
def test_values_are_read_as_a_dotenv_file_means_them(line: str, value: str) -> None:
    assert values_of(line) == {"K": value}


def test_a_later_line_of_the_same_key_wins() -> None:
    assert values_of("K=a\nK=b") == {"K": "b"}


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_a_value(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_bytes(b"\xef\xbb\xbfTOKEN=abc\r\nUSER=ada\r\n")
    assert read_env_file(file) == ({"TOKEN": "abc", "USER": "ada"}, [])


def test_a_line_that_is_no_assignment_is_named_and_the_others_are_read() -> None:
    values, problems = parse_env_text("A=1\nno assignment\nB=2", "settings.env")
    assert values == {"A": "1", "B": "2"}
    assert [(str(p.place), p.severity) for p in problems] == [
        ("settings.env:2:1", Severity.WARNING)
    ]


def test_a_file_that_is_not_there_is_a_problem_that_names_it(tmp_path: Path) -> None:
    values, problems = read_env_file(tmp_path / "none.env")
    assert values == {}
    assert "none.env" in problems[0].message
    assert "No such file" in problems[0].message


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_bytes(b"K=\xff\xfe\n")
    values, problems = read_env_file(file)
    assert values == {}
    assert "UTF-8" in problems[0].message


NAMES = st.text(string.ascii_letters, min_size=1, max_size=8)
ONE_LINE = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))


@given(NAMES, ONE_LINE.filter(lambda text: "'" not in text))
def test_text_in_single_quotes_is_kept_character_by_character(name: str, text: str) -> None:
    assert values_of(f"{name}='{text}'") == {name: text}


@given(NAMES, st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written_in_double_quotes(name: str, text: str) -> None:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}
    quoted = "".join(escapes.get(character, character) for character in text)
    assert values_of(f'{name}="{quoted}"') == {name: text}


@given(st.text())
def test_no_text_at_all_makes_the_reader_fail(text: str) -> None:
    values, problems = parse_env_text(text, "settings.env")
    assert all(isinstance(value, str) for value in values.values())
    assert all(problem.severity is Severity.WARNING for problem in problems)
