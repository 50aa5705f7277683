"""The exact upstream request that a capability file and a caller's values make together."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import (
    BASE,
    LoadedCall,
    header,
    in_body,
    one_call,
    parameter,
    query,
)


def both(call: LoadedCall, values: dict[str, JsonValue]) -> UpstreamRequest:
    """The request of the tool and of the route, which have to be the same."""
    assert call.problems == ()
    rest = call.rest_request({name: _as_text(value) for name, value in values.items()})
    assert call.tool_request(values) == rest
    return rest


def _as_text(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def failure_of(call: LoadedCall, values: dict[str, JsonValue]) -> CallFailed:
    with pytest.raises(CallFailed) as raised:
        call.tool_request(values)
    return raised.value


# --- URL ----------------------------------------------------------------------------------


def test_a_request_without_anything_is_the_bare_url() -> None:
    assert both(one_call(path="/things"), {}) == UpstreamRequest(
        "up", "up.run", "GET", f"{BASE}/things", [], None, ()
    )


@pytest.mark.parametrize(
    ("base_uri", "path", "url"),
    [
        ("https://api.example.com", "/x", "https://api.example.com/x"),
        ("https://api.example.com/", "/x", "https://api.example.com/x"),
        ("https://api.example.com/v1/", "/x", "https://api.example.com/v1/x"),
        ("https://api.example.com/v1", "x", "https://api.example.com/v1/x"),
        ("https://api.example.com/v1", "/x/", "https://api.example.com/v1/x/"),
        ("https://api.example.com", "/", "https://api.example.com/"),
        ("http://localhost:5000/v1/api", "/x", "http://localhost:5000/v1/api/x"),
        ("https://API.example.com", "/X", "https://api.example.com/X"),
        ("https://[::1]:8443", "/x", "https://[::1]:8443/x"),
        ("https://api.example.com", "/a b/ü", "https://api.example.com/a%20b/%C3%BC"),
        ("https://api.example.com", "/a%20b", "https://api.example.com/a%20b"),
        ("https://api.example.com", "/x:run", "https://api.example.com/x:run"),
        ("https://api.example.com", "/x?fixed=1", "https://api.example.com/x?fixed=1"),
    ],
)
def test_base_and_path_join_with_one_slash(base_uri: str, path: str, url: str) -> None:
    assert both(one_call(base_uri=base_uri, path=path), {}).url == url


@pytest.mark.parametrize("path", ["/orders/{id}", "/orders/{{id}}", "/orders/{{ id }}"])
def test_both_spellings_of_a_path_variable_are_filled(path: str) -> None:
    assert both(one_call(path=path), {"id": "7"}).url == f"{BASE}/orders/7"


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("../../admin", "..%2F..%2Fadmin"),
        ("%2e%2e", "%252e%252e"),
        ("a?b=c#d", "a%3Fb%3Dc%23d"),
        ("a\\b", "a%5Cb"),
        ("\x00", "%00"),
        ("a b+c", "a%20b%2Bc"),
        ("user@host:80", "user%40host%3A80"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("{id}", "%7Bid%7D"),
        ("{{TOKEN}}", "%7B%7BTOKEN%7D%7D"),
        ("a~b-c_d.e", "a~b-c_d.e"),
        ("...", "..."),
    ],
)
def test_a1_a_path_value_stays_one_segment(value: str, segment: str) -> None:
    call = one_call(path="/orders/{id}/legs")
    assert both(call, {"id": value}).url == f"{BASE}/orders/{segment}/legs"


@pytest.mark.parametrize("value", ["", ".", "..", "..;", "..;a=b", ".;"])
def test_a1_a_path_value_that_would_change_the_path_is_refused(value: str) -> None:
    failed = failure_of(one_call(path="/orders/{id}"), {"id": value})
    assert failed.failure.kind is FailureKind.INVALID_INPUT
    assert failed.failure.field == "id"


def test_a1_values_side_by_side_cannot_make_a_dot_segment_together() -> None:
    call = one_call(path="/files/{name}{kind}/x")
    assert both(call, {"name": "a", "kind": "."}).url == f"{BASE}/files/a./x"
    for name, kind in (("%2e", "%2e"), ("a/..", "/.."), ("\\", "..")):
        segments = both(call, {"name": name, "kind": kind}).url.removeprefix(BASE).split("/")
        assert len(segments) == 4
        assert segments[2] not in (".", "..")


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (Decimal("1.50"), "1.50"), (True, "true")])
def test_numbers_and_booleans_in_a_path_are_written_as_json_writes_them(
    value: JsonValue, text: str
) -> None:
    assert (
        one_call(path="/x/{{id}}", tool_with={"id": "tools.id"})
        .tool_request({"id": str(value) if not isinstance(value, bool) else "true"})
        .url.endswith(f"/x/{text}")
    )


def test_a_list_in_a_path_joins_with_commas() -> None:
    call = one_call(
        path="/x/{ids}", tool_with={"ids": "tools.ids"}, tool_inputs=[_input("ids", "array")]
    )
    assert call.tool_request({"ids": ["a,b", "c/d", 5]}).url == f"{BASE}/x/a%2Cb%2Cc%2Fd%2C5"


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"]])
def test_half_a_surrogate_pair_in_a_path_or_query_is_refused(value: JsonValue) -> None:
    inputs = [_input("x", "array" if isinstance(value, list) else "string")]
    for call in (
        one_call(path="/a/{x}", tool_inputs=inputs),
        one_call(parameters=[query("x")], tool_inputs=inputs),
        one_call(parameters=[header("x")], tool_inputs=inputs),
    ):
        failed = failure_of(call, {"x": value})
        assert failed.failure.kind is FailureKind.INVALID_INPUT
        assert failed.failure.field == "x"


def test_an_object_fits_no_path() -> None:
    call = one_call(path="/a/{x}", tool_inputs=[_input("x", "object")])
    assert failure_of(call, {"x": {"a": 1}}).failure.field == "x"


def _input(name: str, type_: str, **keys: object) -> dict[str, object]:
    return {"name": name, "type": type_, "description": f"The {name}.", **keys}


# --- query --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("string", "a b&c=d;e+f%g/h?i#j", "x=a%20b%26c%3Dd%3Be%2Bf%25g%2Fh%3Fi%23j"),
        ("string", "", "x="),
        ("string", "ünïcode", "x=%C3%BCn%C3%AFcode"),
        ("integer", 5, "x=5"),
        ("integer", -12345678901234567890123, "x=-12345678901234567890123"),
        ("number", Decimal("1.10"), "x=1.10"),
        ("boolean", True, "x=true"),
        ("boolean", False, "x=false"),
        ("array", ["a", "b c", "a"], "x=a&x=b%20c&x=a"),
        ("array", [], ""),
    ],
)
def test_query_values_are_written_by_their_type(type_: str, value: JsonValue, text: str) -> None:
    call = one_call(parameters=[query("x", type=type_)])
    assert both(call, {"x": value}).url == f"{BASE}/things" + (f"?{text}" if text else "")


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("$select", "$select"),
        ("page[limit]", "page[limit]"),
        ("@id", "@id"),
        ("filter.name", "filter.name"),
        ("a b", "a%20b"),
        ("a&b=c", "a%26b%3Dc"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("x-y_z", "x-y_z"),
    ],
)
def test_names_that_are_no_identifiers_work(name: str, encoded: str) -> None:
    assert both(one_call(parameters=[query(name)]), {name: "1"}).url == f"{BASE}/things?{encoded}=1"


def test_an_absent_query_value_is_left_out_and_a_null_too() -> None:
    call = one_call(parameters=[query("a", type="string"), query("b", type="string")])
    assert both(call, {"b": "1"}).url == f"{BASE}/things?b=1"
    assert call.tool_request({"a": None, "b": "1"}).url == f"{BASE}/things?b=1"


def test_constants_of_the_path_come_before_parameters() -> None:
    call = one_call(path="/things?fixed=a b", parameters=[query("x")])
    assert both(call, {"x": "1"}).url == f"{BASE}/things?fixed=a%20b&x=1"


def test_placeholders_in_the_query_of_a_path_are_filled_and_encoded() -> None:
    call = one_call(path="/search?q={{text}}&fixed=1&from={{start}}-x")
    assert both(call, {"text": "a&b=c#d", "start": "5"}).url == (
        f"{BASE}/search?q=a%26b%3Dc%23d&fixed=1&from=5-x"
    )


def test_a_parameter_that_a_path_placeholder_and_a_query_share_goes_to_both() -> None:
    call = one_call(path="/x/{id}", parameters=[query("id")])
    assert both(call, {"id": "7"}).url == f"{BASE}/x/7?id=7"


# --- which name fills what ----------------------------------------------------------------


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
        tool_inputs=[_input("order", "object")],
    )
    order: JsonValue = {"id": 7, "legs": [{"name": "A"}]}
    assert call.tool_request({"order": order}).url == f"{BASE}/x/7?leg=A"


def test_a_declared_object_is_reached_into_behind_a_prefix_as_well() -> None:
    call = one_call(
        parameters=[query("leg")],
        tool_inputs=[_input("order", "object")],
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


# --- headers and cookies ------------------------------------------------------------------


def test_headers_come_from_constants_and_callers() -> None:
    call = one_call(
        adapter_parameters=[header("X-Api-Version", value="2024-01")],
        parameters=[header("X-Trace", type="string"), header("Accept", value="text/csv")],
    )
    assert both(call, {"X-Trace": "abc"}).headers == [
        ("X-Api-Version", "2024-01"),
        ("X-Trace", "abc"),
        ("Accept", "text/csv"),
    ]
    assert both(call, {}).headers == [("X-Api-Version", "2024-01"), ("Accept", "text/csv")]


@pytest.mark.parametrize(
    "value",
    ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", "\x7f", "ü", " a", "a ", "\ta", "a\u2028b"],
)
def test_a3_header_values_that_are_no_plain_text_are_refused(value: str) -> None:
    call = one_call(parameters=[header("X-Trace")])
    failed = failure_of(call, {"X-Trace": value})
    assert failed.failure.kind is FailureKind.INVALID_INPUT
    assert failed.failure.field == "X-Trace"


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection"])
def test_e7_a_parameter_never_frames_the_message(name: str) -> None:
    assert one_call(parameters=[header(name)]).tool_request({name: "x"}).headers == []


def test_a_header_name_that_is_no_token_is_a_problem_of_the_file() -> None:
    call = one_call(parameters=[header("X Trace:")])
    assert any('"X Trace:" is no name of a header' in message for message in call.messages)


def test_cookies_join_to_one_header() -> None:
    call = one_call(parameters=[parameter("cookie", "a"), parameter("cookie", "b", value="2")])
    assert call.tool_request({"a": "1"}).headers == [("Cookie", "a=1; b=2")]
    assert call.tool_request({}).headers == [("Cookie", "b=2")]


@pytest.mark.parametrize("value", ["1; admin=1", "1,2", 'a"b', "a b", "a\\b", "a\r\nb"])
def test_a6_a_cookies_value_cannot_end_the_cookie(value: str) -> None:
    failed = failure_of(one_call(parameters=[parameter("cookie", "a")]), {"a": value})
    assert failed.failure.kind is FailureKind.INVALID_INPUT


# --- credentials and variables ------------------------------------------------------------

BINDS = [{"namespace": "vault", "keys": {"TOKEN": "SOURCE_TOKEN"}}]
SECRET = "canary-5d1e9a"


@pytest.mark.parametrize("spelling", ["{{TOKEN}}", "{{env.TOKEN}}", "{{vault.TOKEN}}"])
@pytest.mark.parametrize("source", ["SOURCE_TOKEN", "TOKEN"])
def test_a_bind_fills_credentials_in_each_of_its_spellings(spelling: str, source: str) -> None:
    call = one_call(
        authentication={"type": "bearer", "token": spelling},
        binds=BINDS,
        variables={source: SECRET},
    )
    request = both(call, {})
    assert request.headers == [("Authorization", f"Bearer {SECRET}")]
    assert request.secrets == (SECRET,)


@pytest.mark.parametrize("spelling", ["{{TOKEN}}", "{{env.TOKEN}}", "{{vault.TOKEN}}"])
def test_a_call_that_needs_an_unset_variable_names_it_and_sends_nothing(spelling: str) -> None:
    call = one_call(authentication={"type": "bearer", "token": spelling}, binds=BINDS)
    assert any('"TOKEN" has no value' in message for message in call.messages)
    failure = failure_of(call, {}).failure
    assert failure.kind is FailureKind.UNSET_VARIABLE
    assert "TOKEN" in failure.detail
    assert not failure.executed


@pytest.mark.parametrize(
    "authentication",
    [
        {"type": "bearer", "token": "{{TOKEN}}"},
        {"type": "apikey", "key": "X-Key", "value": "{{TOKEN}}"},
        {"type": "apikey", "key": "key", "value": "{{TOKEN}}", "placement": "query"},
        {"type": "apikey", "key": "X-Key", "value": "Key {{TOKEN}}"},
        {"type": "basic", "username": "{{TOKEN}}", "password": "{{TOKEN}}"},
    ],
)
def test_a_variable_that_is_set_but_empty_leaves_the_credential_out(
    authentication: dict[str, str],
) -> None:
    call = one_call(authentication=authentication, binds=BINDS, variables={"SOURCE_TOKEN": ""})
    assert both(call, {}) == UpstreamRequest("up", "up.run", "GET", f"{BASE}/things", [], None, ())


@pytest.mark.parametrize(
    ("authentication", "headers", "url"),
    [
        (
            {"type": "basic", "username": "ada", "password": "{{TOKEN}}"},
            [("Authorization", "Basic YWRhOmNhbmFyeS01ZDFlOWE=")],
            f"{BASE}/things",
        ),
        (
            {"type": "apikey", "key": "X-Key", "value": "Key {{TOKEN}}"},
            [("X-Key", f"Key {SECRET}")],
            f"{BASE}/things",
        ),
        (
            {"type": "apikey", "key": "X-Key", "value": "{{TOKEN}}", "placement": "header"},
            [("X-Key", SECRET)],
            f"{BASE}/things",
        ),
        (
            {"type": "apikey", "key": "api key", "value": "{{TOKEN}}", "placement": "query"},
            [],
            f"{BASE}/things?api%20key={SECRET}",
        ),
    ],
)
def test_credentials_travel_as_their_type_says(
    authentication: dict[str, str], headers: list[tuple[str, str]], url: str
) -> None:
    call = one_call(authentication=authentication, binds=BINDS, variables={"TOKEN": SECRET})
    request = both(call, {})
    assert (request.headers, request.url) == (headers, url)
    assert any(SECRET in secret for secret in request.secrets)


@pytest.mark.parametrize(
    ("authentication", "where"),
    [
        ({"type": "bearer", "token": "{{TOKEN}}"}, header("authorization", type="string")),
        ({"type": "apikey", "key": "X-Key", "value": "{{TOKEN}}"}, header("x-key", type="string")),
        (
            {"type": "apikey", "key": "key", "value": "{{TOKEN}}", "placement": "query"},
            query("key", type="string"),
        ),
    ],
)
def test_e7_a_caller_cannot_replace_a_managed_credential(
    authentication: dict[str, str], where: dict[str, object]
) -> None:
    call = one_call(
        authentication=authentication,
        parameters=[where],
        binds=BINDS,
        variables={"TOKEN": SECRET},
    )
    request = call.tool_request({str(where["name"]): "stolen"})
    carried = [*request.headers, ("url", request.url)]
    assert not any("stolen" in value for _, value in carried)
    assert sum(SECRET in value for _, value in carried) == 1
    assert call.tool.inputs == ()


@pytest.mark.parametrize("key", ["X Key:", "Host", "Content-Length", "X-Kéy"])
def test_a_key_that_no_header_can_be_called_is_a_problem_of_the_file(key: str) -> None:
    call = one_call(authentication={"type": "apikey", "key": key, "value": "x"})
    assert any(f'"{key}" is no name of a header' in message for message in call.messages)


@pytest.mark.parametrize("value", ["two\nlines", "größe", "a\x00b"])
def test_a_variable_that_no_header_can_carry_is_not_blamed_on_the_caller(value: str) -> None:
    call = one_call(
        authentication={"type": "bearer", "token": "{{TOKEN}}"},
        binds=BINDS,
        variables={"TOKEN": value},
    )
    failure = failure_of(call, {}).failure
    assert (failure.kind, failure.field) == (FailureKind.UNSET_VARIABLE, "Authorization")
    assert value not in failure.detail


def test_a_declared_variable_is_never_taken_from_a_caller() -> None:
    call = one_call(
        path="/{{TOKEN}}/x",
        parameters=[header("X-Key", value="{{TOKEN}}"), query("q", value="a{{vault.TOKEN}}")],
        binds=BINDS,
        variables={"TOKEN": SECRET},
    )
    assert call.tool.inputs == ()
    request = call.tool_request({"TOKEN": "stolen"})
    assert request.url == f"{BASE}/{SECRET}/x?q=a{SECRET}"
    assert request.headers == [("X-Key", SECRET)]


def test_a_parameter_in_the_environment_is_a_variable_and_no_input() -> None:
    call = one_call(
        method="POST",
        parameters=[
            parameter("environment", "TENANT_KEY"),
            header("X-Tenant", value="{{TENANT_KEY}}"),
        ],
        body={"type": "json", "data": {"key": "{{TENANT_KEY}}"}},
        authentication={"type": "bearer", "token": "{{TENANT_KEY}}"},
        variables={"TENANT_KEY": SECRET},
    )
    assert call.tool.inputs == ()
    request = call.tool_request({"TENANT_KEY": "stolen"})
    assert ("X-Tenant", SECRET) in request.headers
    assert ("Authorization", f"Bearer {SECRET}") in request.headers
    assert request.content == f'{{"key":"{SECRET}"}}'.encode()
    unset = one_call(
        parameters=[parameter("environment", "TENANT_KEY"), query("k", value="{{TENANT_KEY}}")]
    )
    assert failure_of(unset, {}).failure.kind is FailureKind.UNSET_VARIABLE


def test_the_callers_own_authorization_is_sent_only_where_the_file_says_so() -> None:
    assert one_call().tool_request({"Authorization": "Bearer x"}).headers == []
    call = one_call(parameters=[header("Authorization", type="string")])
    assert call.tool_request({"Authorization": "Bearer x"}).headers == [
        ("Authorization", "Bearer x")
    ]


# --- baseUri ------------------------------------------------------------------------------


def test_a7_a_variable_may_hold_the_origin() -> None:
    binds = [{"namespace": "env", "keys": {"HOST": "HOST"}}]
    call = one_call(
        base_uri="https://{{HOST}}/v1", binds=binds, variables={"HOST": "a.example:8443"}
    )
    assert both(call, {}).url == "https://a.example:8443/v1/things"
    whole = one_call(
        base_uri="{{HOST}}", binds=binds, variables={"HOST": "http://localhost:5000/v1/api/"}
    )
    assert both(whole, {}).url == "http://localhost:5000/v1/api/things"


@pytest.mark.parametrize(
    "base_uri",
    ["https://{{host}}", "https://{{rest.host}}/v1", "{{host}}/v1", "https://{{tools.host}}:80"],
)
def test_a7_a_caller_never_gives_the_origin(base_uri: str) -> None:
    call = one_call(base_uri=base_uri)
    failure = failure_of(call, {"host": "evil.example", "rest.host": "evil.example"}).failure
    assert failure.kind is FailureKind.UNSET_VARIABLE
    assert "host" in failure.detail
    assert call.tool.inputs == ()


@pytest.mark.parametrize("value", ["@evil.example", "evil.example/..", "//evil.example", "a:80@b"])
def test_a7_a_callers_value_in_the_bases_path_stays_there(value: str) -> None:
    call = one_call(base_uri="https://api.example.com/{{tenant}}")
    url = call.tool_request({"tenant": value}).url
    assert url.startswith("https://api.example.com/")
    assert url.count("/") == 4


def test_base_uri_of_the_command_line_replaces_the_files() -> None:
    call = one_call(base_uris={"up": "http://127.0.0.1:9/x/"})
    assert both(call, {}).url == "http://127.0.0.1:9/x/things"


@pytest.mark.parametrize(
    "base_uri",
    [
        "ftp://api.example.com",
        "api.example.com",
        "https://user:pw@api.example.com",
        "https://api.example.com:99999",
        "https://api.example.com/v1?x=1",
        "https://api example.com",
    ],
)
def test_a_base_uri_that_no_request_fits_takes_its_calls_out_of_service(base_uri: str) -> None:
    call = one_call(base_uri=base_uri)
    assert call.problems != ()
    plan = call.file.plan
    assert plan is None or not any(adapter.tools for adapter in plan.mcp)


# --- body ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("data", [{"a": [1, Decimal("2.50"), None]}, [1], "text", {}])
def test_a_body_that_the_file_does_not_declare_is_forwarded(method: str, data: JsonValue) -> None:
    call = one_call(method=method)
    assert call.rest.accepts_body
    request = call.rest_request({}, data)
    assert request.method == method
    assert json.loads(request.content or b"", parse_float=Decimal) == data
    assert request.headers == [("Content-Type", "application/json")]
    assert call.tool_request({}, data) == request


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_without_a_body_a_post_goes_out_with_an_empty_one(method: str) -> None:
    request = both(one_call(method=method), {})
    assert request.content == b""
    assert request.headers == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_other_methods_forward_no_body(method: str) -> None:
    call = one_call(method=method)
    assert not call.rest.accepts_body
    assert call.rest_request({}, {"a": 1}).content is None


def test_the_fields_of_a_forwarded_body_fill_no_undeclared_inputs() -> None:
    call = one_call(method="POST", parameters=[query("dryRun", type="boolean")])
    places = {place for plan in call.rest.inputs for place in plan.places}
    assert "body" not in places


def test_one_body_parameter_is_the_whole_body() -> None:
    call = one_call(method="POST", parameters=[in_body("order", type="object", required=True)])
    data: JsonValue = {"qty": 1, "price": Decimal("10.10")}
    assert call.rest_request({}, data).content == b'{"qty":1,"price":10.10}'
    assert call.tool_request({"order": data}).content == b'{"qty":1,"price":10.10}'
    assert call.rest.body_required


@pytest.mark.parametrize("written", ["rest.body", "{{rest.body}}", "{{body}}"])
@pytest.mark.parametrize("declared", [[], [in_body("body", type="object")], [in_body("order")]])
def test_body_means_the_callers_whole_body(written: str, declared: list[dict[str, object]]) -> None:
    name = str(declared[0]["name"]) if declared else "body"
    call = one_call(method="POST", parameters=declared, rest_with={name: written})
    assert call.problems == ()
    assert call.rest_request({}, {"body": {"a": 1}}).content == b'{"body":{"a":1}}'


def test_several_body_parameters_are_the_members_of_an_object() -> None:
    call = one_call(
        method="POST",
        parameters=[in_body("side", type="string"), in_body("quantity", type="integer")],
    )
    assert both(call, {"side": "BUY", "quantity": 5}).content == b'{"side":"BUY","quantity":5}'
    assert both(call, {"side": "BUY"}).content == b'{"side":"BUY"}'
    assert both(call, {}).content == b""


@pytest.mark.parametrize("body", [{"type": "json"}, {"type": "json", "data": None}])
def test_a_json_body_without_data_is_the_callers(body: dict[str, object]) -> None:
    call = one_call(method="POST", body=body)
    assert call.problems == ()
    assert call.rest_request({}, {"a": 1}).content == b'{"a":1}'


def test_an_object_template_keeps_the_types_of_what_fills_it() -> None:
    data = {
        "text": "{{text}}",
        "number": "{{number}}",
        "flag": "{{flag}}",
        "list": ["{{number}}", "x-{{text}}", 3],
        "absent": "{{absent}}",
    }
    call = one_call(method="POST", body={"type": "json", "data": data})
    values: dict[str, JsonValue] = {"text": 'a"b\\{{number}}', "number": 5, "flag": True}
    assert json.loads(call.tool_request(values).content or b"") == {
        "text": 'a"b\\{{number}}',
        "number": 5,
        "flag": True,
        "list": [5, 'x-a"b\\{{number}}', 3],
        "absent": None,
    }


def test_a_json_text_template_escapes_by_place() -> None:
    body = '{"ids": {{ids}}, "name": "{{name}}", "note": "\\"{{name}}\\"", "none": {{none}}}'
    call = one_call(method="POST", body=body)
    request = call.tool_request({"ids": [1, 2], "name": 'a"b\n'})
    assert json.loads(request.content or b"") == {
        "ids": [1, 2],
        "name": 'a"b\n',
        "note": '"a"b\n"',
        "none": None,
    }
    assert request.headers == [("Content-Type", "application/json")]


@pytest.mark.parametrize("type_", ["form", "formUrlEncoded"])
def test_a_form_is_encoded_field_by_field(type_: str) -> None:
    data = {"a": "{{a}}", "b": "x {{b}}", "list": "{{list}}", "none": "{{none}}", "five": "5"}
    call = one_call(method="POST", body={"type": type_, "data": data})
    request = call.tool_request({"a": "1&2=3", "b": "ü+", "list": ["p", "q"]})
    assert request.content == b"a=1%262%3D3&b=x+%C3%BC%2B&list=p&list=q&five=5"
    assert request.headers == [("Content-Type", "application/x-www-form-urlencoded")]


def test_xml_values_are_text_in_elements_and_attributes() -> None:
    call = one_call(
        method="POST", body={"type": "xml", "data": '<o id="{{id}}"><n>{{name}}</n></o>'}
    )
    request = call.tool_request({"id": '1"<', "name": "<b>&</b>"})
    assert request.content == (b'<o id="1&quot;&lt;"><n>&lt;b&gt;&amp;&lt;/b&gt;</n></o>')
    assert request.headers == [("Content-Type", "application/xml")]


def test_a_content_type_of_the_file_stands() -> None:
    call = one_call(
        method="POST", parameters=[header("Content-Type", value="application/vnd.api+json")]
    )
    request = call.tool_request({}, {"a": 1})
    assert request.headers == [("Content-Type", "application/vnd.api+json")]


def test_a_declared_input_with_a_mapping_feeds_the_parameter_that_it_names() -> None:
    call = one_call(
        path="/users/{user_id}",
        tool_inputs=[_input("who", "string", mapping="user_id")],
    )
    assert call.tool_request({"who": "7"}).url == f"{BASE}/users/7"


def test_declared_inputs_of_a_tool_that_nothing_reads_make_the_forwarded_body() -> None:
    call = one_call(method="POST", tool_inputs=[_input("side", "string"), _input("qty", "integer")])
    assert call.tool_request({"side": "BUY", "qty": 2}).content == b'{"side":"BUY","qty":2}'


# --- one request in the two dialects ------------------------------------------------------

SPECIFICATION = """
naftiko: 1.0.0-alpha2
binds:
  - namespace: vault
    keys: {API_TOKEN: API_TOKEN}
capability:
  consumes:
    - type: http
      namespace: orders
      baseUri: https://api.example.com/v1
      authentication: {type: bearer, token: "{{API_TOKEN}}"}
      resources:
        - name: orders
          path: /account/{{accountId}}/orders
          operations:
            - name: place
              method: POST
              inputParameters:
                - {name: dryRun, in: query}
                - {name: X-Trace, in: header}
              body: {type: json, data: {order: "{{order}}"}}
  exposes:
    - type: rest
      namespace: orders-rest
      port: 8080
      resources:
        - path: /account/{accountId}/orders
          operations:
            - method: POST
              call: orders.place
              inputParameters:
                - {name: accountId, in: path, type: string, description: The account.}
                - {name: dry, in: query, type: boolean, description: Whether to try only.}
                - {name: X-Trace, in: header, type: string, description: A trace.}
                - {name: order, in: body, type: object, description: The order.}
              with: {accountId: orders-rest.accountId, dryRun: orders-rest.dry}
              outputParameters: [{type: object, properties: {id: {type: string, mapping: $.id}}}]
    - type: mcp
      namespace: orders-mcp
      port: 9090
      tools:
        - name: place
          description: Places an order.
          call: orders.place
          inputParameters:
            - {name: accountId, type: string, description: The account.}
            - {name: dry, type: boolean, description: Whether to try only., required: false}
            - {name: X-Trace, type: string, description: A trace., required: false}
            - {name: order, type: object, description: The order.}
          with: {accountId: orders-mcp.accountId, dryRun: "{{dry}}"}
"""

PUBLISHED = """
naftiko: 1.0.0-alpha2
binds:
  - namespace: env
    keys: {API_TOKEN: API_TOKEN}
capability:
  consumes:
    - type: http
      namespace: orders
      baseUri: https://api.example.com/v1
      authentication: {type: bearer, token: "{{env.API_TOKEN}}"}
      resources:
        - name: orders
          path: /account/{account_id}/orders
          operations:
            - name: place
              method: POST
              inputParameters:
                - {name: account_id, in: path, type: string, required: true}
                - {name: dryRun, in: query, type: boolean}
                - {name: X-Trace, in: header, type: string}
              body: {type: json, data: {order: "{{tools.order}}"}}
  exposes:
    - type: rest
      namespace: orders-rest
      port: 8080
      resources:
        - path: /account/{account-id}/orders
          operations:
            - method: POST
              call: orders.place
              with: {account_id: rest.accountId, dryRun: rest.dry}
              outputParameters: [{type: object, mapping: $.}]
    - type: mcp
      namespace: orders-mcp
      port: 9090
      tools:
        - name: place
          description: Places an order.
          call: orders.place
          with: {account_id: tools.accountId, dryRun: tools.dry}
          outputParameters: [{type: object, mapping: $.}]
"""


@pytest.mark.parametrize(
    "values",
    [
        {"accountId": "U 1/2", "dry": True, "X-Trace": "t", "order": {"qty": 1}},
        {"accountId": "..%2f", "order": {"text": 'a"b', "price": Decimal("1.10")}},
        {"accountId": "ü", "dry": False, "order": {}},
    ],
)
def test_one_capability_in_both_dialects_sends_the_same_requests(
    values: dict[str, JsonValue],
) -> None:
    from tests.loaded_calls import Given, build, load_call

    requests = []
    for text in (SPECIFICATION, PUBLISHED):
        call = load_call(text, {"API_TOKEN": SECRET})
        assert call.problems == ()
        flat = {k: _as_text(v) if k != "order" else v for k, v in values.items()}
        requests.append(call.tool_request(values))
        requests.append(build(call.rest, Given(flat, {"order": values["order"]}, textual=True)))
    assert all(request == requests[0] for request in requests)
    assert requests[0].headers[-2:] == [
        ("Authorization", f"Bearer {SECRET}"),
        ("Content-Type", "application/json"),
    ]
