"""Bodies of upstream requests."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from naftiko_runtime.json_values import JsonValue
from tests.loaded_calls import (
    BASE,
    header,
    in_body,
    one_call,
    query,
)
from tests.plan.calls import both, declared


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
        tool_inputs=[declared("who", "string", mapping="user_id")],
    )
    assert call.tool_request({"who": "7"}).url == f"{BASE}/users/7"


def test_declared_inputs_of_a_tool_that_nothing_reads_make_the_forwarded_body() -> None:
    call = one_call(
        method="POST", tool_inputs=[declared("side", "string"), declared("qty", "integer")]
    )
    assert call.tool_request({"side": "BUY", "qty": 2}).content == b'{"side":"BUY","qty":2}'


def test_body_beside_other_fields_of_a_template_is_the_callers_field_of_that_name() -> None:
    data = {"title": "{{tools.title}}", "text": "{{tools.body}}"}
    call = one_call(method="POST", body={"type": "json", "data": data})
    assert both(call, {"title": "A", "body": "B"}).content == b'{"title":"A","text":"B"}'
    assert [plan.whole_body for plan in call.rest.inputs] == [False, False]
    assert call.rest.accepts_body


@pytest.mark.parametrize("rest_with", [None, {"body": "rest.body"}, {"body": "{{body}}"}])
@pytest.mark.parametrize("type_", ["json", "form"])
def test_a_field_body_of_a_template_is_the_callers_field_of_that_name(
    type_: str, rest_with: dict[str, object] | None
) -> None:
    body = {"type": type_, "data": {"Body": "{{tools.body}}"}}
    call = one_call(method="POST", body=body, rest_with=rest_with)
    sent = call.rest_request({"body": "Hello"}).content
    assert sent == (b'{"Body":"Hello"}' if type_ == "json" else b"Body=Hello")
    assert [plan.whole_body for plan in call.rest.inputs] == [False]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"order": "{{rest.body}}"}, b'{"order":{"body":1}}'),
        ({"order": "{{rest.body}}", "to": "{{rest.id}}"}, b'{"order":{"body":1},"to":"7"}'),
    ],
)
def test_body_alone_under_another_name_is_the_callers_whole_body(
    data: dict[str, object], expected: bytes
) -> None:
    body = {"type": "json", "data": data}
    call = one_call(method="POST", path="/things/{id}", route="/run/{id}", body=body)
    assert call.rest_request({"id": "7"}, {"body": 1}).content == expected


@pytest.mark.parametrize("location", ["query", "header"])
@pytest.mark.parametrize("name", ["body", "Body"])
def test_a_parameter_of_another_place_called_body_is_no_body(location: str, name: str) -> None:
    parameters = [{"name": name, "in": location, "type": "string"}]
    call = one_call(method="GET", parameters=parameters, rest_with={name: f"rest.{name}"})
    request = call.rest_request({name: "x"})
    given = request.url.endswith(f"?{name}=x") or (name, "x") in request.headers
    assert given, request
    assert not call.rest.accepts_body


def test_a_dotted_reference_reads_a_field_of_the_callers_body() -> None:
    fields = {"check_in": "rest.body.stay.from", "guests": "rest.body.guests"}
    call = one_call(
        method="POST",
        parameters=[in_body("check_in", required=True), in_body("guests", type="integer")],
        rest_with=fields,
    )
    data: JsonValue = {"stay": {"from": "2026-01-02"}, "guests": 2, "more": 1}
    assert call.problems == ()
    assert call.rest_request({}, data).content == b'{"check_in":"2026-01-02","guests":2}'
    assert call.rest.body_required
