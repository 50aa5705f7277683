"""What loading says of sequences of steps, and what their callers have to give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sequences import call, lookup, mapping, operation, sequence, text_input

READ, LIST = operation("read"), operation("list")


def refusals(*steps: dict[str, Any], mappings: list[dict[str, str]] | None = None) -> list[str]:
    """The errors of a file with these steps over `read` and `list`."""
    file = sequence([READ, LIST], steps, mappings=mappings or [])
    assert file.file.plan is not None
    served = file.file.plan.mcp[0].tools
    assert bool(served) is not bool(file.errors)
    return [f"{p.rule}: {p.message} - {p.remedy}" for p in file.errors if "tools" in p.path]


def test_a_sound_sequence_has_no_problems() -> None:
    steps = [call("read"), call("list"), lookup("found", "list", "id", "$.read.id")]
    file = sequence(
        [READ, LIST], steps, mappings=[mapping("a.b", "$.found"), mapping("a.c", "$.read")]
    )
    assert file.problems == ()


@pytest.mark.parametrize(
    "path", ["$.raed.id", "$['raed'].id", '$["raed"]', "$.raed", "$.raed[0]", "$.raed..x"]
)
def test_a_mapping_of_a_step_that_is_not_there_is_refused(path: str) -> None:
    assert refusals(call("read"), mappings=[mapping("id", path)]) == [
        'unknown-reference: "raed" names no step - did you mean "read"?'
    ]


@pytest.mark.parametrize("path", ["$", "$..id", "$.*.id", "$[*]", "$['read','list'].id"])
def test_a_mapping_may_read_all_steps(path: str) -> None:
    assert refusals(call("read"), call("list"), mappings=[mapping("id", path)]) == []


def test_a_lookup_needs_earlier_steps() -> None:
    steps = [call("read"), lookup("found", "list", "id", "$.list.id"), call("list")]
    assert refusals(*steps) == [
        'unknown-reference: "list" names no earlier step - known: read',
        'unknown-reference: "list" names no earlier step - known: read',
    ]


def test_a_path_that_cannot_be_read_is_refused_where_it_stands() -> None:
    (problem,) = refusals(call("read"), mappings=[mapping("id", "$.read[")])
    assert problem.startswith("jsonpath-syntax: ")
    (problem,) = refusals(call("read"), call("list"), lookup("x", "list", "id", "$.read["))
    assert problem.startswith("jsonpath-syntax: ")


def test_two_steps_of_one_name_are_refused() -> None:
    (problem,) = refusals(call("read"), call("read", "list"))
    assert problem.startswith('duplicate-step: "read" is also the step at line ')


def test_a_step_cannot_read_one_that_runs_later() -> None:
    assert refusals(call("read", body="{{list.id}}"), call("list")) == [
        'step-order: the step "list" has not run when "read" does - move it before this one'
    ]
    assert refusals(call("read", body="{{read.id}}")) == [
        'step-order: the step "read" has not run when "read" does - move it before this one'
    ]


def test_an_input_may_be_called_like_a_step() -> None:
    file = sequence(
        [operation("read", "/read/{x}")],
        [call("read", x="{{read}}")],
        inputs=[text_input("read")],
    )
    assert file.errors == []


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("a", "a.b"), ("a.b.c", "a.b")])
def test_two_mappings_to_one_place_are_refused(one: str, other: str) -> None:
    mappings = [mapping(one, "$.read.x"), mapping(other, "$.read.y")]
    (problem,) = refusals(call("read"), mappings=mappings)
    assert problem.startswith(f'mapping-conflict: "{other}" and "{one}" at line ')
    assert problem.endswith("write to one place - give each mapping a target of its own")


def test_a_call_of_an_operation_that_is_not_there_is_refused() -> None:
    (problem,) = refusals(call("read", "raed"))
    assert problem == 'unknown-reference: "up.raed" names no operation - did you mean "up.read"?'


# --- inputs -------------------------------------------------------------------------------

STATUS = {"name": "status", "in": "query"}


def test_without_declared_inputs_callers_give_what_the_steps_need() -> None:
    file = sequence(
        [operation("read", "/read/{id}", inputParameters=[STATUS])], [call("read", id="{{key}}")]
    )
    assert [plan.name for plan in file.tool.inputs] == ["key", "status"]


def test_with_declared_inputs_callers_give_no_others() -> None:
    file = sequence(
        [operation("read", "/read/{id}", inputParameters=[STATUS]), LIST],
        [call("read", id="{{key}}"), call("list")],
        inputs=[text_input("key")],
    )
    assert [plan.name for plan in file.tool.inputs] == ["key"]


def test_a_declared_input_fills_the_parameters_of_its_name_in_all_steps() -> None:
    file = sequence(
        [operation(name, inputParameters=[STATUS]) for name in ("read", "list")],
        [call("read"), call("list")],
        inputs=[text_input("status", required=False)],
    )
    assert [plan.name for plan in file.tool.inputs] == ["status"]


def test_a_path_variable_that_nothing_fills_is_asked_of_the_caller() -> None:
    file = sequence([operation("read", "/read/{id}")], [call("read")], inputs=[text_input("other")])
    assert file.input("id").required


def test_the_output_schema_says_what_mappings_and_outputs_make() -> None:
    outputs: list[dict[str, Any]] = [
        {"name": "imo", "type": "string"},
        {"name": "crew", "type": "array", "items": [{"name": "role", "type": "string"}]},
    ]
    file = sequence([READ], [call("read")], mappings=[mapping("imo", "$.read.i")], outputs=outputs)
    role = {"type": ["string", "null"]}
    assert file.tool.output.schema == {
        "type": "object",
        "properties": {
            "imo": {"type": ["string", "null"]},
            "crew": {
                "type": ["array", "null"],
                "items": {"type": ["object", "null"], "properties": {"role": role}},
            },
        },
    }
