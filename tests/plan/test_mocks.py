"""Mocks: parts with neither `call`, `steps` nor `ref`, which answer from declared values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.json_values import JsonValue, MaybeJson
from tests.sequences import LoadedSequence, sequence, text_input

pytestmark = pytest.mark.anyio


def output(name: str, type_: str, value: object = None, **keys: Any) -> dict[str, Any]:
    given = {} if value is None else {"value": value}
    return {"name": name, "type": type_, **given, **keys}


async def answer(file: LoadedSequence, inputs: dict[str, JsonValue] | None = None) -> MaybeJson:
    outcome = await file.run(inputs)
    assert isinstance(outcome, Answer), outcome
    assert (outcome.status, outcome.content_type) == (200, "application/json")
    return outcome.value


@pytest.mark.parametrize(
    ("type_", "value", "given"),
    [
        ("string", "Northern Star", "Northern Star"),
        ("string", "12", "12"),
        ("string", "true", "true"),
        ("string", "", ""),
        ("number", "12", 12),
        ("number", "-1.50", Decimal("-1.50")),
        ("number", "51000.000000000000000000001", Decimal("51000.000000000000000000001")),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("number", 12, 12),
        ("string", 12, "12"),
        ("string", "$9.99", "$9.99"),
    ],
)
async def test_a_value_has_its_declared_type(type_: str, value: object, given: JsonValue) -> None:
    found = await answer(sequence([], outputs=[output("x", type_, value)]))
    assert found == {"x": given}
    assert isinstance(found, dict)
    assert type(found["x"]) is type(given)


async def test_values_are_filled_with_the_callers_input() -> None:
    file = sequence(
        [],
        outputs=[
            output("imo", "string", "{{imo}}"),
            output("text", "string", 'IMO {{imo}} ("{{other}}")'),
            output("count", "number", "{{count}}"),
            output("flags", "string", "{{flags}}"),
        ],
        inputs=[
            text_input("imo"),
            text_input("other", required=False),
            {"name": "count", "type": "integer", "description": "Count."},
            {"name": "flags", "type": "array", "description": "Flags."},
        ],
    )
    found = await answer(file, {"imo": "93 \"7'", "count": 3, "flags": ["a", "b"]})
    assert found == {
        "imo": "93 \"7'",
        "text": 'IMO 93 "7\' ("")',
        "count": 3,
        "flags": '["a","b"]',
    }


async def test_a_value_that_nothing_fills_is_null_and_keeps_its_place() -> None:
    file = sequence(
        [],
        outputs=[output("given", "string", "a"), output("open", "string", "{{x}}")],
        inputs=[text_input("x", required=False)],
    )
    assert await answer(file) == {"given": "a", "open": None}
    assert await answer(file, {"x": "b"}) == {"given": "a", "open": "b"}


async def test_inserted_text_is_not_filled_again() -> None:
    file = sequence([], outputs=[output("a", "string", "<{{x}}>")], inputs=[text_input("x")])
    assert await answer(file, {"x": "{{x}}"}) == {"a": "<{{x}}>"}


async def test_inputs_without_declaration_are_those_that_the_values_name() -> None:
    file = sequence([], outputs=[output("a", "string", "{{tools.who}} {{seq-mcp.where}}")])
    assert [plan.name for plan in file.tool.inputs] == ["who", "where"]
    assert await answer(file, {"who": "x", "where": "y"}) == {"a": "x y"}


async def test_objects_and_lists_nest() -> None:
    file = sequence(
        [],
        outputs=[
            output(
                "route",
                "object",
                properties={
                    "to": {"type": "string", "value": "Bergen"},
                    "stops": {"type": "array", "items": {"type": "number", "value": "2"}},
                    "empty": {"type": "object", "properties": {"x": {"type": "string"}}},
                },
            ),
            output("none", "string"),
        ],
    )
    assert await answer(file) == {"route": {"to": "Bergen", "stops": [2]}}


async def test_one_output_without_a_name_is_the_answer_itself() -> None:
    assert await answer(sequence([], outputs=[{"type": "number", "value": "5"}])) == 5


async def test_without_any_value_there_is_no_content() -> None:
    for outputs in ([output("x", "string")], [output("x", "object", properties={})]):
        outcome = await sequence([], outputs=outputs).run()
        assert isinstance(outcome, Answer)
        assert (outcome.status, outcome.body) == (204, b"")


async def test_a_function_can_be_a_mock() -> None:
    function = {
        "name": "hello",
        "description": "Greets.",
        "inputParameters": [text_input("name")],
        "outputParameters": [output("text", "string", "Hello {{name}}")],
    }
    aggregates = [{"label": "Greetings", "namespace": "greetings", "functions": [function]}]
    file = sequence([], behaviour={"ref": "greetings.hello"}, aggregates=aggregates)
    assert [plan.name for plan in file.tool.inputs] == ["name"]
    assert await answer(file, {"name": "Ada"}) == {"text": "Hello Ada"}


def test_the_schema_tells_names_and_types() -> None:
    file = sequence([], outputs=[output("a", "string", "x"), output("b", "number", "1")])
    assert file.tool.output.schema == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": ["number", "null"]},
        },
    }
