"""An agent trades, as the settings that are shipped with the trading API let it: a person approves
on a phone, and answers the broker's question in the client."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from anyio.to_thread import run_sync
from mcp import Client
from mcp_types import ElicitRequestURLParams, ElicitResult

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.orders import Order, OrderType
from examples.paper_gateway.server import RunningGateway, running_gateway
from tests.browser import Browser, needs_chromium
from tests.exposes.mcp.listener import ERAS
from tests.serving_process import ROOT, Serving, serve

pytestmark = [needs_chromium, pytest.mark.anyio]

AAPL = 265598
PASSWORD = "correct horse battery"
BRACKET = {
    "symbol": "AAPL",
    "action": "BUY",
    "quantity": 10,
    "entry_price": 230.0,
    "stop_loss": 225.0,
    "take_profit": 240.0,
}


@dataclass(frozen=True)
class Floor:
    gateway: PaperGateway
    serving: Serving
    audit: Path

    @property
    def orders(self) -> list[Order]:
        return self.gateway.book.orders()


@dataclass
class Person:
    """Goes to where the client sends him, looks, and approves; says yes to questions. `seen` are
    the texts of the pages, `questions` what was asked in the client."""

    phone: Browser
    seen: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    async def __call__(self, context: Any, params: Any) -> ElicitResult:
        if isinstance(params, ElicitRequestURLParams):
            await run_sync(self._approve, params.url)
            return ElicitResult(action="accept")
        self.questions.append(params.message)
        return ElicitResult(action="accept", content={"answer": True})

    def _approve(self, url: str) -> None:
        self.phone.open(url)
        if "Log in" in self.phone.text:
            self.phone.focus("input[name=secret]")
            self.phone.type(PASSWORD)
            self.phone.click("Log in")
        self.seen.append(self.phone.text)
        self.phone.click("Approve")
        self.phone.click("Yes, send it")


@contextmanager
def trading_floor(folder: Path) -> Iterator[Floor]:
    """The trading API with the guards that are shipped with it."""
    shipped = yaml.safe_load((ROOT / "capabilities" / "runtime.yaml").read_text())
    kept = {name: shipped[name] for name in ("guards", "audit")}
    settings = folder / "runtime.yaml"
    settings.write_text(yaml.safe_dump({**kept, "approvals": {"password": PASSWORD}}))
    with running_gateway(PaperGateway(pacing=0), state=folder) as running:
        running.gateway.market.pin(AAPL, Decimal("232.00"), running.gateway.clock())
        _look_at_the_market(running)
        options = [
            f"--ca={running.certificate_path}",
            f"--base-uri=trading={running.base_uri}",
            f"--settings={settings}",
        ]
        env = {"NAFTIKO_RUNTIME_DIR": str(folder / "running")}
        file = ROOT / "capabilities" / "trading.yaml"
        with serve(file, options=options, env=env, ports=(8000, 9090, 9099)) as serving:
            yield Floor(running.gateway, serving, folder / "audit.jsonl")


def _look_at_the_market(running: RunningGateway) -> None:
    """The gateway previews no order in what nobody has looked at, as the real one."""
    url = f"{running.base_uri}/iserver/marketdata/snapshot?conids={AAPL}&fields=31"
    verify = ssl.create_default_context(cafile=str(running.certificate_path))
    with httpx2.Client(verify=verify, trust_env=False, timeout=60) as http:
        http.get(f"{running.base_uri}/iserver/accounts").raise_for_status()
        http.get(url).raise_for_status()


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with trading_floor(tmp_path_factory.mktemp("floor")) as running:
        yield running


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with Browser(tmp_path, scripts=False) as phone:
        yield Person(phone)


@pytest.mark.parametrize("era", ERAS)
async def test_an_agent_places_sees_and_cancels_a_bracket_order(
    era: str, floor: Floor, person: Person
) -> None:
    before = len(floor.orders)
    order = {**BRACKET, "order_ref": f"by-agent-{era}"}
    async with Client(floor.serving.mcp(), mode=era, elicitation_callback=person) as agent:
        placed = await agent.call_tool("place-bracket-order", order)
        assert placed.is_error is False, placed.content
        bracket = floor.orders[before:]
        assert [each.request.order_type for each in bracket] == [
            OrderType.LIMIT,
            OrderType.STOP,
            OrderType.LIMIT,
        ]
        assert "commission" in person.seen[0]
        assert "230" in person.seen[0]
        assert len(person.questions) == 1
        listed = await agent.call_tool("list-orders", {})
        shown = listed.structured_content
        assert shown is not None
        ids = {each["permId"] for each in shown["orders"]}
        assert {each.order_id for each in bracket} & ids
        cancelled = await agent.call_tool("cancel-pending-order", {"perm_id": bracket[0].order_id})
        assert cancelled.is_error is False, cancelled.content
    assert len(floor.orders) == before + 3
    assert not any(each.live for each in floor.orders)
    assert len(person.seen) == 3
    assert f"by-agent-{era}" in floor.audit.read_text()
