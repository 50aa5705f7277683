"""Completion of the arguments whose values the file lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from tests.exposes.mcp.files import a_file, offering, write
from tests.exposes.mcp.listener import ERAS

pytestmark = pytest.mark.anyio

PROMPT = {
    "name": "ask",
    "label": "Ask",
    "description": "Asks.",
    "arguments": [
        {"name": "tone", "description": "How.", "enum": ["Kind", "unkind", "brief", "blunt", True]},
        {"name": "topic", "description": "What about."},
    ],
    "template": [{"role": "user", "content": "{{tone}} {{topic}}"}],
}
SIDES = {
    "name": "orders",
    "path": "/orders",
    "inputParameters": [
        {"name": "order_side", "in": "query", "type": "string", "enum": ["BUY", "SELL"]},
        {"name": "size", "in": "query", "type": "integer", "enum": [10, 100]},
    ],
}
TEMPLATE = a_file("orders", "orders://{order-side}/{size}/{note}", call="up.orders")


@asynccontextmanager
async def completing(folder: Path, era: str) -> AsyncIterator[Any]:
    path = write(folder, operations=[SIDES], prompts=[PROMPT], resources=[TEMPLATE])
    async with offering(path) as listener, listener.client(era) as client:
        yield client


async def values(client: Any, ref: Any, name: str, value: str) -> list[str]:
    found = (await client.complete(ref, {"name": name, "value": value})).completion
    assert found.total == len(found.values)
    assert not found.has_more
    listed: list[str] = found.values
    return listed


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("begun", "expected"),
    [
        ("", ["Kind", "unkind", "brief", "blunt", "true"]),
        ("b", ["brief", "blunt"]),
        ("kin", ["Kind", "unkind"]),
        ("ind", ["Kind", "unkind"]),
        ("zzz", []),
        ("[", []),
    ],
)
async def test_the_arguments_of_a_prompt(
    tmp_path: Path, era: str, begun: str, expected: list[str]
) -> None:
    async with completing(tmp_path, era) as client:
        assert await values(client, PromptReference(name="ask"), "tone", begun) == expected


@pytest.mark.parametrize("era", ERAS)
async def test_the_variables_of_a_resource_template(tmp_path: Path, era: str) -> None:
    async with completing(tmp_path, era) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        ref = ResourceTemplateReference(uri=template.uri_template)
        assert template.uri_template == "orders://{order_side}/{size}/{note}"
        assert await values(client, ref, "order_side", "s") == ["SELL"]
        assert await values(client, ref, "order-side", "") == ["BUY", "SELL"]
        assert await values(client, ref, "size", "1") == ["10", "100"]
        assert await values(client, ref, "note", "") == []


async def test_an_argument_without_listed_values_has_none(tmp_path: Path) -> None:
    async with completing(tmp_path, ERAS[1]) as client:
        assert await values(client, PromptReference(name="ask"), "topic", "x") == []


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (PromptReference(name="ask"), "colour"),
        (PromptReference(name="nobody"), "tone"),
        (ResourceTemplateReference(uri="orders://{order_side}/{size}/{note}"), "colour"),
        (ResourceTemplateReference(uri="orders://{x}"), "x"),
    ],
)
@pytest.mark.parametrize("era", ERAS)
async def test_what_is_not_there_cannot_be_completed(
    tmp_path: Path, era: str, ref: Any, name: str
) -> None:
    async with completing(tmp_path, era) as client:
        with pytest.raises(MCPError) as caught:
            await client.complete(ref, {"name": name, "value": ""})
    assert caught.value.code == -32602
    assert f'"{name}"' in caught.value.message


async def test_at_most_a_hundred_values_are_sent(tmp_path: Path) -> None:
    many = PROMPT | {
        "arguments": [
            {"name": "n", "description": "N.", "enum": [f"value-{n}" for n in range(250)]}
        ]
    }
    many["template"] = [{"role": "user", "content": "{{n}}"}]
    async with (
        offering(write(tmp_path, prompts=[many])) as listener,
        listener.client(ERAS[1]) as client,
    ):
        reference = PromptReference(name="ask")
        found = (await client.complete(reference, {"name": "n", "value": "value"})).completion
    assert (len(found.values), found.total, found.has_more) == (100, 250, True)
