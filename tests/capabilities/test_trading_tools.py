"""The trading API as tools for agents, through the official client in both protocol eras."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client

from examples.paper_gateway.orders import OrderType
from tests.capabilities.trading import Trading, trading

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "AAPL", "action": "BUY", "quantity": 10}
READING = {"get-account", "list-positions", "list-orders", "list-executions"}
_NUMBERS = iter(range(1000))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    with trading(tmp_path_factory.mktemp("tools"), accepted="o10152") as running:
        yield running


@pytest.fixture
def api(served: Trading) -> Trading:
    served.pin("232.00")
    return served


@pytest.fixture(params=["legacy", "2026-07-28"])
def mode(request: pytest.FixtureRequest) -> Any:
    return request.param


def reference() -> str:
    return f"agent-{next(_NUMBERS)}"


async def called(client: Any, name: str, **arguments: Any) -> Any:
    """What a tool answers, as structured content and as text alike."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def refused(client: Any, name: str, **arguments: Any) -> str:
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return str(result.content[0].text)


async def test_tools_say_what_they_do_and_whether_they_change_anything(api: Trading) -> None:
    async with Client(api.serving.mcp()) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert len(tools) == 10
    for name, tool in tools.items():
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (name in READING)
        assert tool.annotations.destructive_hint is (name not in READING)
        assert tool.description
        assert len(tool.description) > 60
        properties = tool.input_schema["properties"]
        assert all(each["description"] for each in properties.values())
        if name.startswith("place-"):
            assert "order_ref" in tool.input_schema["required"]


async def test_an_agent_places_lists_and_cancels_a_bracket(api: Trading, mode: Any) -> None:
    async with Client(api.serving.mcp(), mode=mode) as client:
        account = await called(client, "get-account")
        assert account["balance"] > 0
        prices = {"entry_price": 230, "stop_loss": 225, "take_profit": 240}
        placed = await called(
            client, "place-bracket-order", **ORDER, **prices, order_ref=reference()
        )
        assert placed["status"] == "✅ Bracket order sent"
        assert len(placed["permIds"]) == 3
        orders = (await called(client, "list-orders"))["orders"]
        listed = {each["permId"]: each for each in orders}
        assert [listed[each]["type"] for each in placed["permIds"]] == ["LMT", "STP", "LMT"]
        entry = placed["permIds"][0]
        done = await called(client, "cancel-pending-order", perm_id=entry)
        assert done == {"status": f"✅ Order {entry} cancelled"}
        text = await refused(client, "cancel-pending-order", perm_id=entry)
        assert "Order not found or already filled" in text
        orders = (await called(client, "list-orders"))["orders"]
        assert not {each["permId"] for each in orders} & set(placed["permIds"])


async def test_an_agent_is_told_the_question_and_which_tool_answers_it(
    api: Trading, mode: Any
) -> None:
    async with Client(api.serving.mcp(), mode=mode) as client:
        before = len(api.placed())
        text = await refused(client, "place-market-order", **ORDER, order_ref=reference())
        assert "is a market order" in text
        assert "answer-trading-question" in text
        assert len(api.placed()) == before
        placement = api.gateway.session.memory.placement
        assert placement is not None
        assert placement.reply_id in text
        done = await called(
            client, "answer-trading-question", question_id=placement.reply_id, confirmed=True
        )
        order = api.placed()[-1]
        assert done == {"status": "✅ Order sent", "permIds": [order.order_id]}
        assert order.request.order_type is OrderType.MARKET


async def test_an_agent_has_to_give_a_reference(api: Trading, mode: Any) -> None:
    async with Client(api.serving.mcp(), mode=mode) as client:
        before = len(api.placed())
        text = await refused(client, "place-limit-order", **ORDER, limit_price=230)
        assert '"order_ref" is required' in text
        assert len(api.placed()) == before


async def test_an_agent_is_told_what_rest_callers_are_told(api: Trading, mode: Any) -> None:
    async with Client(api.serving.mcp(), mode=mode) as client:
        order = ORDER | {"symbol": "INVALID", "limit_price": 230, "order_ref": reference()}
        text = await refused(client, "place-limit-order", **order)
    said = "Failed to place limit order: Could not qualify contract for symbol: INVALID"
    assert text == f"Refused: {said}"
    assert api.post("/order/limit", **order).json() == {"detail": said}


async def test_positions_and_executions_are_those_of_rest(api: Trading, mode: Any) -> None:
    async with Client(api.serving.mcp(), mode=mode) as client:
        executions = await called(client, "list-executions", symbol="aapl")
        positions = await called(client, "list-positions")
    assert executions == api.get("/executions", symbol="AAPL").json()
    assert [each["symbol"] for each in positions["positions"]] == [
        each["symbol"] for each in api.get("/positions").json()["positions"]
    ]
