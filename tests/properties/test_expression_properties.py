"""Conditions against a plain reading of RFC 9535, and what is known of them beforehand."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from naftiko_runtime.plan.jsonpath import JsonPathSyntaxError, JsonValue, compile_expression
from tests.plan.jsonpath.plain_reading import holds
from tests.plan.jsonpath.queries import NAMES, Writer, conditions, documents, selectors

objects = st.dictionaries(st.sampled_from(NAMES), documents, max_size=4)


@st.composite
def written_conditions(draw: st.DrawFn) -> tuple[Any, str]:
    condition = draw(conditions(selectors))
    writer = Writer(draw)
    return condition, writer.blank() + writer.condition(condition) + writer.blank()


@given(written_conditions(), objects)
def test_a_condition_holds_as_in_a_plain_reading_of_the_rfc(
    written: tuple[Any, str], document: JsonValue
) -> None:
    condition, text = written
    assert compile_expression(text).holds(document) is holds(condition, document, document)


@given(written_conditions(), objects)
def test_what_a_condition_does_not_name_makes_no_difference_to_it(
    written: tuple[Any, str], document: dict[str, JsonValue]
) -> None:
    """Steps wait for those alone that their conditions name."""
    expression = compile_expression(written[1])
    if expression.names is not None:
        seen: JsonValue = {k: v for k, v in document.items() if k in expression.names}
        assert expression.holds(seen) is expression.holds(document)


@given(st.text(max_size=30) | st.text(alphabet="$@.[]()?*,'\"!&|=<>-01ab `lower", max_size=30))
@example("(" * 5_000)
@example("!" * 5_000)
@example("@" + "[?@" * 2_000)
def test_any_text_is_a_condition_or_a_syntax_error(text: str) -> None:
    offset = 0
    verdict: object = True
    try:
        verdict = compile_expression(text).holds({"a": [{"b": 1}], "b": "a"})
    except JsonPathSyntaxError as fault:
        offset = fault.offset

    assert 0 <= offset <= len(text)
    assert isinstance(verdict, bool)
