"""The trading API with the settings that are shipped beside it: agents need a person's approval,
REST clients do not."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import running_gateway
from tests.capabilities.shipped import FOLDER
from tests.capabilities.trading import AAPL, Trading
from tests.serving_process import run_naftiko, serve

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "AAPL", "action": "BUY", "quantity": 10}


@pytest.fixture
def api(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Trading]:
    """Both shipped files in a folder of their own, in front of a gateway that keeps its pace unless
    the test wants none."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in ("trading.yaml", "runtime.yaml"):
        shutil.copy(FOLDER / name, folder)
    with running_gateway(
        PaperGateway(pacing=getattr(request, "param", 1)), state=tmp_path
    ) as running:
        running.gateway.market.pin(AAPL, Decimal("232.00"), running.gateway.clock())
        options = [f"--ca={running.certificate_path}", f"--base-uri=trading={running.base_uri}"]
        env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}
        ports = (8000, 9090, 9099)
        with (
            serve(folder, options=options, env=env, ports=ports) as serving,
            httpx2.Client(base_url=serving.rest(8000), timeout=30) as http,
        ):
            yield Trading(running, serving, http)


def approve(tmp_path: Path, text: str, *options: str) -> None:
    """What a person does in a terminal about the call that a tool's error tells of."""
    found = re.search(r'"naftiko approve (\w+)"', text)
    assert found is not None, text
    env = {"NAFTIKO_RUNTIME_DIR": str(tmp_path / "running")}
    done = run_naftiko("approve", *options, found[1], env=env)
    assert done.returncode == 0, done.stdout + done.stderr


async def call(client: Any, name: str, **arguments: Any) -> tuple[bool, str]:
    result = await client.call_tool(name, arguments)
    return bool(result.is_error), str(result.content[0].text)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_an_agent_s_order_is_placed_once_a_person_approved_it(
    api: Trading, tmp_path: Path, mode: Any
) -> None:
    order = ORDER | {"limit_price": 230, "order_ref": "agent-1"}
    async with Client(api.serving.mcp(), mode=mode) as client:
        failed, text = await call(client, "place-limit-order", **order)
        assert failed
        assert "Approval required" in text
        assert "2,300.00 USD (10 Shares)" in text
        assert api.placed() == []
        await asyncio.to_thread(approve, tmp_path, text)
        failed, text = await call(client, "place-limit-order", **order | {"quantity": 11})
        assert failed
        assert api.placed() == []
        failed, text = await call(client, "place-limit-order", **order)
        assert not failed, text
        (placed,) = api.placed()
        assert json.loads(text)["permId"] == placed.order_id
        failed, again = await call(client, "place-limit-order", **order)
        assert (failed, again) == (False, text)
        assert len(api.placed()) == 1
        failed, text = await call(client, "cancel-pending-order", perm_id=placed.order_id)
        assert failed
        await asyncio.to_thread(approve, tmp_path, text, "--refuse")
        failed, text = await call(client, "cancel-pending-order", perm_id=placed.order_id)
        assert failed
        assert api.gateway.book.find(placed.order_id).live


async def test_an_agent_s_answer_to_a_question_needs_approval_too(
    api: Trading, tmp_path: Path
) -> None:
    order = ORDER | {"order_ref": "agent-2"}
    async with Client(api.serving.mcp()) as client:
        _, text = await call(client, "place-market-order", **order)
        await asyncio.to_thread(approve, tmp_path, text)
        failed, text = await call(client, "place-market-order", **order)
        assert failed
        assert "is a market order" in text
        assert api.placed() == []
        placement = api.gateway.session.memory.placement
        assert placement is not None
        answer = {"question_id": placement.reply_id, "confirmed": True}
        failed, text = await call(client, "answer-trading-question", **answer)
        assert failed
        await asyncio.to_thread(approve, tmp_path, text)
        failed, text = await call(client, "answer-trading-question", **answer)
        assert not failed, text
    (placed,) = api.placed()
    assert json.loads(text)["permIds"] == [placed.order_id]


async def test_reading_needs_no_approval(api: Trading) -> None:
    async with Client(api.serving.mcp()) as client:
        for name in ("get-account", "list-positions", "list-orders", "list-executions"):
            failed, text = await call(client, name)
            assert not failed, text


def test_rest_clients_trade_unasked_and_never_twice(api: Trading) -> None:
    body = ORDER | {"limit_price": 230, "order_ref": "mine-1"}
    first = api.post("/order/limit", **body)
    assert first.status_code == 200, first.text
    assert api.post("/order/limit", **body).json() == first.json()
    other = api.post("/order/limit", **body | {"quantity": 11})
    assert other.status_code == 409
    assert set(other.json()) == {"detail"}
    (placed,) = api.placed()
    assert placed.request.quantity == 10
    pending = api.get("/orders").json()["orders"]
    assert [each["permId"] for each in pending] == [placed.order_id]
    assert api.post("/order/cancel", perm_id=placed.order_id).status_code == 200


def test_what_changes_something_is_recorded(api: Trading, tmp_path: Path) -> None:
    assert api.post("/order/limit", **ORDER, limit_price=230).status_code == 200
    journal = tmp_path / "shipped" / "audit.jsonl"
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [record["event"] for record in records] == ["begin", "end"]
    assert records[0]["call"]["name"] == "trading-rest.place-limit-order"
    done = run_naftiko("audit", "verify", journal)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("api", [0], indirect=True)
def test_an_order_keeps_its_reference_while_its_question_is_open_and_after_a_yes(
    api: Trading,
) -> None:
    far = ORDER | {"limit_price": 100, "order_ref": "far-1"}

    def question() -> dict[str, Any]:
        asked = api.post("/order/limit", **far)
        assert asked.status_code == 409, asked.text
        found: dict[str, Any] = asked.json()["question"]
        return found

    first = question()
    assert question() == first
    assert api.post("/order/answer", **first["answer"]["decline"]).status_code == 200
    assert api.placed() == []
    second = question()
    assert second["id"] != first["id"]
    done = api.post("/order/answer", **second["answer"]["accept"])
    assert done.status_code == 200, done.text
    assert len(api.placed()) == 1
    again = api.post("/order/limit", **far)
    assert again.status_code == 409, again.text
    assert "has been answered" in again.json()["detail"]
    assert len(api.placed()) == 1
