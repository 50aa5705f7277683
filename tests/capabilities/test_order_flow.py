"""From a symbol to a position: the shipped files, served, against the paper gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from mcp import Client

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import RunningGateway, running_gateway
from tests.capabilities.shipped import ALL, COMBINED, FILES
from tests.serving_process import Serving, serve

AAPL = 265598
ACCOUNT = "DU1234567"

SEPARATE_TOOLS = {
    "status": "get-authentication-status",
    "tickle": "tickle-session",
    "accounts": "get-brokerage-accounts",
    "search": "search-contracts",
    "snapshot": "get-market-data-snapshot",
    "history": "get-historical-market-data",
    "preview": "preview-order",
    "place": "place-order",
    "answer": "answer-order-question",
    "live": "get-live-orders",
    "order": "get-order-status",
    "modify": "modify-order",
    "cancel": "cancel-order",
    "trades": "get-trades",
    "portfolio": "get-portfolio-accounts",
    "positions": "get-portfolio-positions",
    "summary": "get-account-summary",
    "log out": "log-out",
}
COMBINED_TOOLS = {
    "status": "getauthstatus",
    "tickle": "tickle",
    "accounts": "getaccounts",
    "search": "searchcontracts",
    "snapshot": "getmarketdatasnapshot",
    "history": "getmarketdatahistory",
    "preview": "previeworder",
    "place": "placeorder",
    "answer": "answerquestion",
    "live": "getliveorders",
    "order": "getorderstatus",
    "modify": "modifyorder",
    "cancel": "cancelorder",
    "trades": "gettrades",
    "portfolio": "getportfolioaccounts",
    "positions": "getpositions",
    "summary": "getaccountsummary",
    "log out": "logout",
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningGateway]:
    gateway = PaperGateway(pacing=0)
    with running_gateway(gateway) as running:
        yield running


@pytest.fixture(scope="module")
def served(running: RunningGateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """All seven files on shared ports, calling the paper gateway."""
    base_uris = [f"--base-uri={name}={running.base_uri}" for name in ALL]
    unguarded = tmp_path_factory.mktemp("settings") / "none.yaml"
    unguarded.touch()
    options = ["--ca", str(running.certificate_path), f"--settings={unguarded}", *base_uris]
    with serve(*FILES, options=options) as serving:
        yield serving


@pytest.fixture
def market(running: RunningGateway) -> PaperGateway:
    """The gateway at the beginning of a session, with AAPL at 230.00."""
    gateway = running.gateway
    gateway.session.log_in()
    gateway.market.pin(AAPL, Decimal("230.00"), gateway.clock())
    return gateway


def held(gateway: PaperGateway) -> Decimal:
    return gateway.portfolio.holding(gateway.contracts.get(AAPL)).quantity


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_an_order_goes_through_rest(served: Serving, market: PaperGateway, prefix: str) -> None:
    before = held(market)
    name = f"rest{prefix}"
    with httpx2.Client(base_url=served.rest() + prefix, timeout=60) as rest:

        def get(path: str, **query: str) -> Any:
            answer = rest.get(path, params=query or None)
            assert answer.status_code == 200, answer.text
            return answer.json()

        def post(path: str, body: Any = None) -> Any:
            answer = rest.post(path, json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        orders = f"/iserver/account/{ACCOUNT}/orders"
        assert post("/iserver/auth/status")["authenticated"] is True
        assert post("/tickle")["collission"] is False
        assert get("/iserver/accounts")["accounts"] == [ACCOUNT]
        assert get("/portfolio/accounts")[0]["id"] == ACCOUNT
        assert get("/iserver/account/orders")["snapshot"] is False
        conid = int(post("/iserver/secdef/search", {"symbol": "AAPL"})[0]["conid"])
        assert "31" not in get("/iserver/marketdata/snapshot", conids=str(conid), fields="31")[0]
        snapshot = get("/iserver/marketdata/snapshot", conids=str(conid), fields="31")[0]
        assert snapshot["31"] == "230.00"
        order = {"conid": conid, "side": "BUY", "orderType": "MKT", "quantity": 10, "cOID": name}
        assert post(f"{orders}/whatif", {"orders": [order]})["amount"]["commission"] == "1 USD"
        question = post(orders, {"orders": [order]})[0]
        assert question["messageIds"] == ["o10151"]
        placed = post(f"/iserver/reply/{question['id']}", {"confirmed": True})[0]
        listed = {entry["orderId"]: entry for entry in get("/iserver/account/orders")["orders"]}
        assert listed[int(placed["order_id"])]["status"] == "Filled"
        assert get(f"/portfolio/{ACCOUNT}/positions/0")[0]["position"] == before + 10
        assert get(f"/portfolio/{ACCOUNT}/summary")["accountready"]["value"] == "true"
        trade = get("/iserver/account/trades", days="1")[0]
        assert (trade["order_ref"], trade["price"]) == (name, "230.01")
        resting = {**order, "orderType": "LMT", "price": 225.5, "cOID": f"{name}-rests"}
        placed = post(orders, {"orders": [resting]})[0]
        one = f"/iserver/account/{ACCOUNT}/order/{placed['order_id']}"
        modified = {"conid": conid, "side": "BUY", "orderType": "LMT", "quantity": 3, "price": 226}
        assert post(one, modified)[0]["order_id"] == placed["order_id"]
        status = get(f"/iserver/account/order/status/{placed['order_id']}")
        assert (status["limit_price"], status["total_size"]) == ("226.00", 3)
        assert rest.delete(one).json()["msg"] == "Request was submitted"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("names", [SEPARATE_TOOLS, COMBINED_TOOLS], ids=["separate", COMBINED])
async def test_an_order_goes_through_mcp(
    served: Serving, market: PaperGateway, mode: Any, names: dict[str, str]
) -> None:
    before = held(market)
    reference = f"{mode}-{names['place']}"
    async with Client(served.mcp(), mode=mode) as client:

        async def call(step: str, **arguments: Any) -> Any:
            result = await client.call_tool(names[step], arguments)
            assert not result.is_error, result.content
            return json.loads(result.content[0].text)  # type: ignore[union-attr]

        assert (await call("status"))["authenticated"] is True
        assert (await call("tickle"))["connected"] is True
        assert (await call("accounts")) == {
            "accounts": [ACCOUNT],
            "selectedAccount": ACCOUNT,
            "isPaper": True,
        }
        await call("portfolio")
        assert await call("live") == {"orders": [], "snapshot": False}
        assert (await call("search", symbol="AAPL"))[0]["conid"] == str(AAPL)
        assert "84" not in (await call("snapshot", conids=str(AAPL), fields="84"))[0]
        assert (await call("snapshot", conids=str(AAPL), fields="84"))[0]["84"] == "229.99"
        order = {"conid": AAPL, "side": "BUY", "orderType": "MKT", "quantity": 10}
        body = {"orders": [{**order, "cOID": reference}]}
        preview = await call("preview", accountId=ACCOUNT, body=body)
        assert preview["amount"]["total"] == "2,301.00 USD"
        question = (await call("place", accountId=ACCOUNT, body=body))[0]
        assert held(market) == before
        placed = (await call("answer", replyId=question["id"], confirmed=True))[0]
        listed = (await call("live", filters="filled"))["orders"]
        assert int(placed["order_id"]) in {entry["orderId"] for entry in listed}
        positions = await call("positions", accountId=ACCOUNT, pageId="0")
        assert [(p["ticker"], p["position"]) for p in positions] == [("AAPL", before + 10)]
        assert reference in {trade["order_ref"] for trade in await call("trades")}
        summary = await call("summary", accountId=ACCOUNT)
        assert summary["netliquidation"] == float(market.valuation().net_liquidation)
        assert (await call("history", conid=str(AAPL), period="1h", bar="5min"))["points"] == 12
        limit = {**order, "orderType": "LMT", "price": 224.0}
        rests = (await call("place", accountId=ACCOUNT, body={"orders": [limit]}))[0]
        order_id = rests["order_id"]
        changed = {**limit, "price": 225.0}
        await call("modify", accountId=ACCOUNT, orderId=order_id, body=changed)
        assert (await call("order", orderId=order_id))["limit_price"] == "225.00"
        cancelled = await call("cancel", accountId=ACCOUNT, orderId=order_id)
        assert cancelled["order_id"] == int(order_id)


@pytest.mark.anyio
async def test_a_refused_order_is_an_error_that_the_model_can_read(
    served: Serving, market: PaperGateway
) -> None:
    async with Client(served.mcp()) as client:
        await client.call_tool("get-brokerage-accounts", {})
        body = {"orders": [{"conid": 1, "side": "BUY", "orderType": "MKT", "quantity": 1}]}
        result = await client.call_tool("place-order", {"accountId": ACCOUNT, "body": body})
        assert result.is_error
        assert "No contract found for conid 1" in str(result.content)


@pytest.mark.anyio
async def test_what_a_call_needs_is_said_before_the_gateway_is_asked(
    served: Serving, market: PaperGateway
) -> None:
    async with Client(served.mcp()) as client:
        for arguments, missing in (
            ({"accountId": ACCOUNT}, "body"),
            ({"body": {"orders": []}}, "accountId"),
        ):
            result = await client.call_tool("place-order", arguments)
            assert result.is_error
            assert missing in str(result.content)
        assert market.session.memory.placement is None
