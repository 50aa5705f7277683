"""What stands between a call and its success is put to the user, through the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client
from mcp_types import (
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    TextContent,
)

from naftiko_runtime.exposes.mcp.asking import Asking
from tests.exposes.mcp.gateway_that_asks import PAGE, QUESTION, Gateway, a_trading_table
from tests.exposes.mcp.listener import ERAS, HANDSHAKE, listening

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]

ORDER = {"symbol": "AAPL", "quantity": 5}
PLACE = ("place-order", ORDER)
YES = ElicitResult(action="accept", content={"answer": True})
NO = ElicitResult(action="accept", content={"answer": False})


class User:
    """Answers what a client asks with `answers` in turn, after `act`; `asked` is what came."""

    def __init__(
        self, *answers: ElicitResult, act: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._answers = [*answers]
        self._act = act
        self.asked: list[Any] = []

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params)
        if self._act is not None:
            await self._act()
        return self._answers.pop(0)


@asynccontextmanager
async def trading(
    gateway: Gateway, era: str, user: User | None = None, asking: Asking | None = None
) -> AsyncIterator[Client]:
    async with (
        listening(a_trading_table(), gateway.execute, asking=asking) as listener,
        listener.client(era, elicitation_callback=user) as client,
    ):
        yield client


def text_of(result: Any) -> str:
    (part,) = result.content
    assert isinstance(part, TextContent)
    return part.text


async def test_a_question_is_put_as_a_form_and_yes_carries_out_its_answer(era: str) -> None:
    gateway, user = Gateway(frozenset({"answer"})), User(YES)
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("place-order", ORDER)
    (asked,) = user.asked
    assert isinstance(asked, ElicitRequestFormParams)
    assert asked.message == QUESTION
    assert {key: value["type"] for key, value in asked.requested_schema["properties"].items()} == {
        "answer": "boolean"
    }
    assert result.is_error is False
    assert result.structured_content == {"order": 1}
    assert gateway.calls == [PLACE, ("reply", {"id": "q-1", "confirmed": True})]


@pytest.mark.parametrize("reply", [NO, ElicitResult(action="decline")], ids=["no", "declined"])
async def test_no_carries_out_the_other_answer(era: str, reply: ElicitResult) -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway, era, User(reply)) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.structured_content == {"dropped": True}
    assert gateway.calls == [PLACE, ("reply", {"id": "q-1", "confirmed": False})]


@pytest.mark.parametrize(
    "reply",
    [
        ElicitResult(action="cancel"),
        ElicitResult(action="accept"),
        ElicitResult(action="accept", content={"answer": "yes"}),
        ElicitResult(action="accept", content={"answer": 1}),
        ElicitResult(action="accept", content={"confirm": True}),
    ],
    ids=["cancelled", "empty", "text", "number", "other field"],
)
async def test_what_is_neither_yes_nor_no_does_nothing_and_says_how_to_go_on(
    era: str, reply: ElicitResult
) -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway, era, User(reply)) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.is_error
    assert "The user did not answer." in text_of(result)
    assert 'call the tool "reply" with {"id": "q-1", "confirmed": true}' in text_of(result)
    assert gateway.calls == [PLACE]


async def test_an_approval_is_asked_for_by_its_address_and_the_call_made_again(era: str) -> None:
    gateway = Gateway(frozenset({"approval"}))

    async def approve() -> None:
        gateway.approved = True

    user = User(ElicitResult(action="accept"), act=approve)
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("place-order", ORDER)
    (asked,) = user.asked
    assert isinstance(asked, ElicitRequestURLParams)
    assert (asked.url, asked.message) == (PAGE, "Buy 5 AAPL?")
    assert asked.elicitation_id == ("a-1" if era == HANDSHAKE else None)
    assert result.structured_content == {"order": 1}
    assert gateway.calls == [PLACE, PLACE]


async def test_a_call_waits_until_the_person_has_decided(era: str) -> None:
    """To accept an address is to go there; the decision comes later."""
    gateway = Gateway(frozenset({"approval"}))
    waited_for: list[str] = []

    async def decided(id: str) -> None:
        waited_for.append(id)
        gateway.approved = True

    user = User(ElicitResult(action="accept"))
    async with trading(gateway, era, user, Asking(decided=decided)) as client:
        result = await client.call_tool("place-order", ORDER)
    assert waited_for == ["a-1"]
    assert result.structured_content == {"order": 1}


async def test_accepting_the_address_approves_nothing(era: str) -> None:
    gateway = Gateway(frozenset({"approval"}))
    user = User(ElicitResult(action="accept", content={"answer": True, "confirm": True}))
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.is_error
    assert "Nobody has decided so far." in text_of(result)
    assert PAGE in text_of(result)
    assert gateway.placed == 0
    assert len(user.asked) == 1


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_an_address_that_the_user_does_not_open_ends_the_call(era: str, action: Any) -> None:
    gateway, user = Gateway(frozenset({"approval"})), User(ElicitResult(action=action))
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.is_error
    assert "The user did not open the address." in text_of(result)
    assert gateway.calls == [PLACE]


async def test_an_approval_is_followed_by_the_gateways_questions(era: str) -> None:
    gateway = Gateway(frozenset({"approval", "answer"}), questions=2)

    async def approve() -> None:
        gateway.approved = True

    user = User(ElicitResult(action="accept"), YES, YES, YES, act=approve)
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.structured_content == {"order": 1}
    assert [type(each).__name__[13:] for each in user.asked] == ["URLParams"] + 3 * ["FormParams"]


async def test_an_answer_that_has_to_be_approved_is_repeated_and_not_the_first_call(
    era: str,
) -> None:
    gateway = Gateway(frozenset({"answer"}), reply_needs_approval=True)

    async def approve() -> None:
        gateway.approved = True

    user = User(YES, ElicitResult(action="accept"))
    async with trading(gateway, era, user, Asking(decided=lambda _: approve())) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.structured_content == {"order": 1}
    answer = ("reply", {"id": "q-1", "confirmed": True})
    assert gateway.calls == [PLACE, answer, answer]
    assert user.asked[1].url == PAGE.replace("a-1", "a-2")


async def test_nobody_is_asked_more_than_five_questions_about_a_call(era: str) -> None:
    gateway, user = Gateway(frozenset({"answer"}), questions=100), User(*[YES] * 20)
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("place-order", ORDER)
    assert result.is_error
    assert "5 questions were asked so far." in text_of(result)
    assert len(user.asked) == 5
    assert gateway.placed == 0


async def test_a_question_that_no_tool_can_answer_is_not_put(era: str) -> None:
    gateway, user = Gateway(), User(YES)
    async with trading(gateway, era, user) as client:
        result = await client.call_tool("drop", {})
    assert result.is_error
    assert user.asked == []


async def test_a_client_that_cannot_ask_is_told_where_a_person_approves(era: str) -> None:
    gateway = Gateway(frozenset({"approval"}))
    async with trading(gateway, era) as client:
        result = await client.call_tool("place-order", ORDER)
    text = text_of(result)
    assert result.is_error
    assert text.startswith("Approval required: a person has to approve it")
    for part in ("a-1", PAGE, "2026-11-21T12:00:00Z", "1.02 USD"):
        assert part in text
    assert "repeat exactly the same call" in text
    assert len(gateway.calls) == 1


async def test_a_client_that_cannot_ask_is_told_which_call_answers(era: str) -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway, era) as client:
        result = await client.call_tool("place-order", ORDER)
    text = text_of(result)
    assert result.is_error
    assert QUESTION in text
    assert 'call the tool "reply" with {"id": "q-1", "confirmed": true}' in text
    assert 'for no with {"id": "q-1", "confirmed": false}' in text
    assert gateway.calls == [PLACE]


async def test_what_a_client_is_told_reads_as_sentences(era: str) -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway, era, User(ElicitResult(action="cancel"))) as client:
        open_one = await client.call_tool("place-order", ORDER)
    async with trading(gateway, era) as client:
        unasked = await client.call_tool("place-order", ORDER)
    told = (
        f'Put this question to the user: "{QUESTION}". For yes, call the tool "reply" with '
        '{"id": "q-1", "confirmed": true}, for no with {"id": "q-1", "confirmed": false}.'
    )
    start = "A question is to be answered first: the gateway asks first."
    assert text_of(unasked) == f"{start} {told}"
    assert text_of(open_one) == f"{start} The user did not answer. {told}"
