"""Request bodies of the kinds that are no JSON: what is sent, and what cannot be put in."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest
from tests.loaded_calls import LoadedCall, one_call


def form(*parts: dict[str, Any]) -> LoadedCall:
    body = {"type": "multipartForm", "data": list(parts)}
    return one_call(method="POST", body=body)


def header(request: UpstreamRequest, name: str) -> str:
    (value,) = (value for key, value in request.headers if key.lower() == name)
    return value


def sent(call: LoadedCall, values: dict[str, JsonValue]) -> list[Message]:
    """The parts of the form, as an independent parser reads them."""
    request = call.tool_request(values)
    head = f"Content-Type: {header(request, 'content-type')}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + (request.content or b""))
    assert message.is_multipart(), request.content
    return [part for part in message.walk() if part is not message]


def described(part: Message) -> tuple[str | None, str | None, str | None, bytes]:
    """Name, file name, media type and content of a part."""
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    media_type = part["content-type"]
    return str(name), part.get_filename(), media_type, content


def test_fields_and_files_are_parts_of_the_form() -> None:
    call = form(
        {"name": "title", "value": "{{title}}"},
        {
            "name": "file",
            "value": "{{content}}",
            "filename": "{{filename}}",
            "contentType": "text/csv; charset=utf-8",
        },
        {"name": "raw", "value": "x", "filename": "a.bin"},
    )
    values: dict[str, JsonValue] = {
        "title": "A ship",
        "content": "a,b\r\n1,2\r\n",
        "filename": "s.csv",
    }
    assert [described(part) for part in sent(call, values)] == [
        ("title", None, None, b"A ship"),
        ("file", "s.csv", "text/csv; charset=utf-8", b"a,b\r\n1,2\r\n"),
        ("raw", "a.bin", "application/octet-stream", b"x"),
    ]


def test_text_is_sent_as_utf8() -> None:
    ((_, filename, _, content),) = map(
        described, sent(form({"name": "n", "value": "{{v}}"}), {"v": "Tromsø ☃"})
    )
    assert (filename, content.decode()) == (None, "Tromsø ☃")


@pytest.mark.parametrize(
    ("value", "contents"),
    [
        (["a", "b"], [b"a", b"b"]),
        (5, [b"5"]),
        (True, [b"true"]),
        ({"a": 1}, [b'{"a":1}']),
        ("", [b""]),
        ([], []),
        (None, []),
    ],
)
def test_other_values_than_text_are_json_and_lists_repeat_the_part(
    value: JsonValue, contents: list[bytes]
) -> None:
    call = form({"name": "n", "value": "{{v}}"}, {"name": "end", "value": "x"})
    parts = [described(part) for part in sent(call, {"v": value})]
    assert [content for name, _, _, content in parts if name == "n"] == contents


def test_a_part_that_nothing_fills_is_left_out() -> None:
    call = form({"name": "a", "value": "{{a}}"}, {"name": "b", "value": "{{b}}"})
    assert [described(part)[0] for part in sent(call, {"b": "x"})] == ["b"]


def test_a_form_without_parts_is_still_a_form() -> None:
    request = form({"name": "a", "value": "{{a}}"}).tool_request({})
    boundary = header(request, "content-type").partition("boundary=")[2]
    assert request.content == f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize("evil", ['x"; filename="y', "x\r\nX-Evil: 1", "x\ny", 'a\\"b'])
def test_a5_a_name_cannot_end_its_quotes_or_its_line(evil: str) -> None:
    call = form({"name": "{{n}}", "value": "v", "filename": "{{n}}"})
    request = call.tool_request({"n": evil})
    head = (request.content or b"").partition(b"\r\n\r\n")[0].decode()
    lines = head.split("\r\n")
    assert len(lines) == 3
    assert re.fullmatch(
        r'Content-Disposition: form-data; name="[^"\r\n]*"; filename="[^"\r\n]*"', lines[1]
    )
    assert lines[2] == "Content-Type: application/octet-stream"


@pytest.mark.parametrize("evil", ["text/plain\r\nX-Evil: 1", "text", "text/plain\nx", "a b/c", ""])
def test_a5_a_media_type_is_a_media_type(evil: str) -> None:
    call = form({"name": "a", "value": "v", "contentType": "{{t}}"})
    with pytest.raises(CallFailed) as refused:
        call.tool_request({"t": evil})
    assert refused.value.failure.kind is FailureKind.INVALID_INPUT
    assert refused.value.failure.field == "contentType"


def test_a5_a_value_that_holds_the_boundary_is_refused() -> None:
    call = form({"name": "a", "value": "{{a}}"}, {"name": "b", "value": "x"})
    boundary = header(call.tool_request({"a": ""}), "content-type").partition("boundary=")[2]
    for evil in (f"\r\n--{boundary}--\r\n", f'\r\n--{boundary}\r\nX: "y"\r\n\r\n'):
        with pytest.raises(CallFailed) as refused:
            call.tool_request({"a": evil})
        assert refused.value.failure.kind is FailureKind.INVALID_INPUT


def test_each_file_draws_a_boundary_of_its_own() -> None:
    one, other = (
        header(form({"name": "a", "value": "x"}).tool_request({}), "content-type") for _ in "12"
    )
    assert one != other


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("multipartForm", "value"),
        ("multipartForm", "name"),
        ("formUrlEncoded", "value"),
        ("text", "value"),
        ("sparql", "value"),
        ("json", "value"),
    ],
)
def test_half_a_surrogate_pair_is_refused_in_any_body(kind: str, place: str) -> None:
    data: object = {"a": "{{v}}"}
    if kind == "multipartForm":
        data = [{"name": "n", "value": "x"} | {place: "{{v}}"}]
    elif kind in ("text", "sparql"):
        data = "'{{v}}'"
    call = one_call(method="POST", body={"type": kind, "data": data})
    with pytest.raises(CallFailed) as refused:
        call.tool_request({"v": "a\ud800b"})
    assert refused.value.failure.kind is FailureKind.INVALID_INPUT


@pytest.mark.parametrize("data", ["text", {"a": "b"}, [5]])
def test_the_data_of_a_multipart_form_is_a_list_of_parts(data: object) -> None:
    call = one_call(method="POST", body={"type": "multipartForm", "data": data})
    assert [p for p in call.problems if p.severity.name == "ERROR"]
    assert call.file.plan is None or not call.file.plan.mcp[0].tools
