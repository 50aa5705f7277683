"""What callers may give: the inputs of an exposed operation or tool."""

from __future__ import annotations

import pytest

from naftiko_runtime.document.model import ParameterPlace
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.plan.operation import InputPlan, OperationPlan
from tests.loaded_calls import LoadedCall, header, in_body, in_path, one_call, parameter, query

PATH, QUERY = ParameterPlace.PATH, ParameterPlace.QUERY
HEADER, BODY = ParameterPlace.HEADER, ParameterPlace.BODY


def named(plan: OperationPlan, name: str) -> InputPlan:
    return next(each for each in plan.inputs if each.name == name)


def names(plan: OperationPlan) -> list[str]:
    return [each.name for each in plan.inputs]


def declared(name: str, type_: str = "string", **keys: object) -> dict[str, object]:
    return {"name": name, "type": type_, "description": f"The {name}.", **keys}


def test_inputs_are_the_declared_ones_in_order_and_then_the_implied_ones() -> None:
    call = one_call(
        path="/a/{account}",
        parameters=[query("limit"), header("X-Trace")],
        tool_inputs=[declared("zeta"), declared("limit", "integer")],
    )
    assert names(call.tool) == ["zeta", "limit", "account", "X-Trace"]


def test_an_implied_input_has_what_the_consumed_parameter_says_of_it() -> None:
    call = one_call(
        parameters=[
            query("side", type="string", description="BUY or SELL.", required=True, enum=["B", "S"])
        ]
    )
    plan = named(call.tool, "side")
    assert plan.schema == {"type": "string", "enum": ["B", "S"]}
    assert plan.description == "BUY or SELL."
    assert plan.required


def test_an_input_that_with_names_is_known_by_the_callers_name_not_the_upstreams() -> None:
    call = one_call(
        parameters=[query("acctId", type="string", description="The account.", required=True)],
        tool_with={"acctId": "tools.account"},
    )
    assert names(call.tool) == ["account"]
    assert named(call.tool, "account").description == "The account."
    assert named(call.tool, "account").required


def test_references_in_several_spellings_are_one_input() -> None:
    call = one_call(
        path="/a/{account_id}",
        parameters=[query("ACCOUNTID")],
        method="POST",
        body={"type": "json", "data": "{{account-id}}"},
    )
    assert len(call.tool.inputs) == 1


def test_a_declared_input_is_found_whatever_its_spelling() -> None:
    call = one_call(path="/a/{account_id}", tool_inputs=[declared("accountId", "integer")])
    assert names(call.tool) == ["accountId"]


def test_constants_and_variables_are_no_inputs() -> None:
    call = one_call(
        parameters=[query("a", value="1"), query("b"), header("c", value="{{env.C}}")],
        tool_with={"b": 5},
    )
    assert names(call.tool) == []


def test_a_declared_input_that_nothing_reads_is_still_one_but_is_not_required() -> None:
    call = one_call(tool_inputs=[declared("unused")])
    assert names(call.tool) == ["unused"]
    assert not named(call.tool, "unused").required


@pytest.mark.parametrize(
    ("path", "parameters", "tool_with"),
    [
        ("/a/{x}", [], {}),
        ("/a/{{x}}", [], {}),
        ("/a/{x}", [in_path("x", type="string")], {}),
        ("/a/{y}", [], {"y": "tools.x"}),
        ("/a/{y}", [in_path("y", type="string")], {"y": "{{x}}"}),
        ("/a", [query("x", required=True)], {}),
        ("/a", [query("y", required=True)], {"y": "tools.x"}),
    ],
)
def test_what_the_call_cannot_do_without_is_required(
    path: str, parameters: list[dict[str, object]], tool_with: dict[str, object]
) -> None:
    call = one_call(path=path, parameters=parameters, tool_with=tool_with, rest_with=tool_with)
    assert named(call.tool, "x").required
    assert named(call.rest, "x").required


@pytest.mark.parametrize(
    "consumed", [query("x", type="string"), query("x", type="string", required=False), query("x")]
)
def test_what_the_call_can_do_without_is_not_required(consumed: dict[str, object]) -> None:
    call = one_call(parameters=[consumed])
    assert not named(call.tool, "x").required
    assert not named(call.rest, "x").required


def test_a_tools_own_word_on_what_is_required_counts() -> None:
    call = one_call(
        parameters=[query("a"), query("b"), query("c", type="string", required=True)],
        tool_inputs=[
            declared("a"),
            declared("b", required=False),
            declared("c", required=False),
        ],
    )
    assert named(call.tool, "a").required  # McpToolInputParameter: required unless it says no
    assert not named(call.tool, "b").required
    assert not named(call.tool, "c").required


def test_an_input_with_a_default_is_not_required_and_has_it() -> None:
    call = one_call(parameters=[query("size", type="integer", required=True, default=20)])
    plan = named(call.tool, "size")
    assert not plan.required
    assert plan.default == 20
    assert "default" not in plan.schema


def test_a_missing_input_is_named_with_its_description() -> None:
    call = one_call(
        parameters=[query("conids", type="string", required=True, description="Contract ids.")]
    )
    with pytest.raises(CallFailed) as raised:
        call.tool_request({})
    failure = raised.value.failure
    assert (failure.kind, failure.field) == (FailureKind.INVALID_INPUT, "conids")
    assert failure.detail == '"conids" is required: Contract ids.'


def places(call: LoadedCall, name: str) -> tuple[ParameterPlace, ...]:
    return named(call.rest, name).places


def test_tools_have_no_places() -> None:
    assert named(one_call(parameters=[query("x")]).tool, "x").places == ()


@pytest.mark.parametrize(
    ("consumed", "expected"),
    [
        (query("x"), (QUERY, HEADER)),
        (header("x"), (HEADER, QUERY)),
        (parameter("cookie", "x"), (ParameterPlace.COOKIE, QUERY)),
    ],
)
def test_an_implied_input_of_a_get_is_looked_for_in_its_own_place_first(
    consumed: dict[str, object], expected: tuple[ParameterPlace, ...]
) -> None:
    assert places(one_call(parameters=[consumed]), "x") == expected


def test_implied_inputs_may_be_fields_of_the_body_where_it_is_not_passed_on() -> None:
    call = one_call(method="POST", body={"type": "json", "data": {"a": "{{a}}"}})
    assert BODY in places(call, "a")
    assert BODY not in places(one_call(method="POST", parameters=[query("a")]), "a")


@pytest.mark.parametrize(
    ("route", "variable"),
    [
        ("/r/{accountId}", "accountId"),
        ("/r/{accountid}", "accountid"),
        ("/r/{account-id}", "account-id"),
        ("/r/{ACCOUNT_ID}", "ACCOUNT_ID"),
        ("/r/{other}", None),
        ("/r", None),
    ],
)
def test_a_path_variable_comes_from_the_route_and_else_from_the_query(
    route: str, variable: str | None
) -> None:
    call = one_call(path="/x/{accountId}", route=route)
    plan = named(call.rest, "accountId")
    assert plan.route_variable == variable
    assert QUERY in plan.places


def test_a_route_variable_with_the_exact_name_wins_over_one_that_is_alike() -> None:
    call = one_call(path="/x/{id}/{I_D}", route="/r/{I_D}/{id}")
    assert named(call.rest, "id").route_variable == "id"
    assert named(call.rest, "I_D").route_variable == "I_D"


@pytest.mark.parametrize("place", ["query", "header", "cookie", "body"])
def test_a_declared_input_is_looked_for_where_it_is_declared_only(place: str) -> None:
    call = one_call(
        method="POST",
        parameters=[query("x")],
        route="/r/{x}",
        rest_inputs=[declared("x", **{"in": place})],
    )
    plan = named(call.rest, "x")
    assert plan.places == (ParameterPlace(place),)
    assert plan.route_variable is None


@pytest.mark.parametrize("name", ["host", "from", "Authorization", "user-agent", "X-Forwarded-For"])
def test_e7_headers_that_every_client_sends_fill_no_query_by_chance(name: str) -> None:
    assert HEADER not in places(one_call(parameters=[query(name)]), name)


def test_a_constant_input_takes_nothing_from_the_caller() -> None:
    call = one_call(
        parameters=[query("x")],
        rest_inputs=[declared("x", **{"in": "query", "value": "fixed"})],
    )
    plan = named(call.rest, "x")
    assert (plan.default, plan.places, plan.route_variable) == ("fixed", (), None)


def test_a_constant_input_has_its_declared_type() -> None:
    call = one_call(
        method="POST",
        body={"type": "json", "data": {"n": "{{n}}"}},
        rest_inputs=[declared("n", "integer", **{"in": "query", "value": "5"})],
    )
    assert call.rest_request({}).content == b'{"n":5}'


def test_a_body_input_may_have_a_path_into_the_body() -> None:
    call = one_call(
        method="POST",
        parameters=[query("x")],
        body={"type": "json", "data": {"x": "{{x}}"}},
        rest_inputs=[declared("x", **{"in": "body", "value": "$.order.legs[0].id"})],
    )
    body: JsonValue = {"order": {"legs": [{"id": "7"}]}}
    assert call.rest_request({}, body).content == b'{"x":"7"}'
    assert named(call.rest, "x").body_path is not None


def test_a_path_into_the_body_that_cannot_be_read_is_a_problem_of_the_file() -> None:
    call = one_call(
        method="POST",
        parameters=[query("x")],
        rest_inputs=[declared("x", **{"in": "body", "value": "$.order["})],
    )
    assert any("$.order[" in message for message in call.messages)


def test_inputs_whose_names_are_loosely_alike_are_found_exactly_only() -> None:
    call = one_call(parameters=[query("per-page"), query("perPage"), query("size")])
    assert [each.loose for each in call.tool.inputs] == ["", "", "size"]


def test_the_body_of_a_post_with_one_body_parameter_is_described_by_it() -> None:
    call = one_call(
        method="POST",
        parameters=[in_body("order", type="object", description="The order.", required=True)],
    )
    assert call.rest.accepts_body
    assert call.rest.body_required
    assert call.rest.body_schema == {"type": "object", "description": "The order."}
    plan = named(call.rest, "order")
    assert plan.whole_body
    assert plan.required


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_body_of_other_methods_is_never_required_over_rest(method: str) -> None:
    call = one_call(method=method, parameters=[in_body("order", type="object", required=True)])
    assert not call.rest.body_required


def test_a_null_stands_for_not_given_where_the_input_has_a_type() -> None:
    call = one_call(parameters=[query("x", type="string", required=True)], method="POST")
    with pytest.raises(CallFailed, match='"x" is required'):
        call.tool_request({"x": None})


def test_a_null_without_a_type_is_a_null() -> None:
    call = one_call(method="POST", body={"type": "json", "data": {"x": "{{x}}"}})
    assert call.tool_request({"x": None}).content == b'{"x":null}'
    assert named(call.tool, "x").default is MISSING
