"""What a model reads of an answer or a failure."""

from __future__ import annotations

from typing import Any

import pytest

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.exposes.mcp.answer_content import Media
from naftiko_runtime.exposes.mcp.results import ToolResult, tool_result
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.json_values import MISSING, JsonValue
from naftiko_runtime.plan.operation import ToolPlan
from tests.exposes.mcp.plans import a_tool, an_input, json_answer, listed

PLAIN = a_tool()
ORDER = a_tool(
    output={"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
)
PRICES = a_tool(output={"type": "array", "items": {"type": "number"}})
BOTH = (False, True)


def result(tool: ToolPlan, outcome: Outcome, *, handshake: bool = False) -> ToolResult:
    return tool_result(listed(tool), outcome, objects_only=handshake)


@pytest.mark.parametrize("handshake", BOTH)
def test_an_object_comes_as_its_own_text_and_as_structured_content(handshake: bool) -> None:
    body = b'{ "price" : 1.10,\n "name": "\xc3\xa9" }'
    got = result(PLAIN, Answer(200, "application/json", body), handshake=handshake)
    assert got == ToolResult((body.decode(),), {"price": 1.1, "name": "é"})


@pytest.mark.parametrize(("value", "wrapped"), [([1], {"items": [1]}), ("x", {"value": "x"})])
def test_lists_and_scalars_are_wrapped_for_the_handshake_versions(value: Any, wrapped: Any) -> None:
    assert result(PLAIN, json_answer(value)).structured == value
    assert result(PLAIN, json_answer(value), handshake=True).structured == wrapped


@pytest.mark.parametrize("type_", ["array", ["array", "null"], ["null", "array"]])
@pytest.mark.parametrize("value", [[1], []])
def test_a_list_that_was_promised_is_wrapped_like_any_other(
    type_: Any, value: list[JsonValue]
) -> None:
    tool = a_tool(output={"type": type_, "items": {"type": "integer"}})
    assert result(tool, json_answer(value)).structured == value
    assert result(tool, json_answer(value), handshake=True).structured == {"items": value}


def test_a_list_that_is_null_is_null_items() -> None:
    tool = a_tool(output={"type": ["array", "null"]})
    assert result(tool, json_answer(None), handshake=True).structured == {"items": None}
    schema = listed(tool).handshake_entry["outputSchema"]
    assert schema == {
        "type": "object",
        "properties": {"items": {"type": ["array", "null"]}},
        "required": ["items"],
    }


@pytest.mark.parametrize("detail", ['step "fetch": it broke', "it broke"])
def test_a_failed_step_is_named_once(detail: str) -> None:
    failure = Failure(FailureKind.STEP_FAILED, detail, step="fetch", status=503)
    (text,) = result(PLAIN, failure).content
    assert text == 'A step failed: step "fetch": it broke'


def test_R7_structured_content_holds_nothing_that_the_text_does_not_show() -> None:
    answer = Answer(200, "application/json", b'{"token":"***"}', value={"token": "hunter2"})
    assert result(PLAIN, answer).structured == {"token": "***"}


@pytest.mark.parametrize("answer", [Answer(204, None, b""), Answer(200, "application/json", b"")])
@pytest.mark.parametrize("handshake", BOTH)
def test_an_answer_without_content_is_a_success_without_content(
    answer: Answer, handshake: bool
) -> None:
    assert result(PLAIN, answer, handshake=handshake) == ToolResult()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"id": '),
        ("application/json", b'{"id": NaN}'),
        ("application/json", b'"\\ud800"'),
        ("text/html", b"<p>Log in</p>"),
        ("text/plain", b"{braces}"),
        (None, b"pong"),
    ],
)
def test_an_answer_that_is_not_json_comes_as_text_alone(
    content_type: str | None, body: bytes
) -> None:
    assert result(PLAIN, Answer(200, content_type, body)) == ToolResult((body.decode(),))


def test_json_that_is_not_called_json_is_json_all_the_same() -> None:
    assert result(PLAIN, Answer(200, None, b' {"id":1}')).structured == {"id": 1}
    assert result(PLAIN, Answer(200, "text/plain", b"[1]")).structured == [1]
    assert result(PLAIN, Answer(200, "application/vnd.api+json", b"[1]")).structured == [1]


def test_text_of_another_charset_is_read_as_such() -> None:
    answer = Answer(200, 'text/plain; charset="ISO-8859-1"', b"\xe9")
    assert result(PLAIN, answer).content == ("é",)


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "rot13", "zlib", "\0", "none-such"])
def test_a_charset_that_makes_no_text_does_no_harm(charset: str) -> None:
    answer = Answer(200, f"text/plain; charset={charset}", b"\\ud800+2AA-")
    for part in result(PLAIN, answer).content:
        (part if isinstance(part, str) else part.data).encode()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("image/png", b"\x89PNG"), ("application/pdf", b"%PDF\xff"), (None, b"\xff\xfe")],
)
def test_an_answer_that_is_no_text_comes_whole(content_type: str | None, body: bytes) -> None:
    (part,) = result(PLAIN, Answer(200, content_type, body)).content
    assert isinstance(part, Media)
    assert part.content_type == (content_type or "application/octet-stream")


@pytest.mark.parametrize("status", [301, 304, 400, 401, 404, 429, 500, 503])
def test_an_upstream_error_is_an_error_with_status_operation_and_body(status: int) -> None:
    got = result(PLAIN, json_answer({"error": "no"}, status))
    assert got == ToolResult(
        (f'HTTP {status} from gateway.getorders: {{"error":"no"}}',), MISSING, is_error=True
    )


def test_an_upstream_error_says_when_to_come_back() -> None:
    answer = Answer(429, None, b"", (("retry-after", "5"),))
    assert result(PLAIN, answer).content == ("HTTP 429 from gateway.getorders (Retry-After: 5)",)


def test_a_long_error_page_is_cut() -> None:
    (text,) = result(PLAIN, Answer(500, "text/html", b"x" * 100_000)).content
    assert isinstance(text, str)
    assert len(text) < 5000
    assert text.endswith("(96000 characters more)")


def test_an_error_that_is_no_text_is_named_by_its_size() -> None:
    (text,) = result(PLAIN, Answer(500, "image/png", b"\x89" * 7)).content
    assert text == "HTTP 500 from gateway.getorders: 7 bytes of image/png"


def test_a_failure_names_the_argument_as_it_is_listed_and_what_it_takes() -> None:
    tool = a_tool("t", an_input("acct id", description="The account.", pattern="^U"))
    failure = Failure(FailureKind.INVALID_INPUT, '"acct id": expected text, got 5', "acct id")
    got = result(tool, failure)
    assert got.is_error
    assert got.content == (
        'Invalid input: "acct id": expected text, got 5 - the argument "acct_id" takes '
        '{"type": "string", "pattern": "^U", "description": "The account."}',
    )


def test_a_failure_says_when_the_call_may_have_been_executed() -> None:
    slow = Failure(FailureKind.UPSTREAM_TIMEOUT, "no answer within 30 s", executed=True)
    assert "check before you repeat it" in str(result(PLAIN, slow).content)
    refused = Failure(FailureKind.UPSTREAM_UNREACHABLE, "the connection was refused")
    assert result(PLAIN, refused).content == ("Upstream unreachable: the connection was refused",)


@pytest.mark.parametrize("handshake", BOTH)
def test_an_answer_that_fits_the_output_schema_is_structured_content(handshake: bool) -> None:
    assert result(ORDER, json_answer({"id": 1}), handshake=handshake).structured == {"id": 1}
    prices = result(PRICES, json_answer([1.5]), handshake=handshake).structured
    assert prices == ({"items": [1.5]} if handshake else [1.5])


@pytest.mark.parametrize("handshake", BOTH)
@pytest.mark.parametrize(
    ("tool", "answer", "complaint"),
    [
        (ORDER, json_answer({"id": "1"}), "$.id: expected integer, got string"),
        (ORDER, json_answer([]), "$: expected object, got array"),
        (ORDER, Answer(200, "text/html", b"<p>Log in</p>"), "it is no JSON"),
        (ORDER, Answer(204, None, b""), "it is empty"),
        (PRICES, Answer(200, "application/json", b""), "it is empty"),
        (PRICES, json_answer(None), "null"),
    ],
)
def test_R9_an_answer_that_breaks_the_output_schema_is_an_error_that_says_it_was_executed(
    tool: ToolPlan, answer: Answer, complaint: str, handshake: bool
) -> None:
    got = result(tool, answer, handshake=handshake)
    assert got.is_error
    assert got.structured is MISSING
    assert complaint in str(got.content[0])
    assert "do not repeat it" in str(got.content[0])
    assert list(got.content[1:]) == ([answer.body.decode()] if answer.body else [])


def test_an_empty_answer_fits_a_schema_that_asks_for_nothing() -> None:
    tool = a_tool(output={"type": "object", "properties": {"id": {"type": "integer"}}})
    assert result(tool, Answer(204, None, b"")) == ToolResult((), {})


def test_R4_an_answer_nested_too_deep_for_clients_comes_as_text() -> None:
    body = b'{"a":' * 150 + b"1" + b"}" * 150
    assert result(PLAIN, Answer(200, "application/json", body)) == ToolResult((body.decode(),))
    assert result(ORDER, Answer(200, "application/json", body)).is_error
