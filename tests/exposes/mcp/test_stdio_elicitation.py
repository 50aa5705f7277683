"""Users are asked over standard input and output, too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ElicitResult

from tests.exposes.mcp.gateway_that_asks import PAGE, QUESTION
from tests.exposes.mcp.listener import ERAS

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ERAS)]

ROOT = Path(__file__).resolve().parents[3]
ORDER = {"symbol": "AAPL", "quantity": 5}


async def placed(era: str, needs: str, answer: ElicitResult) -> tuple[Any, Any]:
    """What the user was asked, and what became of the order."""
    asked: list[Any] = []

    async def ask(context: Any, params: Any) -> ElicitResult:
        asked.append(params)
        return answer

    command = ["-m", "tests.exposes.mcp.stdio_gateway", needs]
    program = StdioServerParameters(command=sys.executable, args=command, cwd=ROOT)
    with anyio.fail_after(60):
        async with Client(program, mode=era, elicitation_callback=ask) as client:
            result = await client.call_tool("place-order", ORDER)
    (params,) = asked
    return params, result


async def test_a_question_is_answered(era: str) -> None:
    yes = ElicitResult(action="accept", content={"answer": True})
    asked, result = await placed(era, "answer", yes)
    assert asked.message == QUESTION
    assert result.structured_content == {"order": 1}


async def test_an_address_is_shown(era: str) -> None:
    asked, result = await placed(era, "approval", ElicitResult(action="decline"))
    assert asked.url == PAGE
    assert result.is_error
    assert "The user did not open the address." in result.content[0].text
