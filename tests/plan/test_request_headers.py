"""Headers, cookies and credentials of upstream requests."""

from __future__ import annotations

import pytest

from naftiko_runtime.failures import FailureKind
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import (
    BASE,
    header,
    one_call,
    parameter,
    query,
)
from tests.plan.calls import BINDS, SECRET, both, failure_of


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


def test_a_parameter_in_the_environment_is_a_variable_and_nodeclared() -> None:
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
