"""docs/cli.md says what the parsers of the commands take."""

from __future__ import annotations

import argparse
import re
from importlib import import_module

import pytest

from naftiko_runtime.cli import COMMANDS
from tests.docs.markdown import DOCS, ROOT, Section, read_sections, table_rows

SECTIONS = {section.title: section for section in read_sections(DOCS / "cli.md")}


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"naftiko_runtime.cli.{command}").add_arguments(parser)
    return parser


def arguments_of(command: str) -> dict[str, argparse.Action]:
    """Each argument as the page writes it: `--port DECLARED=ACTUAL`, `--format {text,json}`."""
    found = {}
    for action in parser_of(command)._actions:
        metavar = str(action.metavar or "")
        if action.choices is not None:
            metavar = "{" + ",".join(map(str, action.choices)) + "}"
        names = [option for option in action.option_strings if option.startswith("--")]
        if not names:
            found[metavar] = action
        elif action.nargs == 0:
            found["`, `".join(names)] = action
        else:
            found[f"{names[0]} {metavar}"] = action
    return found


def rows_of(section: Section) -> dict[str, tuple[str, str]]:
    return {row[0].strip("`"): (row[1], row[2]) for row in table_rows(section.prose)}


@pytest.mark.parametrize("command", COMMANDS)
def test_page_lists_the_arguments_of_a_command(command: str) -> None:
    assert list(rows_of(SECTIONS[command])) == list(arguments_of(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_page_gives_the_defaults_that_the_help_gives(command: str) -> None:
    rows = rows_of(SECTIONS[command])
    for name, action in arguments_of(command).items():
        default = re.search(r"\(default: (.+?)\)$", action.help or "")
        shown = rows[name][0].replace("`", "")
        if default is None:
            assert not shown, name
        elif default[1] == "yes":
            assert shown == action.option_strings[0]
        else:
            assert shown == default[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_page_says_what_can_be_repeated(command: str) -> None:
    rows = rows_of(SECTIONS[command])
    for name, action in arguments_of(command).items():
        repeatable = isinstance(action, argparse._AppendAction)
        assert rows[name][1].endswith("repeatable") == repeatable, name


def test_page_has_a_section_for_each_command() -> None:
    sections = [title for title, section in SECTIONS.items() if section.level == 2]
    assert sections == [*COMMANDS, "Environment variables"]


def test_page_lists_the_environment_variables_that_the_code_reads() -> None:
    names = re.compile(r'"((?:NAFTIKO|OTEL|SSL|VAULT)_[A-Z_]+|NO_COLOR)"')
    read = {
        name
        for path in (ROOT / "naftiko_runtime").rglob("*.py")
        for name in names.findall(path.read_text(encoding="utf-8"))
    }
    rows = table_rows(SECTIONS["Environment variables"].prose)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert read <= listed


@pytest.mark.parametrize("command", ["serve", "validate"])
def test_examples_on_the_page_are_taken_by_the_parsers(command: str) -> None:
    lines = [line for fence in SECTIONS[command].fences for line in fence.text.splitlines()]
    assert lines
    for line in lines:
        words = line.partition("#")[0].split()
        assert words[:2] == ["naftiko", command]
        parser_of(command).parse_args(words[2:])
