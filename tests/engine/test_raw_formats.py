"""Answers in other formats than JSON, from the upstream to the caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import FailureKind
from tests.sequences import LoadedSequence, Scripted, operation, sequence, text_response

pytestmark = pytest.mark.anyio

NAMES = {"type": "object", "properties": {"n": {"type": "string", "mapping": "$.name"}}}


def reading(format_: str, *outputs: dict[str, Any], **keys: Any) -> LoadedSequence:
    """A route and a tool that call one operation with answers in a format."""
    consumed = operation("list", outputRawFormat=format_, **keys)
    return sequence([consumed], behaviour={"call": "up.list"}, outputs=outputs)


async def answer(file: LoadedSequence, body: str, content_type: str = "text/plain") -> Answer:
    outcome = await file.run({}, Scripted({"list": text_response(body, content_type)}))
    assert isinstance(outcome, Answer), outcome
    return outcome


async def test_a_document_is_mapped_to_json() -> None:
    file = reading("xml", {"type": "array", "mapping": "$.ship", "items": NAMES})
    found = await answer(file, "<r><ship><name>A</name></ship><ship><name>B</name></ship></r>")
    assert found.content_type == "application/json"
    assert json.loads(found.body) == [{"n": "A"}, {"n": "B"}]


async def test_a_single_element_is_an_array_of_one_where_an_array_is_declared() -> None:
    file = reading("xml", {"type": "array", "mapping": "$.ship", "items": NAMES})
    found = await answer(file, "<r><ship><name>A</name></ship></r>")
    assert json.loads(found.body) == [{"n": "A"}]


TEXTS = {"type": "string", "mapping": "$."}


@pytest.mark.parametrize(
    ("path", "items", "document", "expected"),
    [
        ("$.ship", NAMES, "<r/>", []),
        ("$.ship", NAMES, "<r>\n</r>", []),
        ("$.ship", NAMES, "<r><count>0</count></r>", []),
        ("$.ships.ship", NAMES, "<r><ships/></r>", []),
        ("$.ships", NAMES, "<r><ships/></r>", []),
        ("$.tag", TEXTS, "<r><tag>a</tag><tag>b</tag></r>", ["a", "b"]),
        ("$.tag", TEXTS, "<r><tag>a</tag></r>", ["a"]),
        ("$.tag", TEXTS, "<r><tag/></r>", [""]),
        ("$.tag", TEXTS, "<r><other/></r>", []),
    ],
)
async def test_repeated_elements_are_an_array_however_many_there_are(
    path: str, items: dict[str, Any], document: str, expected: object
) -> None:
    file = reading("xml", {"type": "array", "mapping": path, "items": items})
    assert json.loads((await answer(file, document)).body) == expected


async def test_an_array_of_json_that_is_missing_stays_null() -> None:
    members = {"names": {"type": "array", "mapping": "$.names", "items": TEXTS}}
    file = reading("json", {"type": "object", "properties": members})
    assert json.loads((await answer(file, "{}", "application/json")).body) == {"names": None}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<r><s><name>A</name></s><s><name>B</name></s></r>", [{"n": "A"}, {"n": "B"}]),
        ("<r><s><name>A</name></s></r>", [{"n": "A"}]),
        ("<r><name>A</name></r>", [{"n": "A"}]),
        ("<r><s><name>A</name></s><count>1</count></r>", [{"n": None}]),
        ("<r/>", []),
    ],
)
async def test_an_array_of_a_whole_xml_document_is_of_the_elements_in_its_root(
    document: str, expected: object
) -> None:
    file = reading("xml", {"type": "array", "mapping": "$.", "items": NAMES})
    assert json.loads((await answer(file, document)).body) == expected


async def test_the_root_of_another_format_is_taken_as_it_is() -> None:
    file = reading("yaml", {"type": "array", "mapping": "$.", "items": NAMES})
    assert json.loads((await answer(file, "s: [{name: A}]")).body) == [{"n": None}]


@pytest.mark.parametrize(
    ("format_", "body", "expected"),
    [
        ("xml", "<r><a>1</a></r>", {"a": "1"}),
        ("csv", "a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        ("tsv", "a\tb\n1\t2\n", [{"a": "1", "b": "2"}]),
        ("psv", "a|b\n1|2\n", [{"a": "1", "b": "2"}]),
        ("yaml", "a: 1.10\n", {"a": 1.10}),
    ],
)
@pytest.mark.parametrize("mapping", ["$", "$."])
async def test_a_declared_output_makes_json_of_the_whole_document(
    format_: str, body: str, expected: object, mapping: str
) -> None:
    found = await answer(reading(format_, {"type": "object", "mapping": mapping}), body)
    assert found.content_type == "application/json"
    assert json.loads(found.body) == expected


async def test_without_outputs_the_document_is_passed_on_as_it_came() -> None:
    found = await answer(reading("xml"), "<r> <a/> </r>", "application/xml; charset=utf-8")
    assert (found.content_type, found.body) == ("application/xml; charset=utf-8", b"<r> <a/> </r>")


WHOLE = [
    (),
    ({"type": "object", "mapping": "$."},),
    ({"type": "string", "mapping": "$"},),
    ({"name": "result", "type": "object", "value": "$."},),
]


@pytest.mark.parametrize("outputs", WHOLE)
@pytest.mark.parametrize(
    ("format_", "content_type", "shown"),
    [
        ("text", "text/plain; version=0.0.4", "text/plain; version=0.0.4"),
        ("text", "", "text/plain"),
        ("binary", "image/png", "image/png"),
        ("binary", "", "application/octet-stream"),
    ],
)
async def test_the_whole_of_a_text_or_of_bytes_is_passed_on_as_it_came(
    outputs: tuple[dict[str, Any], ...], format_: str, content_type: str, shown: str
) -> None:
    headers = [("content-type", content_type)] if content_type else []
    body = b"\x89PNG\xff" if format_ == "binary" else b"up 1\n"
    upstreams = Scripted({"list": UpstreamResponse(200, headers, body)})
    found = await reading(format_, *outputs).run({}, upstreams)
    assert isinstance(found, Answer)
    assert (found.content_type, found.body) == (shown, body)


@pytest.mark.parametrize(
    ("format_", "body", "expected"),
    [("text", "é\n".encode(), "é\n"), ("binary", b"\x00\xff", "AP8=")],
)
async def test_a_named_output_holds_a_text_as_it_is_and_bytes_in_base64(
    format_: str, body: bytes, expected: str
) -> None:
    outputs = [{"name": name, "type": "string", "mapping": "$"} for name in ("content", "again")]
    upstreams = Scripted({"list": UpstreamResponse(200, [], body)})
    value = await reading(format_, *outputs).value({}, upstreams)
    assert value == {"content": expected, "again": expected}


@pytest.mark.parametrize("format_", ["xml", "csv", "tsv", "psv", "yaml"])
@pytest.mark.parametrize("content_type", ["application/json", "application/hal+json"])
async def test_an_answer_that_says_to_be_json_is_read_as_json(
    format_: str, content_type: str
) -> None:
    body = '{"ship": [{"name": "A"}], "price": 1.10}'
    file = reading(format_, {"type": "array", "mapping": "$.ship", "items": NAMES})
    assert json.loads((await answer(file, body, content_type)).body) == [{"n": "A"}]
    whole = reading(format_, {"type": "object", "mapping": "$."})
    assert (await answer(whole, body, content_type)).body == body.replace(" ", "").encode()


async def test_an_answer_that_wrongly_says_to_be_json_is_read_as_the_file_declares_it() -> None:
    file = reading("csv", {"type": "array", "mapping": "$.", "items": NAMES})
    found = await answer(file, "name\nA\n", "application/json")
    assert json.loads(found.body) == [{"n": "A"}]


async def test_an_error_of_the_upstream_is_not_read() -> None:
    file = reading("xml", {"type": "array", "mapping": "$.ship", "items": NAMES})
    upstreams = Scripted({"list": text_response("down", status=503)})
    outcome = await file.run({}, upstreams)
    assert isinstance(outcome, Answer)
    assert (outcome.status, outcome.body) == (503, b"down")


@pytest.mark.parametrize(
    ("format_", "body"),
    [
        ("xml", "<r>"),
        ("xml", '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>'),
        ("csv", "a,b\n1,2,3\n"),
        ("yaml", "a: ["),
        ("json", "<html></html>"),
    ],
)
async def test_a_document_that_cannot_be_read_is_a_failure_that_names_the_operation(
    format_: str, body: str
) -> None:
    file = reading(format_, {"type": "string", "mapping": "$.a"})
    failure = await file.failure({}, Scripted({"list": text_response(body)}))
    assert failure.kind is FailureKind.UPSTREAM_INVALID
    assert failure.executed
    assert '"up.list": the upstream answered 200 with ' in failure.detail
    assert "b" * 40 not in failure.detail


async def test_the_charset_of_the_media_type_counts() -> None:
    file = reading("csv", {"type": "array", "mapping": "$.", "items": NAMES})
    body = "name\nTromsø\n".encode("iso-8859-1").decode("latin-1")
    response = text_response(body, "text/csv; charset=iso-8859-1")
    upstreams = Scripted({"list": type(response)(200, response.headers, body.encode("latin-1"))})
    assert await file.value({}, upstreams) == [{"n": "Tromsø"}]


def test_a_schema_that_cannot_be_used_takes_its_part_out_of_service() -> None:
    file = reading("avro", {"type": "string", "mapping": "$.a"}, outputSchema="none.avsc")
    assert {problem.rule for problem in file.errors} == {"not-compilable"}
    assert all("none.avsc" in problem.message for problem in file.errors)
