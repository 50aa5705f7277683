"""Templates: what is read from a file, and what values can do to them."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.document.dialects import CALLER_NAMESPACES, NameScope, read_template
from naftiko_runtime.document.model import InputReference, Template
from naftiko_runtime.document.templates import TemplateSyntaxError, parse_template
from naftiko_runtime.json_values import JsonValue
from tests.loaded_calls import one_call
from tests.properties.texts import HOSTILE, JSON

NAMES = st.from_regex(r"[A-Za-z@$_][A-Za-z0-9_\-\[\]]{0,8}", fullmatch=True).filter(
    lambda name: name[0] != "$"
)
LITERALS = HOSTILE.filter(lambda text: "{" not in text and "}" not in text)
SCOPE = NameScope(callers=CALLER_NAMESPACES)


@given(st.lists(st.tuples(LITERALS, NAMES, st.sampled_from(["{{%s}}", "{{ %s }}", "{{{%s}}}"]))))
def test_a_template_is_read_back_as_it_was_written(pieces: list[tuple[str, str, str]]) -> None:
    text = "".join(literal + (form % name) for literal, name, form in pieces)
    template = parse_template(text, InputReference)
    expected: list[object] = []
    for literal, name, _ in pieces:
        expected += [literal] if literal else []
        expected.append(InputReference(name))
    assert list(template.parts) == (expected or [""])
    assert template.source == text


def read_or_reason(text: str) -> Template | str:
    try:
        return read_template(text, SCOPE)
    except TemplateSyntaxError as error:
        return str(error)


@given(HOSTILE)
def test_any_text_is_a_template_or_refused_with_a_reason(text: str) -> None:
    template = read_or_reason(text)
    if isinstance(template, str):
        assert '"' in template
    elif template.literal is not None and "{{!" not in text:
        assert template.literal == text


@given(LITERALS)
def test_text_without_braces_is_literal(text: str) -> None:
    assert read_template(text, SCOPE).literal == text


FILLED = one_call(
    method="POST",
    body={
        "type": "json",
        "data": {"whole": "{{a}}", "text": "<{{a}}|{{b}}>", "list": ["{{b}}", {"in": "{{a}}"}]},
    },
    tool_with={"a": "tools.a", "b": "{{tools.b}}"},
)


@given(HOSTILE, HOSTILE)
def test_a8_placeholders_in_values_are_never_filled_in(a: str, b: str) -> None:
    content = FILLED.tool_request({"a": a, "b": b, "x": "FILLED", "x}}": "FILLED"}).content
    assert json.loads(content or b"") == {
        "whole": a,
        "text": f"<{a}|{b}>",
        "list": [b, {"in": a}],
    }


@given(JSON, JSON)
def test_a_whole_placeholder_keeps_its_values_type(a: JsonValue, b: JsonValue) -> None:
    document = json.loads(FILLED.tool_request({"a": a, "b": b}).content or b"", parse_float=Decimal)
    assert document["whole"] == a
    assert document["list"] == [b, {"in": a}]
