"""The published capability files for the same surfaces run unmodified against the paper gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import RunningGateway, running_gateway
from tests.capabilities.shipped import ALL
from tests.serving_process import Serving, serve

AAPL = 265598
ACCOUNT = "DU1234567"
LIMIT = {"conid": AAPL, "side": "BUY", "orderType": "LMT", "quantity": 10, "price": 229.0}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningGateway]:
    with running_gateway(PaperGateway(pacing=0)) as running:
        yield running


@pytest.fixture(scope="module")
def served(running: RunningGateway, shared: Path) -> Iterator[Serving]:
    base_uris = [f"--base-uri={name}={running.base_uri}" for name in ALL]
    with serve(
        shared / "corpus/interactive-brokers",
        options=["--ca", str(running.certificate_path), *base_uris],
        env={"INTERACTIVE_BROKERS_API_KEY": "ignored", "INTERACTIVE_BROKERS_TOKEN": ""},
    ) as serving:
        yield serving


@pytest.fixture
def gateway(running: RunningGateway) -> PaperGateway:
    """A session in which everything may be called, with AAPL at 230.00."""
    running.gateway.session.log_in()
    running.gateway.session.memory.accounts_listed = True
    running.gateway.session.memory.portfolio_listed = True
    running.gateway.market.pin(AAPL, Decimal("230.00"), running.gateway.clock())
    return running.gateway


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_their_rest_operations_work(served: Serving, gateway: PaperGateway, prefix: str) -> None:
    with httpx2.Client(base_url=served.rest() + prefix, timeout=60) as rest:
        assert rest.post("/iserver/auth/status").json()["authenticated"] is True
        assert rest.get("/iserver/accounts").json()["accounts"] == [ACCOUNT]
        found = rest.post("/iserver/secdef/search", json={"symbol": "AAPL"}).json()
        assert found[0]["conid"] == str(AAPL)
        rest.get("/iserver/marketdata/snapshot", params={"conids": AAPL})
        quotes: dict[str, str | int] = {"conids": AAPL, "fields": "31"}
        assert rest.get("/iserver/marketdata/snapshot", params=quotes).json()[0]["31"] == "230.00"
        past: dict[str, str | int] = {"conid": AAPL, "period": "1h", "bar": "5min"}
        assert rest.get("/iserver/marketdata/history", params=past).json()["points"] == 12
        orders = f"/iserver/account/{ACCOUNT}/orders"
        placed = rest.post(orders, json={"orders": [LIMIT]}).json()
        rest.get("/iserver/account/orders")
        listed = rest.get("/iserver/account/orders").json()["orders"]
        assert int(placed[0]["order_id"]) in {entry["orderId"] for entry in listed}
        summary = rest.get(f"/portfolio/{ACCOUNT}/summary").json()
        assert summary["accountcode"]["value"] == ACCOUNT
        assert rest.get(f"/portfolio/{ACCOUNT}/positions/0").status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize(
    ("search", "place"), [("search-contracts", "place-order"), ("searchcontracts", "placeorder")]
)
async def test_their_tools_work(
    served: Serving, gateway: PaperGateway, mode: Any, search: str, place: str
) -> None:
    async with Client(served.mcp(), mode=mode) as client:

        async def call(name: str, **arguments: Any) -> Any:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result.content
            return json.loads(result.content[0].text)  # type: ignore[union-attr]

        found = await call(search, body={"symbol": "AAPL"})
        assert found[0]["conid"] == str(AAPL)
        placed = await call(place, accountId=ACCOUNT, body={"orders": [LIMIT]})
        order = gateway.book.find(int(placed[0]["order_id"]))
        assert order.request.price == Decimal("229.0")
