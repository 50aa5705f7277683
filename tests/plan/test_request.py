"""URLs and queries of upstream requests, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest

from naftiko_runtime.failures import FailureKind
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import (
    BASE,
    header,
    one_call,
    query,
)
from tests.plan.calls import both, declared, failure_of


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
        path="/x/{ids}", tool_with={"ids": "tools.ids"}, tool_inputs=[declared("ids", "array")]
    )
    assert call.tool_request({"ids": ["a,b", "c/d", 5]}).url == f"{BASE}/x/a%2Cb%2Cc%2Fd%2C5"


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"]])
def test_half_a_surrogate_pair_in_a_path_or_query_is_refused(value: JsonValue) -> None:
    inputs = [declared("x", "array" if isinstance(value, list) else "string")]
    for call in (
        one_call(path="/a/{x}", tool_inputs=inputs),
        one_call(parameters=[query("x")], tool_inputs=inputs),
        one_call(parameters=[header("x")], tool_inputs=inputs),
    ):
        failed = failure_of(call, {"x": value})
        assert failed.failure.kind is FailureKind.INVALID_INPUT
        assert failed.failure.field == "x"


def test_an_object_fits_no_path() -> None:
    call = one_call(path="/a/{x}", tool_inputs=[declared("x", "object")])
    assert failure_of(call, {"x": {"a": 1}}).failure.field == "x"


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
