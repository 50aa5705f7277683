"""The official client against a listener, in both eras of the protocol."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import BlobResourceContents, EmbeddedResource, ImageContent, TextContent

from naftiko_runtime.document.model import Hints
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from tests.exposes.mcp.listener import ERAS, HANDSHAKE, MODERN, call_message, listening, modern
from tests.exposes.mcp.plans import a_table, a_tool, an_input, answering, echoing, json_answer

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]


def text_of(result: Any) -> str:
    (part,) = result.content
    assert isinstance(part, TextContent)
    return part.text


async def test_tools_are_listed_with_all_that_clients_show(era: str) -> None:
    tool = a_tool(
        "get orders",
        an_input("account-id", required=True, description="The account."),
        label="List orders",
        description="Lists live orders.",
        hints=Hints(read_only=True),
        output={"type": "object", "properties": {"id": {"type": "integer"}}},
    )
    async with listening(a_table(tool), echoing()) as listener, listener.client(era) as client:
        (listed,) = (await client.list_tools()).tools
    assert (listed.name, listed.title) == ("get_orders", "List orders")
    assert listed.description == "Lists live orders."
    assert listed.annotations is not None
    assert listed.annotations.read_only_hint is True
    assert listed.annotations.destructive_hint is None
    assert listed.input_schema == {
        "type": "object",
        "properties": {"account-id": {"type": "string", "description": "The account."}},
        "required": ["account-id"],
        "additionalProperties": False,
    }
    assert listed.output_schema == {"type": "object", "properties": {"id": {"type": "integer"}}}


@pytest.mark.parametrize("name", ["get orders", "get_orders"])
@pytest.mark.parametrize("argument", ["account-id", "account_id", "accountId"])
async def test_a_call_answers_under_every_spelling(era: str, name: str, argument: str) -> None:
    table = a_table(a_tool("get orders", an_input("account-id")))
    async with listening(table, echoing()) as listener, listener.client(era) as client:
        result = await client.call_tool(name, {argument: "U1"})
    assert text_of(result) == '{"account-id":"U1"}'
    assert result.structured_content == {"account-id": "U1"}
    assert result.is_error is False


async def test_a_wrong_argument_is_a_tool_error_that_says_what_was_expected(era: str) -> None:
    table = a_table(a_tool("t", an_input("limit", "integer", minimum=1)))
    async with listening(table, echoing()) as listener, listener.client(era) as client:
        wrong_type = await client.call_tool("t", {"limit": "many"})
        too_small = await client.call_tool("t", {"limit": 0})
        unknown = await client.call_tool("t", {"limitt": 1})
    assert wrong_type.is_error
    assert '"limit": expected a whole number, got "many"' in text_of(wrong_type)
    assert '"minimum": 1' in text_of(wrong_type)
    assert "expected at least 1" in text_of(too_small)
    assert unknown.is_error
    assert 'unknown argument "limitt" - did you mean "limit"?' in text_of(unknown)


async def test_a_missing_argument_is_a_tool_error(era: str) -> None:
    table = a_table(a_tool("t", an_input("conids", required=True)))
    async with listening(table, echoing()) as listener, listener.client(era) as client:
        result = await client.call_tool("t", {})
    assert result.is_error
    assert '"conids": is missing' in text_of(result)


async def test_an_unknown_tool_is_a_protocol_error(era: str) -> None:
    table = a_table(a_tool("get-orders"))
    async with listening(table, echoing()) as listener, listener.client(era) as client:
        with pytest.raises(MCPError, match='unknown tool "get-order"') as caught:
            await client.call_tool("get-order", {})
    assert caught.value.code == -32602
    assert 'did you mean "get-orders"?' in caught.value.message


async def test_upstream_errors_and_failures_are_tool_errors(era: str) -> None:
    outcomes: list[Outcome] = [
        json_answer({"error": "no session"}, 401),
        Failure(FailureKind.UPSTREAM_TIMEOUT, "no answer within 30 s", executed=True),
    ]

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        return outcomes.pop(0)

    async with listening(a_table(a_tool()), execute) as listener, listener.client(era) as client:
        refused = await client.call_tool("get-orders", {})
        slow = await client.call_tool("get-orders", {})
    assert refused.is_error
    assert text_of(refused) == 'HTTP 401 from gateway.getorders: {"error":"no session"}'
    assert slow.is_error
    assert text_of(slow).startswith("Upstream too slow: no answer within 30 s")


async def test_an_answer_without_content_is_a_success(era: str) -> None:
    execute = answering(Answer(204, None, b""))
    async with listening(a_table(a_tool()), execute) as listener, listener.client(era) as client:
        result = await client.call_tool("get-orders", {})
    assert (result.content, result.is_error, result.structured_content) == ([], False, None)


async def test_lists_are_structured_content_that_the_client_accepts(era: str) -> None:
    tool = a_tool(output={"type": "array", "items": {"type": "number"}})
    execute = answering(json_answer([1.5, 2]))
    async with listening(a_table(tool), execute) as listener, listener.client(era) as client:
        await client.list_tools()
        result = await client.call_tool("get-orders", {})
    assert text_of(result) == "[1.5,2]"
    assert result.structured_content == ([1.5, 2] if era == MODERN else {"items": [1.5, 2]})


async def test_R9_the_client_never_sees_structured_content_that_breaks_its_schema(era: str) -> None:
    tool = a_tool(output={"type": "object", "required": ["id"]})
    execute = answering(json_answer({"error": "none"}))
    async with listening(a_table(tool), execute) as listener, listener.client(era) as client:
        await client.list_tools()
        result = await client.call_tool("get-orders", {})
    assert result.is_error
    assert result.structured_content is None
    note, answer = result.content
    assert isinstance(note, TextContent)
    assert "do not repeat it" in note.text
    assert answer == TextContent(text='{"error":"none"}')


async def test_null_members_stay_in_structured_content(era: str) -> None:
    execute = answering(json_answer({"bid": None, "legs": [None]}))
    async with listening(a_table(a_tool()), execute) as listener, listener.client(era) as client:
        result = await client.call_tool("get-orders", {})
    assert result.structured_content == {"bid": None, "legs": [None]}


async def test_pictures_and_documents_come_whole(era: str) -> None:
    answers = [Answer(200, "image/png", b"\x89PNG"), Answer(200, "application/pdf", b"%PDF\xff")]

    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        return answers.pop(0)

    async with listening(a_table(a_tool()), execute) as listener, listener.client(era) as client:
        (picture,) = (await client.call_tool("get-orders", {})).content
        (document,) = (await client.call_tool("get-orders", {})).content
    assert isinstance(picture, ImageContent)
    assert (picture.mime_type, picture.data) == ("image/png", "iVBORw==")
    assert isinstance(document, EmbeddedResource)
    assert isinstance(document.resource, BlobResourceContents)
    assert document.resource.mime_type == "application/pdf"


async def test_numbers_keep_every_digit_both_ways(era: str) -> None:
    exact = '{"price":0.12345678901234567890,"id":123456789012345678901234567890}'
    message = call_message("place", {"body": "@"})
    headers: dict[str, str] = {}
    if era == MODERN:
        message, headers = modern(message)
    table = a_table(a_tool("place", accepts_body=True))
    async with listening(table, echoing()) as listener:
        response = await listener.request(
            content=json.dumps(message).replace('"@"', exact), headers=headers
        )
    assert f'"structuredContent":{exact}' in response.text
    assert response.json()["result"]["content"][0]["text"] == exact


async def test_R7_a_bug_in_the_engine_shows_an_id_and_nothing_else(
    era: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def execute(operation: OperationPlan, inputs: Inputs) -> Outcome:
        raise RuntimeError("token=hunter2")

    with caplog.at_level(logging.ERROR, "naftiko.mcp"):
        async with (
            listening(a_table(a_tool()), execute) as listener,
            listener.client(era) as client,
        ):
            result = await client.call_tool("get-orders", {})
    assert result.is_error
    assert "hunter2" not in text_of(result)
    incident = text_of(result).split('"')[1]
    assert incident in caplog.text


async def test_R7_a_bug_in_the_adapter_shows_an_id_and_nothing_else(
    era: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*args: object, **options: object) -> None:
        raise RuntimeError("token=hunter2")

    async with listening(a_table(a_tool()), echoing()) as listener:
        monkeypatch.setattr("naftiko_runtime.exposes.mcp.tool_handlers.tool_result", explode)
        monkeypatch.setattr("naftiko_runtime.exposes.mcp.lists.PAGE_SIZE", "token=hunter2")
        async with listener.client(era) as client:
            for act in (client.list_tools, lambda: client.call_tool("get-orders", {})):
                with pytest.raises(MCPError) as caught:
                    await act()
                assert "hunter2" not in str(caught.value)
                assert caught.value.message.split('"')[1] in caplog.text


async def test_a_table_of_thousands_is_listed_in_pages(era: str) -> None:
    tools = [a_tool(f"tool-{number}") for number in range(2500)]
    found: list[str] = []
    async with listening(a_table(*tools), echoing()) as listener, listener.client(era) as client:
        page = await client.list_tools()
        while True:
            found += [tool.name for tool in page.tools]
            if page.next_cursor is None:
                break
            page = await client.list_tools(cursor=page.next_cursor)
        with pytest.raises(MCPError, match="unknown cursor") as caught:
            await client.list_tools(cursor="no-such-tool")
    assert found == [tool.name for tool in tools]
    assert caught.value.code == -32602


async def test_the_list_is_the_same_each_time(era: str) -> None:
    table = a_table(*(a_tool(name) for name in ("b", "a", "c")))
    async with listening(table, echoing()) as listener, listener.client(era) as client:
        lists = [await client.list_tools() for _ in range(3)]
    assert lists[0] == lists[1] == lists[2]
    assert [tool.name for tool in lists[0].tools] == ["b", "a", "c"]


async def test_the_server_says_what_it_is(era: str) -> None:
    table = a_table(a_tool(), namespace="orders", description="Places orders.")
    mode = HANDSHAKE if era == HANDSHAKE else "auto"
    async with listening(table, echoing()) as listener, listener.client(mode) as client:
        assert (client.protocol_version == MODERN) == (era == MODERN)
        info, capabilities = client.server_info, client.server_capabilities
        assert client.instructions == "orders: Places orders."
    assert info is not None
    assert (info.name, info.title) == ("naftiko", "orders")
    assert info.version
    assert capabilities is not None
    assert capabilities.tools is not None
    assert capabilities.tools.list_changed is True
