"""Requests while the MCP library cannot be loaded: each fails, and the next one tries again."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from naftiko_runtime.exposes.mcp import application
from tests.exposes.mcp.listener import ERAS, call_message, listening
from tests.exposes.mcp.plans import a_table, a_tool, echoing

pytestmark = pytest.mark.anyio


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes loading the library fail as long as the list holds a reason."""
    reasons = ["no module named mcp"]
    load = application.McpApplication._load

    def fail(self: application.McpApplication, table: Any) -> Any:
        if reasons:
            raise ImportError(reasons[0])
        return load(self, table)

    monkeypatch.setattr(application.McpApplication, "_load", fail)
    return reasons


async def test_a_request_fails_and_says_where_the_reason_is(
    broken: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with listening(a_table(a_tool("t")), echoing()) as listener:
            answers = [
                await listener.request(message=call_message("t", {})),
                await listener.request(message={"jsonrpc": "2.0", "id": 2, "method": "initialize"}),
            ]
    for answer in answers:
        assert answer.status_code == 500
        assert answer.json()["type"] == "urn:naftiko:problem:internal-error"
        assert answer.json()["detail"].startswith("MCP cannot be served at the moment")
        assert "no module" not in answer.text
    assert "no module named mcp" in caplog.text


@pytest.mark.parametrize("era", ERAS)
async def test_a_later_request_succeeds_once_there_is_a_server(broken: list[str], era: str) -> None:
    async with listening(a_table(a_tool("t")), echoing()) as listener:
        assert (await listener.request(message=call_message("t", {}))).status_code == 500
        broken.clear()
        async with listener.client(era) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["t"]
