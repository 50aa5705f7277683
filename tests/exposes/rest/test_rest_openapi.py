"""The OpenAPI document of a listener."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.document.model import ParameterType
from naftiko_runtime.exposes.rest.openapi import openapi_document
from naftiko_runtime.exposes.rest.table import build_rest_table
from naftiko_runtime.json_codec import decode_json, encode_json
from naftiko_runtime.json_values import JsonValue, MaybeJson
from naftiko_runtime.plan.load import load_file
from naftiko_runtime.plan.operation import RestAdapterPlan, RestOperationPlan
from tests.exposes.rest.listener import listening
from tests.exposes.rest.plans import (
    BODY,
    COOKIE,
    HEADER,
    QUERY,
    adapter,
    given,
    labelled,
    served,
)


def document_of(*parts: RestOperationPlan | RestAdapterPlan) -> dict[str, Any]:
    adapters = [part if isinstance(part, RestAdapterPlan) else adapter(part) for part in parts]
    document = openapi_document(build_rest_table(labelled(*adapters))[0])
    decoded = decode_json(encode_json(document))
    assert isinstance(decoded, dict)
    return decoded


def check(document: dict[str, Any]) -> None:
    """Comes last in a test: without the validator, the rest has been asserted by then."""
    validator = pytest.importorskip(
        "openapi_spec_validator", reason="openapi-spec-validator is not installed"
    )
    validator.validate(document)


def at(document: JsonValue) -> MaybeJson:
    return document


ORDERS = (
    served(
        "GET",
        "/v1/account/{{account-id}}/orders/{id}.json",
        given(
            "accountId",
            QUERY,
            variable="account-id",
            type_=ParameterType.STRING,
            required=True,
            description="The account.",
        ),
        given("limit", QUERY, type_=ParameterType.INTEGER, default=50),
        given("X-Trace", HEADER, QUERY, type_=ParameterType.STRING),
        given("session", COOKIE, required=True),
        given("mcp-only", type_=ParameterType.STRING),
        given("status", QUERY, BODY, schema={"type": "string", "enum": ["open", "filled"]}),
        name="list-orders",
        label="Orders",
        description="All orders of an account.",
        output={"type": "object", "properties": {"orders": {"type": "array"}}},
    ),
    served(
        "POST",
        "/v1/account/{acct}/orders/{order}.json",
        given("acct", variable="acct"),
        given("order", variable="order"),
        given("conid", QUERY, BODY, type_=ParameterType.INTEGER, required=True),
        given("side", BODY, type_=ParameterType.STRING, description="BUY or SELL."),
        given("inner", BODY, body_path=at),
        name="place-order",
        body=True,
        body_required=True,
    ),
)


def test_the_document_describes_each_operation() -> None:
    document = document_of(adapter(*ORDERS, description="Orders of an account."))
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Orders"
    assert document["tags"] == [{"name": "orders-rest", "description": "Orders of an account."}]
    (path,) = document["paths"]
    assert path == "/v1/account/{account-id}/orders/{id}.json"
    listing = document["paths"][path]["get"]
    assert listing["operationId"] == "list-orders"
    assert listing["summary"] == "Orders"
    assert listing["description"] == "All orders of an account."
    assert listing["tags"] == ["orders-rest"]
    assert "requestBody" not in listing
    assert listing["parameters"] == [
        {
            "name": "account-id",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "The account.",
        },
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "default": 50},
        },
        {"name": "X-Trace", "in": "header", "required": False, "schema": {"type": "string"}},
        {"name": "session", "in": "cookie", "required": True, "schema": {}},
        {
            "name": "status",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": ["open", "filled"]},
        },
    ]
    answer = listing["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"type": "object", "properties": {"orders": {"type": "array"}}}
    problem = document["components"]["responses"]["Problem"]
    assert listing["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    assert list(problem["content"]) == ["application/problem+json"]
    check(document)


def test_operations_of_one_path_share_the_names_of_its_variables() -> None:
    document = document_of(adapter(*ORDERS))
    placing = document["paths"]["/v1/account/{account-id}/orders/{id}.json"]["post"]
    assert [(p["name"], p["in"]) for p in placing["parameters"]] == [
        ("account-id", "path"),
        ("id", "path"),
    ]


def test_inputs_that_may_be_fields_of_the_body_are_described_there() -> None:
    document = document_of(ORDERS[1])
    (item,) = document["paths"].values()
    assert item["post"]["requestBody"] == {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "conid": {"type": "integer"},
                        "side": {"type": "string", "description": "BUY or SELL."},
                    },
                    "required": ["conid"],
                }
            }
        },
    }
    check(document)


def test_the_plans_own_body_schema_is_taken_before_that_of_the_whole_body_input() -> None:
    whole = given("body", BODY, whole_body=True, type_=ParameterType.OBJECT)
    document = document_of(
        served("POST", "/a", whole, body=True),
        served("PUT", "/a", whole, body=True, body_schema={"type": "array"}),
        served("PATCH", "/a", body=True),
    )
    schemas = {
        method: operation["requestBody"]["content"]["application/json"]["schema"]
        for method, operation in document["paths"]["/a"].items()
    }
    assert schemas == {"post": {"type": "object"}, "put": {"type": "array"}, "patch": {}}
    check(document)


def test_operation_ids_are_unique_across_namespaces() -> None:
    document = document_of(
        adapter(served("GET", "/a", name="list"), namespace="one"),
        adapter(served("GET", "/b", name="list"), namespace="two"),
        adapter(served("GET", "/c", name="list"), namespace="two"),
        adapter(served("GET", "/d", name="two.list"), namespace="three"),
    )
    assert [item["get"]["operationId"] for item in document["paths"].values()] == [
        "list",
        "two.list",
        "two.list-2",
        "three.two.list",
    ]
    check(document)


def test_odd_routes_still_make_a_valid_document() -> None:
    document = document_of(
        served("GET", "/a/{id}/b/{id}"),
        served("GET", "/sp ace/ä/{$x}"),
        served("GET", "/lit%7Bx%7D"),
        served("GET", "/"),
        served("GET", "/a/"),
        served("GET", "/a"),
        served("QUERY", "/a"),
    )
    assert list(document["paths"]) == [
        "/a/{id}/b/{id-2}",
        "/sp%20ace/%C3%A4/{$x}",
        "/lit%7Bx%7D",
        "/",
        "/a/",
        "/a",
    ]
    check(document)


def test_a_listener_that_serves_nothing_says_so() -> None:
    document = document_of()
    assert document["paths"] == {}
    assert document["info"]["title"] == "Naftiko capabilities"
    check(document)


def test_the_document_is_served_as_json() -> None:
    with listening(*ORDERS) as listener:
        answered = listener.get("/openapi.json")
        head = listener.call("HEAD", "/openapi.json")
    assert answered.header("content-type") == "application/json"
    assert answered.json() == document_of(*ORDERS)
    assert head.header("content-length") == str(len(answered.body))


def test_published_files_give_valid_documents(shared: Path) -> None:
    files = sorted([*shared.glob("seeds/*.yaml"), *shared.glob("corpus/*/*.yaml")])
    if not files:
        pytest.skip("there are no published files beside this repository")
    adapters: list[tuple[str, RestAdapterPlan]] = []
    for file in files:
        plan = load_file(file, {}, {}).plan
        adapters += [(plan.label, rest) for rest in plan.rest] if plan is not None else []
    table, _ = build_rest_table(adapters)
    document = decode_json(encode_json(openapi_document(table)))
    assert isinstance(document, dict)
    paths: Any = document["paths"]
    described = sum(len(item) for item in paths.values())
    assert described == len(table.operations) > 0
    check(document)


def test_an_answer_that_is_passed_on_as_a_text_or_as_bytes_is_described_as_such(
    tmp_path: Path,
) -> None:
    paths = {
        f"/{name}": f"{{name: {name}, path: /{name}, operations: "
        f"[{{name: {name}, method: GET, outputRawFormat: {name}}}]}}"
        for name in ("text", "binary", "csv")
    }
    file = tmp_path / "files.yaml"
    file.write_text(
        "naftiko: 1.0.0-alpha2\ncapability:\n  consumes:\n  - type: http\n    namespace: up\n"
        f"    baseUri: https://api.example.com\n    resources: [{', '.join(paths.values())}]\n"
        "  exposes:\n  - type: rest\n    namespace: files\n    port: 8080\n    resources:\n"
        + "".join(
            f"    - {{path: {path}, operations: [{{method: GET, name: {path[1:]}, "
            f"call: up.{path[1:]}, outputParameters: [{{type: object, mapping: $.}}]}}]}}\n"
            for path in paths
        )
    )
    plan = load_file(file, {}, {}).plan
    assert plan is not None
    document = document_of(*plan.rest)
    assert {
        path: list(described["get"]["responses"]["200"]["content"])
        for path, described in document["paths"].items()
    } == {
        "/text": ["text/plain"],
        "/binary": ["application/octet-stream"],
        "/csv": ["application/json"],
    }
    check(document)
