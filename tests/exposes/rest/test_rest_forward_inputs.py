"""A forwarding resource's own inputs are checked, and its documentation shows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.exposes.rest.forwarding_files import forwarding, operation
from tests.recording_upstream import RecordingUpstream
from tests.served_files import served

DIGITS = {"name": "limit", "in": "query", "type": "integer"}
SHORT = {"name": "book", "in": "path", "pattern": "^[a-z]+$"}


@pytest.mark.parametrize(
    ("inputs", "path", "target", "field"),
    [
        ([DIGITS], "/proxy/x?limit=many", "/proxy/{path}", "limit"),
        ([SHORT], "/books/B7/pages", "/books/{book}/{path}", "book"),
        (
            [{"name": "path", "in": "path", "pattern": "^open/"}],
            "/proxy/shut/x",
            "/proxy/{path}",
            "path",
        ),
        (
            [{"name": "X-Day", "in": "header", "type": "number"}],
            "/proxy/x",
            "/proxy/{path}",
            "X-Day",
        ),
        ([{"name": "day", "in": "cookie", "type": "number"}], "/proxy/x", "/proxy/{path}", "day"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(
    upstream: RecordingUpstream, inputs: list[Any], path: str, target: str, field: str
) -> None:
    headers = {"X-Day": "noon", "Cookie": "day=noon"}
    with served(forwarding(upstream.url, path=target, inputs=inputs)) as files:
        assert files.errors == []
        back = files.call("POST", path, b"body", headers)
    assert (back.status, back.json()["field"]) == (400, field)
    assert upstream.requests == []


def test_inputs_that_fit_or_are_not_given_go_on_as_they_came(upstream: RecordingUpstream) -> None:
    inputs = [DIGITS, {"name": "path", "in": "path", "pattern": "^open"}]
    with served(forwarding(upstream.url, inputs=inputs)) as files:
        assert files.get("/proxy/open/a%2Fb?limit=07&other=%20").status == 200
        assert files.get("/proxy/open").status == 200
    targets = [request.target for request in upstream.requests]
    assert targets == ["/open/a%2Fb?limit=07&other=%20", "/open"]


def test_an_input_fills_in_what_the_upstream_wants(upstream: RecordingUpstream) -> None:
    text = forwarding(
        upstream.url,
        inputs=[{"name": "shop", "in": "header"}],
        parameters=[{"name": "X-Shop", "in": "header", "value": "no. {{shop}}"}],
    )
    with served(text) as files:
        assert files.errors == []
        files.get("/proxy/x", headers={"Shop": "17"})
    assert upstream.requests[0].header("X-Shop") == "no. 17"


@pytest.mark.parametrize("value", [{}, {"value": "$.a"}])
def test_an_input_in_the_body_is_refused_by_name_at_load(
    upstream: RecordingUpstream, value: dict[str, str]
) -> None:
    inputs = [{"name": "amount", "in": "body", **value}]
    with served(forwarding(upstream.url, inputs=inputs)) as files:
        (problem,) = files.errors
    assert '"amount" is in the body, which is passed on without being read' in problem.message


def test_the_document_describes_what_is_forwarded(upstream: RecordingUpstream) -> None:
    text = forwarding(
        upstream.url,
        path="/shops/{shop}/{path}",
        trusted=["X-Trace", "Authorization"],
        inputs=[DIGITS],
        described={"label": "Books", "description": "Whatever <the shop> has."},
        resources=[operation("/shops/{id}/{of}", "PATCH"), operation("/ping")],
        asked={"type": "bearer", "token": "let-me-in"},
    )
    with served(text) as files:
        assert files.errors == []
        document = files.get("/openapi.json", {"Authorization": "Bearer let-me-in"}).json()
        page = files.get("/docs", {"Authorization": "Bearer let-me-in"}).body.decode()
        assert files.get("/openapi.json").status == 401
    item = document["paths"]["/shops/{id}/{of}"]
    assert list(item) == ["patch", "get", "put", "post", "delete"]
    assert item["patch"]["operationId"] == "ping"
    assert item["put"]["summary"] == "Books"
    assert item["put"]["description"] == "Whatever <the shop> has."
    assert item["put"]["security"] == [{"bearer": []}]
    assert item["put"]["requestBody"] == {"content": {"*/*": {}}}
    assert "requestBody" not in item["get"]
    assert [(p["name"], p["in"], p["required"]) for p in item["get"]["parameters"]] == [
        ("id", "path", True),
        ("of", "path", True),
        ("limit", "query", False),
        ("x-trace", "header", False),
    ]
    assert "/shops/{id}/{of}" in page
    assert "Whatever &lt;the shop&gt; has." in page
    assert "2 operations · 1 forwarded path" in page
    validator = pytest.importorskip(
        "openapi_spec_validator", reason="openapi-spec-validator is not installed"
    )
    validator.validate(document)


def test_a_port_that_only_forwards_is_described(upstream: RecordingUpstream) -> None:
    with served(forwarding(upstream.url, path="/")) as files:
        document = files.get("/openapi.json").json()
    assert document["info"]["title"] == "Forwarding"
    assert document["tags"] == [{"name": "api"}]
    assert list(document["paths"]) == ["/{path}"]
    get = document["paths"]["/{path}"]["get"]
    assert get["description"] == "All requests below / go on to up as they come."


def test_strangers_learn_nothing_of_what_is_forwarded_for_others(
    upstream: RecordingUpstream,
) -> None:
    login = {"type": "bearer", "token": "let-me-in"}
    with served(forwarding(upstream.url, asked=login), open_file(upstream.url)) as files:
        seen = files.get("/openapi.json").json()
        known = files.get("/openapi.json", {"Authorization": "Bearer let-me-in"}).json()
    assert list(seen["paths"]) == ["/open/{path}"]
    assert list(known["paths"]) == ["/proxy/{path}", "/open/{path}"]


def open_file(url: str) -> str:
    text = forwarding(url, path="/open/{path}")
    return text.replace("namespace: api", "namespace: open").replace(
        "label: Forwarding", "label: Open"
    )
