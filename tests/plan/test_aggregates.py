"""Aggregate functions, and the operations and tools that refer to them."""

from __future__ import annotations

from typing import Any

import pytest

from naftiko_runtime.document.model import Hints
from naftiko_runtime.problems import Severity
from tests.sequences import (
    LoadedSequence,
    Scripted,
    call,
    mapping,
    operation,
    sequence,
    text_input,
)

pytestmark = pytest.mark.anyio

GET = operation("get-ship", "/ships/{imo_number}")


def function(name: str = "ship", **keys: Any) -> dict[str, Any]:
    return {"name": name, "description": "Finds a ship.", **keys}


def aggregate(*functions: dict[str, Any], namespace: str = "fleet") -> dict[str, Any]:
    return {"label": "Fleet", "namespace": namespace, "functions": list(functions)}


def referring(
    *functions: dict[str, Any],
    ref: str = "fleet.ship",
    method: str = "GET",
    given: dict[str, Any] | None = None,
    **behaviour: Any,
) -> LoadedSequence:
    """A route and a tool that refer to a function."""
    inputs = behaviour.pop("inputs", ())
    return sequence(
        [GET, operation("list-ships"), operation("write", method="POST")],
        behaviour={"ref": ref, **behaviour, **(given or {})},
        aggregates=[aggregate(*functions)],
        inputs=inputs,
        method=method,
    )


CALL = function(inputParameters=[text_input("imo")], call="up.get-ship") | {
    "with": {"imo_number": "fleet.imo"}
}


# --- what is inherited --------------------------------------------------------------------


async def test_inputs_call_and_outputs_are_the_functions() -> None:
    outputs = [{"type": "object", "properties": {"n": {"type": "string", "mapping": "$.name"}}}]
    file = referring(CALL | {"outputParameters": outputs})
    assert file.problems == ()
    assert [plan.name for plan in file.tool.inputs] == ["imo"]
    assert file.input("imo").required
    upstreams = Scripted({"get-ship": {"name": "Aurora", "secret": 1}})
    assert await file.value({"imo": "7"}, upstreams) == {"n": "Aurora"}
    assert upstreams.urls == ["/ships/7"]


def test_name_and_description_are_the_functions_unless_given() -> None:
    file = sequence(
        [GET],
        aggregates=[aggregate(CALL)],
        behaviour={"ref": "fleet.ship", "name": None, "description": None},
    )
    assert file.file.plan is not None
    (tool,) = file.file.plan.mcp[0].tools
    (route,) = file.file.plan.rest[0].operations
    assert (tool.name, tool.description) == ("ship", "Finds a ship.")
    assert (route.name, route.description) == ("ship", "Finds a ship.")
    named = referring(CALL)
    assert named.file.plan is not None
    assert named.file.plan.mcp[0].tools[0].name == "run"
    assert named.file.plan.mcp[0].tools[0].description == "Runs it."


async def test_what_with_gives_is_no_longer_asked_of_the_caller() -> None:
    file = referring(CALL, given={"with": {"imo": "{{number}}"}})
    assert [(plan.name, plan.required) for plan in file.tool.inputs] == [("number", True)]
    assert file.input("number").description == "The imo."
    upstreams = Scripted()
    await file.value({"number": "7"}, upstreams)
    assert upstreams.urls == ["/ships/7"]


async def test_a_constant_in_with_leaves_nothing_to_ask_for() -> None:
    file = referring(CALL, given={"with": {"imo": "9"}})
    assert file.tool.inputs == ()
    upstreams = Scripted()
    await file.value({"imo": "7"}, upstreams)
    assert upstreams.urls == ["/ships/9"]


async def test_with_reaches_consumed_parameters_that_the_function_does_not_mention() -> None:
    plain = function(call="up.get-ship", inputParameters=[text_input("imo_number")])
    file = referring(plain, given={"with": {"imo_number": "{{key}}"}})
    assert [plan.name for plan in file.tool.inputs] == ["key"]
    upstreams = Scripted()
    await file.value({"key": "7"}, upstreams)
    assert upstreams.urls == ["/ships/7"]


async def test_inputs_of_the_part_replace_the_functions() -> None:
    file = referring(CALL, inputs=[text_input("imo", description="Another.")])
    assert [plan.description for plan in file.tool.inputs] == ["Another."]


async def test_outputs_of_the_part_replace_the_functions() -> None:
    outputs = [{"type": "object", "properties": {"n": {"type": "string", "mapping": "$.name"}}}]
    own = [{"type": "object", "properties": {"f": {"type": "string", "mapping": "$.flag"}}}]
    file = referring(CALL | {"outputParameters": outputs}, outputParameters=own)
    upstreams = Scripted({"get-ship": {"name": "Aurora", "flag": "NO"}})
    assert await file.value({"imo": "7"}, upstreams) == {"f": "NO"}


STEPS = function(
    inputParameters=[text_input("imo")],
    steps=[call("ship", "get-ship", imo_number="{{imo}}"), call("list-ships")],
    mappings=[mapping("name", "$.ship.name")],
    outputParameters=[{"name": "name", "type": "string"}],
)


async def test_steps_of_a_function_run_for_each_part_that_refers_to_it() -> None:
    file = referring(STEPS)
    upstreams = Scripted({"get-ship": {"name": "Aurora"}})
    assert await file.value({"imo": "7"}, upstreams) == {"name": "Aurora"}
    assert upstreams.urls == ["/ships/7", "/list-ships"]


async def test_mappings_of_the_part_replace_the_functions() -> None:
    own = [{"name": "flag", "type": "string"}]
    mappings = [mapping("flag", "$.ship.flag")]
    file = referring(STEPS, mappings=mappings, outputParameters=own)
    upstreams = Scripted({"get-ship": {"name": "Aurora", "flag": "NO"}})
    assert await file.value({"imo": "7"}, upstreams) == {"flag": "NO"}


async def test_two_parts_share_a_function_without_sharing_their_inputs() -> None:
    one = referring(CALL, given={"with": {"imo": "1"}})
    two = referring(CALL)
    assert (len(one.tool.inputs), len(two.tool.inputs)) == (0, 1)
    assert len(one.rest.inputs) == 0


def test_a_route_that_declares_no_inputs_takes_the_functions_from_path_or_query() -> None:
    file = referring(CALL)
    (plan,) = file.rest.inputs
    assert plan.name == "imo"
    assert "query" in plan.places
    assert plan.required


# --- semantics ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("semantics", "hints", "expected"),
    [
        ({"safe": True}, None, Hints(True, False, None, None)),
        ({"safe": False}, None, Hints(False, None, None, None)),
        ({"idempotent": True}, None, Hints(None, None, True, None)),
        ({"safe": True, "idempotent": False}, None, Hints(True, False, False, None)),
        ({"cacheable": True}, None, Hints()),
        (None, None, Hints()),
        ({"safe": True}, {"readOnly": False}, Hints(False, False, None, None)),
        ({"safe": True}, {"destructive": True, "openWorld": True}, Hints(True, True, None, True)),
    ],
)
def test_hints_of_tools_follow_the_functions_semantics_unless_given(
    semantics: dict[str, bool] | None, hints: dict[str, bool] | None, expected: Hints
) -> None:
    given = CALL if semantics is None else CALL | {"semantics": semantics}
    file = referring(given, hints=hints)
    assert file.file.plan is not None
    assert file.file.plan.mcp[0].tools[0].hints == expected


@pytest.mark.parametrize(
    ("method", "semantics", "complaint"),
    [
        ("GET", {"safe": False}, "GET promises that nothing is changed"),
        ("POST", {"safe": True}, "POST tells callers that something is changed"),
        ("DELETE", {"safe": True}, "DELETE tells callers that something is changed"),
        ("PUT", {"idempotent": False}, "PUT promises that it can be repeated"),
        ("DELETE", {"idempotent": False}, "DELETE promises that it can be repeated"),
        ("GET", {"idempotent": False}, "GET promises that it can be repeated"),
    ],
)
def test_a_method_that_contradicts_the_semantics_is_warned_of(
    method: str, semantics: dict[str, bool], complaint: str
) -> None:
    (problem,) = referring(CALL | {"semantics": semantics}, method=method).problems
    assert (problem.rule, problem.severity) == ("semantics", Severity.WARNING)
    assert problem.message.startswith(complaint)
    assert '"fleet.ship"' in problem.message


@pytest.mark.parametrize(
    ("method", "semantics"),
    [
        ("GET", {"safe": True, "idempotent": True, "cacheable": True}),
        ("GET", {}),
        ("POST", {"safe": False, "idempotent": False}),
        ("POST", {"idempotent": True}),
        ("PUT", {"safe": False, "idempotent": True}),
        ("PATCH", {"safe": False, "idempotent": False}),
    ],
)
def test_a_method_that_fits_the_semantics_is_no_problem(
    method: str, semantics: dict[str, bool]
) -> None:
    assert referring(CALL | {"semantics": semantics}, method=method).problems == ()


# --- what cannot be -----------------------------------------------------------------------


def test_a_function_that_is_not_there_is_refused() -> None:
    file = referring(CALL, ref="fleet.shp")
    assert {p.message for p in file.errors} == {'"fleet.shp" names no function'}
    assert {p.remedy for p in file.errors} == {'did you mean "fleet.ship"?'}


def test_a_function_that_cannot_be_run_is_named_with_its_place() -> None:
    broken = CALL | {"call": "up.get-shp"}
    file = referring(broken)
    line = next(p.place.line for p in file.errors if "aggregates" in p.path)
    refused = [p for p in file.errors if "exposes" in p.path]
    assert len(refused) == 2
    assert all(p.message.startswith('"fleet.ship" is out of service: see line ') for p in refused)
    assert line > 0


def test_two_functions_of_one_name_are_reported() -> None:
    file = referring(CALL, CALL)
    assert [p.rule for p in file.errors] == ["duplicate-namespace"]


def test_two_aggregates_of_one_namespace_may_have_different_functions() -> None:
    file = sequence(
        [GET],
        behaviour={"ref": "fleet.other"},
        aggregates=[aggregate(CALL), aggregate(CALL | {"name": "other"})],
    )
    assert file.problems == ()


def test_a_broken_path_in_a_function_takes_those_out_that_refer_to_it() -> None:
    file = referring(STEPS | {"mappings": [mapping("name", "$.ship[")]})
    assert {p.rule for p in file.errors} == {"jsonpath-syntax"}
    assert file.file.plan is not None
    assert file.file.plan.mcp[0].tools == ()
