"""Which value fills what in an upstream request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from naftiko_runtime.json_values import JsonValue
from tests.loaded_calls import (
    BASE,
    header,
    one_call,
    query,
)
from tests.plan.calls import both, declared, failure_of


def test_inputs_that_nobody_declared_are_implied() -> None:
    call = one_call(
        path="/iserver/marketdata/snapshot",
        parameters=[query("conids", type="string", required=True), query("fields", type="string")],
    )
    assert both(call, {"conids": "265598"}).url == (
        f"{BASE}/iserver/marketdata/snapshot?conids=265598"
    )
    failed = failure_of(call, {"fields": "31"})
    assert failed.failure.field == "conids"
    assert '"conids" is required' in failed.failure.detail


@pytest.mark.parametrize(
    "written",
    ["rest.accountId", "{{rest.accountId}}", "up-rest.accountId", "{{up-rest.accountId}}"],
)
@pytest.mark.parametrize("route", ["/a/{accountId}", "/a/{accountid}", "/a/{account-id}", "/a"])
def test_every_spelling_of_the_callers_input_reaches_the_path(written: str, route: str) -> None:
    call = one_call(
        path="/iserver/account/{accountId}/orders", route=route, rest_with={"accountId": written}
    )
    assert call.problems == ()
    assert call.rest_request({"accountId": "U1"}).url == f"{BASE}/iserver/account/U1/orders"
    variable = call.rest.inputs[0].route_variable
    assert variable == (route[4:-1] or None)


@pytest.mark.parametrize(
    "written", ["tools.x", "{{tools.x}}", "{{x}}", "up-mcp.x", "{{up-mcp.x}}", "rest.x"]
)
def test_a_tool_may_use_every_spelling_too(written: str) -> None:
    call = one_call(parameters=[query("y", type="string")], tool_with={"y": written})
    assert call.tool_request({"x": "1"}).url == f"{BASE}/things?y=1"


def test_text_around_a_reference_makes_text() -> None:
    call = one_call(parameters=[query("q")], tool_with={"q": "owner:{{tools.owner}} is:{{kind}}"})
    assert call.tool_request({"owner": "ada", "kind": "pr"}).url == (
        f"{BASE}/things?q=owner%3Aada%20is%3Apr"
    )


def test_a_constant_argument_cannot_be_changed_by_a_caller() -> None:
    call = one_call(parameters=[query("limit")], tool_with={"limit": 5}, rest_with={"limit": 5})
    assert call.tool_request({"limit": "500"}).url == f"{BASE}/things?limit=5"
    assert call.rest_request({"limit": "500"}).url == f"{BASE}/things?limit=5"
    assert call.tool.inputs == ()


def test_a_constant_of_the_consumed_parameter_wins_over_everything() -> None:
    call = one_call(parameters=[query("limit", value="5")], tool_with={"limit": "tools.limit"})
    assert call.tool_request({"limit": "500"}).url == f"{BASE}/things?limit=5"


def test_a_parameter_with_a_constant_can_be_referred_to_by_its_name() -> None:
    call = one_call(
        path="/{{version}}/things",
        method="POST",
        adapter_parameters=[query("version", value="v2"), header("X-Tenant", value="t-{{tenant}}")],
        body={"type": "json", "data": {"api": "{{version}}", "tenant": "{{X-Tenant}}"}},
    )
    request = call.tool_request({"tenant": "7", "version": "evil"})
    assert request.url == f"{BASE}/v2/things?version=v2"
    assert ("X-Tenant", "t-7") in request.headers
    assert json.loads(request.content or b"") == {"api": "v2", "tenant": "t-7"}


def test_an_argument_that_is_missing_makes_the_parameter_absent() -> None:
    call = one_call(
        parameters=[query("a", type="string"), query("b", type="string")],
        tool_with={"a": "tools.a", "b": "x{{tools.b}}"},
    )
    assert call.tool_request({}).url == f"{BASE}/things"


def test_names_match_exactly_before_they_match_loosely() -> None:
    call = one_call(
        path="/x/{{userId}}",
        parameters=[query("user_id"), query("USERID")],
        tool_with={"user_id": "tools.second", "userId": "tools.first", "USERID": "tools.third"},
    )
    values: dict[str, JsonValue] = {"first": "1", "second": "2", "third": "3"}
    assert call.tool_request(values).url == f"{BASE}/x/1?user_id=2&USERID=3"


def test_consumed_parameters_whose_names_are_loosely_alike_are_two_inputs() -> None:
    call = one_call(parameters=[query("per-page"), query("perPage")])
    assert (
        both(call, {"per-page": "1", "perPage": "2"}).url == f"{BASE}/things?per-page=1&perPage=2"
    )


def test_a_declared_object_is_reached_into() -> None:
    call = one_call(
        path="/x/{{order.id}}",
        parameters=[query("leg", value="{{order.legs.0.name}}")],
        tool_inputs=[declared("order", "object")],
    )
    order: JsonValue = {"id": 7, "legs": [{"name": "A"}]}
    assert call.tool_request({"order": order}).url == f"{BASE}/x/7?leg=A"


def test_a_declared_object_is_reached_into_behind_a_prefix_as_well() -> None:
    call = one_call(
        parameters=[query("leg")],
        tool_inputs=[declared("order", "object")],
        tool_with={"leg": "tools.order.legs.0.name"},
    )
    order: JsonValue = {"legs": [{"name": "A"}]}
    assert call.tool_request({"order": order}).url == f"{BASE}/things?leg=A"


@pytest.mark.parametrize("name", ["__proto__", "constructor", "__class__", "_meta", "values"])
def test_a11_names_of_inner_workings_are_plain_names(name: str) -> None:
    call = one_call(parameters=[query(name), query("x", value=f"{{{{order.{name}}}}}")])
    assert call.tool_request({name: "1"}).url == f"{BASE}/things?{name}=1"
    assert call.tool_request({name: "1", "order": {name: "2"}}).url.endswith(f"?{name}=1&x=2")


def test_a10_values_that_no_input_names_go_nowhere() -> None:
    call = one_call(method="POST", body={"type": "json", "data": {"a": "{{a}}"}})
    request = call.tool_request({"a": 1, "admin": True})
    assert request.content == b'{"a":1}'
    assert request.url == f"{BASE}/things"


@pytest.mark.parametrize(
    ("places", "value"),
    [
        ({"adapter_parameters"}, "1"),
        ({"adapter_parameters", "resource_parameters"}, "2"),
        ({"adapter_parameters", "resource_parameters", "parameters"}, "3"),
        ({"adapter_parameters", "parameters"}, "3"),
    ],
)
def test_the_most_specific_level_of_a_parameter_wins(places: set[str], value: str) -> None:
    numbers = {"adapter_parameters": "1", "resource_parameters": "2", "parameters": "3"}
    given: dict[str, Any] = {place: [query("x", value=numbers[place])] for place in places}
    assert both(one_call(**given), {}).url == f"{BASE}/things?x={value}"


def test_a_default_of_the_consumed_parameter_stands_in() -> None:
    call = one_call(parameters=[query("size", type="integer", default=20)])
    assert both(call, {}).url == f"{BASE}/things?size=20"
    assert both(call, {"size": 5}).url == f"{BASE}/things?size=5"


def test_a_dot_in_a_variable_of_a_consumed_path_is_part_of_its_name() -> None:
    call = one_call(
        path="/tasks/{id.project}/{id.name}",
        route="/tasks/{id.project}/{id.name}",
        parameters=[{"name": "id.project", "in": "path", "type": "string", "required": True}],
    )
    assert call.problems == ()
    assert both(call, {"id.project": "a", "id.name": "b"}).url.endswith("/tasks/a/b")
