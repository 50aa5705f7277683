"""Prompts, inline and from files: their lists, their messages, and what is refused."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import TextContent

from naftiko_runtime.problems import Severity
from tests.exposes.mcp.files import load, offering, write
from tests.exposes.mcp.listener import ERAS

pytestmark = pytest.mark.anyio

REVIEW = {
    "name": "review-order",
    "label": "Review",
    "description": "Reviews an order.",
    "arguments": [
        {"name": "order-id", "label": "Order", "description": "Which order."},
        {"name": "tone", "description": "How to speak.", "required": False},
        {"name": "depth", "description": "How deep.", "default": 2},
    ],
    "template": [
        {"role": "user", "content": "Review {{order-id}}{{ tone }} to depth {{depth}}."},
        {"role": "assistant", "content": "Which of {{ORDER_ID}} and {{order-id}}?"},
    ],
}
FROM_FILE = {
    "name": "greet",
    "label": "Greet",
    "description": "Greets.",
    "arguments": [{"name": "name", "description": "Whom."}],
    "location": "file:///./prompts/greet.md",
}


@pytest.fixture
def greeting(tmp_path: Path) -> Path:
    path = tmp_path / "prompts" / "greet.md"
    path.parent.mkdir()
    path.write_text("Hello {{name}}, é {{other}}!")
    return path


@asynccontextmanager
async def asking(folder: Path, era: str, *prompts: Any) -> AsyncIterator[Any]:
    async with offering(write(folder, prompts=prompts)) as listener, listener.client(era) as client:
        yield client


async def messages(client: Any, name: str, /, **arguments: str) -> list[tuple[str, str]]:
    result = await client.get_prompt(name, arguments)
    assert all(isinstance(message.content, TextContent) for message in result.messages)
    return [(message.role, message.content.text) for message in result.messages]


async def refusal(client: Any, name: str, arguments: dict[str, str]) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    error: MCPError = caught.value
    return error


@pytest.mark.parametrize("era", ERAS)
async def test_a_prompt_is_listed_with_its_arguments(tmp_path: Path, era: str) -> None:
    async with asking(tmp_path, era, REVIEW) as client:
        (prompt,) = (await client.list_prompts()).prompts
    assert (prompt.name, prompt.title) == ("review-order", "Review")
    assert prompt.description == "Reviews an order."
    assert [(a.name, a.title, a.description, a.required) for a in prompt.arguments] == [
        ("order-id", "Order", "Which order.", True),
        ("tone", None, "How to speak.", False),
        ("depth", None, "How deep.", False),
    ]


@pytest.mark.parametrize("era", ERAS)
async def test_messages_come_in_order_with_their_roles_and_values(tmp_path: Path, era: str) -> None:
    async with asking(tmp_path, era, REVIEW) as client:
        given = {"order-id": "o 1", "tone": " kindly"}
        assert await messages(client, "review-order", **given) == [
            ("user", "Review o 1 kindly to depth 2."),
            ("assistant", "Which of o 1 and o 1?"),
        ]
        result = await client.get_prompt("review-order", given)
    assert result.description == "Reviews an order."


async def test_an_optional_argument_that_is_not_given_is_empty_text(tmp_path: Path) -> None:
    async with asking(tmp_path, ERAS[1], REVIEW) as client:
        (first, _) = await messages(client, "review-order", **{"order-id": "1"})
    assert first == ("user", "Review 1 to depth 2.")


@pytest.mark.parametrize("value", ["{{tone}}", "{{order-id}}", "{{{x}}}", "$&\\1\\g<0>", "{{", ""])
async def test_A8_a_value_is_never_read_as_a_template(tmp_path: Path, value: str) -> None:
    async with asking(tmp_path, ERAS[1], REVIEW) as client:
        given = {"order-id": value, "tone": "SECOND"}
        first, second = await messages(client, "review-order", **given)
    assert first == ("user", f"Review {value}SECOND to depth 2.")
    assert second == ("assistant", f"Which of {value} and {value}?")


@pytest.mark.parametrize("era", ERAS)
async def test_a_required_argument_that_is_missing_is_named(tmp_path: Path, era: str) -> None:
    async with asking(tmp_path, era, REVIEW) as client:
        error = await refusal(client, "review-order", {"tone": "x"})
    assert error.code == -32602
    assert error.message == 'prompt "review-order": "order-id" is required: Which order.'


async def test_argument_names_may_differ_in_case_dashes_and_underscores(tmp_path: Path) -> None:
    async with asking(tmp_path, ERAS[1], REVIEW) as client:
        (first, _) = await messages(client, "review-order", Order_ID="9")
        twice = await refusal(client, "review-order", {"order-id": "1", "orderId": "2"})
    assert first == ("user", "Review 9 to depth 2.")
    assert (twice.code, '"order-id" is given twice' in twice.message) == (-32602, True)


async def test_A10_an_unknown_argument_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    async with asking(tmp_path, ERAS[1], REVIEW) as client:
        error = await refusal(client, "review-order", {"order-id": "1", "colour": "red"})
    assert error.code == -32602
    assert 'unknown argument "colour" - the prompt takes order-id, tone, depth' in error.message


async def test_an_unknown_prompt_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    async with asking(tmp_path, ERAS[1], REVIEW) as client:
        error = await refusal(client, "review-ordr", {})
    assert error.code == -32602
    assert 'unknown prompt "review-ordr" - did you mean "review-order"?' in error.message


async def test_a_placeholder_without_an_argument_stays_unless_it_is_given(tmp_path: Path) -> None:
    prompt = {"name": "p", "template": [{"role": "user", "content": "{{a}} {{ b }} {{}} {c}"}]}
    path = write(tmp_path, prompts=[prompt | {"label": "P", "description": "P."}])
    problems = load(path).problems
    assert {problem.rule for problem in problems} == {"undeclared-argument"}
    assert {problem.severity for problem in problems} == {Severity.WARNING}
    async with offering(path) as listener, listener.client(ERAS[1]) as client:
        assert await messages(client, "p") == [("user", "{{a}} {{ b }} {{}} {c}")]
        assert await messages(client, "p", b="B") == [("user", "{{a}} B {{}} {c}")]


@pytest.mark.parametrize("era", ERAS)
async def test_a_file_is_one_message_of_the_user_and_read_anew_each_time(
    greeting: Path, tmp_path: Path, era: str
) -> None:
    async with asking(tmp_path, era, FROM_FILE) as client:
        assert await messages(client, "greet", name="Ann") == [("user", "Hello Ann, é {{other}}!")]
        greeting.write_text("Bye {{ name }}.")
        assert await messages(client, "greet", name="Ann") == [("user", "Bye Ann.")]
        error = await refusal(client, "greet", {})
    assert (error.code, '"name" is required' in error.message) == (-32602, True)


@pytest.mark.parametrize("fault", ["missing", "folder", "pipe", "binary", "denied"])
async def test_a_file_that_cannot_be_used_is_an_error_that_shows_no_path(
    greeting: Path, tmp_path: Path, fault: str
) -> None:
    async with asking(tmp_path, ERAS[0], FROM_FILE) as client:
        greeting.unlink()
        if fault == "folder":
            greeting.mkdir()
        elif fault == "pipe":
            os.mkfifo(greeting)
        elif fault == "binary":
            greeting.write_bytes(b"\x00\xff")
        elif fault == "denied":
            greeting.symlink_to(greeting.name)
        error = await refusal(client, "greet", {"name": "Ann"})
    assert error.code == -32603
    assert "its file cannot be used" in error.message
    assert str(tmp_path) not in error.message


async def test_a_prompt_whose_file_is_missing_is_warned_of_and_served(tmp_path: Path) -> None:
    path = write(tmp_path, prompts=[FROM_FILE])
    (problem,) = load(path).problems
    assert (problem.rule, problem.severity) == ("location-missing", Severity.WARNING)
    async with offering(path) as listener, listener.client(ERAS[1]) as client:
        assert len((await client.list_prompts()).prompts) == 1


async def test_a_prompt_name_that_clients_refuse_gets_an_alias(tmp_path: Path) -> None:
    odd = REVIEW | {"name": "review order!"}
    async with asking(tmp_path, ERAS[1], odd) as client:
        (prompt,) = (await client.list_prompts()).prompts
        for name in (prompt.name, "review order!"):
            assert len(await messages(client, name, **{"order-id": "1"})) == 2
    assert prompt.name == "review_order_"
