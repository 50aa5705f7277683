"""The syntax of templates: what is a placeholder and what is text."""

from __future__ import annotations

import pytest

from naftiko_runtime.document.model import InputReference, Reference, Template
from naftiko_runtime.document.templates import TemplateSyntaxError, parse_template


def parts_of(text: str, *, single_braces: bool = False) -> list[str]:
    """The parts of a template, a placeholder as `<name>`."""
    single = InputReference if single_braces else None
    template = parse_template(text, InputReference, resolve_single=single)
    return [part if isinstance(part, str) else f"<{_name(part)}>" for part in template.parts]


def _name(reference: Reference) -> str:
    assert isinstance(reference, InputReference)
    return reference.name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("plain", ["plain"]),
        ("{{a}}", ["<a>"]),
        ("{{ a }}", ["<a>"]),
        ("{{{a}}}", ["<a>"]),
        ("{{&a}}", ["<a>"]),
        ("{{& a}}", ["<a>"]),
        ("{{a}}{{b}}", ["<a>", "<b>"]),
        ("x{{a}}y{{b}}z", ["x", "<a>", "y", "<b>", "z"]),
        ("{{a.b.c}}", ["<a.b.c>"]),
        ("{{a-b_c*}}", ["<a-b_c*>"]),
        ("{{@id}}", ["<@id>"]),
        ("{{page[limit]}}", ["<page[limit]>"]),
        ("{{$this.rest.a}}", ["<$this.rest.a>"]),
        ("a{{! a comment }}b", ["ab"]),
        ("{{! only a comment }}", [""]),
        ("{{a", ["{{a"]),
        ("a}}", ["a}}"]),
        ("{a}", ["{a}"]),
        ('{"a": {{b}}}', ['{"a": ', "<b>", "}"]),
        ('{"a":{"b":{{c}}}}', ['{"a":{"b":', "<c>", "}}"]),
        ("über {{größe}} €", ["über ", "<größe>", " €"]),
    ],
)
def test_placeholders_are_told_from_text(text: str, parts: list[str]) -> None:
    assert parts_of(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/a/{b}/c", ["/a/", "<b>", "/c"]),
        ("/a/{{b}}/c", ["/a/", "<b>", "/c"]),
        ("/a/{ b }", ["/a/", "<b>"]),
        ("/{a}{b}", ["/", "<a>", "<b>"]),
        ("/{a}.{b}", ["/", "<a>", ".", "<b>"]),
        ("/a/{b", ["/a/{b"]),
    ],
)
def test_a_path_knows_single_braces_too(text: str, parts: list[str]) -> None:
    assert parts_of(text, single_braces=True) == parts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{}}", "names nothing"),
        ("{{ }}", "names nothing"),
        ("{{&}}", "names nothing"),
        ("{{#a}}x{{/a}}", "not a variable"),
        ("{{^a}}", "not a variable"),
        ("{{>partial}}", "not a variable"),
        ("{{=<% %>=}}", "not a variable"),
        ("{{$x}}", "not a variable"),
    ],
)
def test_what_is_no_variable_is_refused_and_quoted(text: str, said: str) -> None:
    with pytest.raises(TemplateSyntaxError, match=said) as raised:
        parts_of(text)
    assert '"{{' in str(raised.value)


def test_a_template_of_one_placeholder_is_whole_and_others_are_not() -> None:
    def whole(text: str) -> Reference | None:
        return parse_template(text, InputReference).whole

    assert whole("{{a}}") == InputReference("a")
    assert whole("{{a}} ") is None
    assert whole("{{a}}{{b}}") is None
    assert whole("a") is None


def test_a_template_without_placeholders_is_literal() -> None:
    assert parse_template("a}b", InputReference).literal == "a}b"
    assert parse_template("a{{! c }}", InputReference).literal == "a"
    assert parse_template("{{a}}", InputReference).literal is None
    assert Template(("a", "b"), "").literal == "ab"
