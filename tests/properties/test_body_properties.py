"""Request bodies: a value is data wherever it stands, and comes out as it went in."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue
from tests.loaded_calls import LoadedCall, in_body, one_call
from tests.properties.texts import HOSTILE, JSON


def posted(call: LoadedCall, values: dict[str, JsonValue]) -> bytes:
    content = call.tool_request(values).content
    assert content is not None
    return content


def exact(content: bytes) -> JsonValue:
    """A JSON text with every number as it is written."""
    value: JsonValue = json.loads(content, parse_float=Decimal)
    return value


OBJECT = one_call(
    method="POST",
    body={"type": "json", "data": {"a": "{{a}}", "b": ["{{b}}", "- {{a}} -"], "c": 1}},
    tool_with={"a": "tools.a", "b": "tools.b"},
)
JSON_TEXT = one_call(
    method="POST",
    body='{"quoted": "{{a}}", "in": "x \\"{{a}}\\" \\\\{{a}} y", "bare": {{b}},'
    ' "list": [{{b}},{{b}}]}',
    tool_with={"a": "tools.a", "b": "tools.b"},
)
FORM = one_call(
    method="POST",
    body={"type": "form", "data": {"a b&": "{{a}}", "text": "<{{a}}>", "list": "{{list}}"}},
    tool_with={"a": "tools.a", "list": "tools.list"},
)
FORM_TEXT = one_call(
    method="POST",
    body={"type": "formUrlEncoded", "data": "a={{a}}&fixed=1&b=x-{{b}}"},
)
XML = one_call(
    method="POST",
    body={"type": "xml", "data": "<o a=\"{{a}}\" b='{{b}}'><n>{{a}}</n>{{b}}</o>"},
)
CDATA = one_call(
    method="POST",
    body={"type": "xml", "data": "<o>{{a}}<![CDATA[{{a}}{{b}}>]{{a}}]]>{{b}}</o>"},
)
TEXT = one_call(method="POST", body={"type": "text", "data": "a: {{a}}; b: {{b}}"})
WHOLE = one_call(method="POST", parameters=[in_body("order")])
MEMBERS = one_call(method="POST", parameters=[in_body("a"), in_body("b")])


@given(JSON, JSON)
def test_a4_an_object_template_holds_values_as_data(a: JsonValue, b: JsonValue) -> None:
    document = exact(posted(OBJECT, {"a": a, "b": b}))
    assert isinstance(document, dict)
    assert list(document) == ["a", "b", "c"]
    assert (document["a"], document["c"]) == (a, 1)
    inner = document["b"]
    assert isinstance(inner, list)
    assert inner[0] == b
    if isinstance(a, str):
        assert inner[1] == f"- {a} -"


@given(HOSTILE, JSON)
def test_a4_a_json_text_template_escapes_by_place(a: str, b: JsonValue) -> None:
    document = exact(posted(JSON_TEXT, {"a": a, "b": b}))
    assert document == {
        "quoted": a,
        "in": f'x "{a}" \\{a} y',
        "bare": b,
        "list": [b, b],
    }


@given(JSON)
def test_a4_a_value_of_any_type_inside_quotes_is_text(a: JsonValue) -> None:
    document = exact(posted(JSON_TEXT, {"a": a, "b": 1}))
    assert isinstance(document, dict)
    assert list(document) == ["quoted", "in", "bare", "list"]
    assert isinstance(document["quoted"], str)


@given(HOSTILE, st.lists(HOSTILE, max_size=3))
def test_form_fields_read_back_as_they_were_given(a: str, items: list[str]) -> None:
    pairs = parse_qsl(posted(FORM, {"a": a, "list": [*items]}).decode(), keep_blank_values=True)
    assert pairs == [("a b&", a), ("text", f"<{a}>"), *(("list", item) for item in items)]


@given(HOSTILE, HOSTILE)
def test_placeholders_in_a_forms_text_cannot_add_fields(a: str, b: str) -> None:
    content = posted(FORM_TEXT, {"a": a, "b": b}).decode()
    pairs = parse_qsl(content, keep_blank_values=True)
    assert pairs == [("a", a), ("fixed", "1"), ("b", f"x-{b}")]


@given(HOSTILE, HOSTILE)
@example("]]", ">")
@example("]]>", "]")
@example("<!--", "<![CDATA[")
def test_xml_values_in_cdata_sections_read_back_as_they_were_given(a: str, b: str) -> None:
    """Line ends there cannot be escaped, and readers make them alike."""
    a, b = ("".join(filter(is_xml, text)).replace("\r", "") for text in (a, b))
    root = ElementTree.fromstring(posted(CDATA, {"a": a, "b": b}))
    assert (root.text or "", len(root)) == (f"{a}{a}{b}>]{a}{b}", 0)


def is_xml(character: str) -> bool:
    """Whether XML 1.0 can hold the character (production `Char`)."""
    code = ord(character)
    return (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or code >= 0x10000
    )


@given(HOSTILE, HOSTILE)
def test_xml_values_read_back_as_they_were_given(a: str, b: str) -> None:
    root = ElementTree.fromstring(posted(XML, {"a": a, "b": b}))
    a, b = ("".join(filter(is_xml, text)) for text in (a, b))
    assert root.tag == "o"
    assert root.attrib == {"a": a, "b": b}
    (name,) = root
    assert (name.tag, name.text or "", name.tail or "") == ("n", a, b)
    assert name.attrib == {}


@given(HOSTILE, HOSTILE)
def test_plain_text_is_filled_in_as_it_is(a: str, b: str) -> None:
    assert posted(TEXT, {"a": a, "b": b}) == f"a: {a}; b: {b}".encode()


@given(JSON.filter(lambda value: value is not None))
def test_a_body_parameter_is_the_body(order: JsonValue) -> None:
    assert posted(WHOLE, {"order": order}) == encode_json(order)


@given(JSON, JSON)
def test_a12_only_declared_members_are_sent(a: JsonValue, b: JsonValue) -> None:
    content = posted(MEMBERS, {"a": a, "b": b, "admin": True, "A.b": 1})
    assert exact(content) == {"a": a, "b": b}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_no_digit_of_a_number_is_lost(number: Decimal) -> None:
    document = exact(posted(OBJECT, {"a": number, "b": 10**25}))
    assert isinstance(document, dict)
    assert document["a"] == number
    assert document["b"] == [10**25, f"- {number} -"]


MULTIPART = one_call(
    method="POST",
    body={
        "type": "multipartForm",
        "data": [
            {"name": "{{a}}", "value": "{{b}}"},
            {"name": "file", "filename": "{{a}}", "value": "{{b}}"},
            {"name": "last", "value": "end"},
        ],
    },
)


def parts_of(content: bytes, content_type: str) -> list[tuple[str, bytes]]:
    """Head and content of each part, cut at the boundary that the header names."""
    boundary = content_type.partition("boundary=")[2].encode()
    first, *middle, last = (b"\r\n" + content).split(b"\r\n--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    parts = [part.removeprefix(b"\r\n").partition(b"\r\n\r\n") for part in middle]
    return [(head.decode(), body) for head, _, body in parts]


@given(HOSTILE, HOSTILE)
def test_a5_values_cannot_add_parts_or_headers_to_a_multipart_form(a: str, b: str) -> None:
    request = MULTIPART.tool_request({"a": a, "b": b})
    quoted = a.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    named = f'Content-Disposition: form-data; name="{quoted}"'
    file = f'Content-Disposition: form-data; name="file"; filename="{quoted}"'
    assert parts_of(request.content or b"", dict(request.headers)["Content-Type"]) == [
        (named, b.encode()),
        (f"{file}\r\nContent-Type: application/octet-stream", b.encode()),
        ('Content-Disposition: form-data; name="last"', b"end"),
    ]


def test_a5_a_value_that_holds_the_boundary_adds_no_part() -> None:
    """An upstream that echoes headers tells its callers the boundary."""
    known = dict(MULTIPART.tool_request({"a": "", "b": ""}).headers)["Content-Type"]
    boundary = known.partition("boundary=")[2]
    forged = f'x\r\n--{boundary}\r\nContent-Disposition: form-data; name="admin"\r\n\r\ntrue'
    outcome = MULTIPART.tool_outcome({"a": "a", "b": forged})
    if isinstance(outcome, Failure):
        assert outcome.kind is FailureKind.INVALID_INPUT
    else:
        parts = parts_of(outcome.content or b"", dict(outcome.headers)["Content-Type"])
        assert [content for _, content in parts] == [forged.encode(), forged.encode(), b"end"]
