"""Contracts, market data and the portfolio of the paper gateway."""

from __future__ import annotations

import ssl

import httpx2
import pytest

from examples.paper_gateway.clock import AdjustableClock
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import running_gateway
from tests.examples.paper import AAPL, ACCOUNT, NOON, Paper

ALL_FIELDS = "31,55,70,71,73,75,82,83,84,85,86,87,88,6509,7051,7059,7221,7295,7296,7741,7762"


def test_a_search_names_the_primary_listing_first(paper: Paper) -> None:
    found = paper.post("/iserver/secdef/search", {"symbol": "aapl", "name": False}).json()
    assert [entry["description"] for entry in found] == ["NASDAQ", "MEXI", "EBS"]
    assert found[0]["conid"] == "265598"
    assert found[0]["companyHeader"] == "APPLE INC - NASDAQ"
    assert [section["secType"] for section in found[0]["sections"]] == ["STK", "OPT"]
    assert found[0]["sections"][1]["months"] == "FEB26;MAR26;APR26"


def test_a_search_by_company_name(paper: Paper) -> None:
    found = paper.post("/iserver/secdef/search", {"symbol": "alphabet", "name": True}).json()
    assert {entry["symbol"] for entry in found} == {"GOOG", "GOOGL"}


def test_a_search_can_be_a_get(paper: Paper) -> None:
    found = paper.get("/iserver/secdef/search", symbol="IBM", secType="STK").json()
    assert [entry["description"] for entry in found] == ["NYSE", "LSE"]


def test_an_unknown_symbol_is_an_error_with_status_200(paper: Paper) -> None:
    answer = paper.post("/iserver/secdef/search", {"symbol": "NOSUCH"})
    assert (answer.status_code, answer.json()) == (200, {"error": "No symbol found"})


def test_a_search_without_a_symbol_is_refused(paper: Paper) -> None:
    assert paper.post("/iserver/secdef/search", {"name": False}).status_code == 400
    assert paper.post("/iserver/secdef/search").status_code == 400


def test_stocks_by_symbol(paper: Paper) -> None:
    stocks = paper.get("/trsrv/stocks", symbols="AAPL,NOSUCH").json()
    assert stocks["NOSUCH"] == []
    assert stocks["AAPL"][0]["name"] == "APPLE INC"
    assert stocks["AAPL"][0]["contracts"][0] == {
        "conid": 265598,
        "exchange": "NASDAQ",
        "isUS": True,
    }
    assert [contract["isUS"] for contract in stocks["AAPL"][0]["contracts"]] == [True, False, False]


def test_contract_details(paper: Paper) -> None:
    paper.get("/iserver/accounts")
    info = paper.get(f"/iserver/contract/{AAPL}/info").json()
    assert (info["con_id"], info["symbol"], info["currency"]) == (AAPL, "AAPL", "USD")
    defined = paper.get("/trsrv/secdef", conids=f"{AAPL},1").json()["secdef"]
    assert [entry["ticker"] for entry in defined] == ["AAPL"]
    details = paper.get("/iserver/secdef/info", conid=AAPL, sectype="STK").json()
    assert details[0]["listingExchange"] == "NASDAQ"
    assert paper.get("/iserver/secdef/strikes", conid=AAPL).json() == {"call": [], "put": []}
    assert paper.get("/iserver/contract/1/info").status_code == 400


def test_the_first_snapshot_only_subscribes(trading: Paper) -> None:
    first = trading.get("/iserver/marketdata/snapshot", conids=AAPL, fields=ALL_FIELDS).json()
    assert first == [
        {
            "conid": AAPL,
            "conidEx": "265598",
            "_updated": int(NOON * 1000),
            "server_id": "q0",
            "6119": "q0",
        }
    ]


def test_the_second_snapshot_has_quotes_and_the_third_everything(trading: Paper) -> None:
    trading.get("/iserver/marketdata/snapshot", conids=AAPL, fields=ALL_FIELDS)
    second = trading.get("/iserver/marketdata/snapshot", conids=AAPL, fields=ALL_FIELDS).json()[0]
    assert (second["84"], second["31"], second["86"]) == ("229.99", "230.00", "230.01")
    assert "7762" not in second
    third = trading.get("/iserver/marketdata/snapshot", conids=AAPL, fields=ALL_FIELDS).json()[0]
    assert set(ALL_FIELDS.split(",")) <= set(third)
    assert all(isinstance(third[field], str) for field in ALL_FIELDS.split(","))
    assert float(third["71"]) <= 230 <= float(third["70"])


def test_each_contract_subscribes_on_its_own(trading: Paper) -> None:
    trading.get("/iserver/marketdata/snapshot", conids=AAPL, fields="31")
    both = trading.get("/iserver/marketdata/snapshot", conids=f"{AAPL},272093", fields="31").json()
    assert ["31" in entry for entry in both] == [True, False]


def test_unsubscribing_makes_the_next_snapshot_a_first_one(trading: Paper) -> None:
    def has_price() -> bool:
        return "31" in trading.get("/iserver/marketdata/snapshot", conids=AAPL).json()[0]

    assert [has_price(), has_price()] == [False, True]
    unsubscribed = trading.post("/iserver/marketdata/unsubscribe", {"conid": AAPL})
    assert unsubscribed.json() == {"success": True}
    assert [has_price(), has_price()] == [False, True]
    assert trading.get("/iserver/marketdata/unsubscribeall").json() == {"unsubscribed": True}
    assert not has_price()


def test_a_listing_without_live_data_shows_its_previous_close(trading: Paper) -> None:
    query: dict[str, str | int] = {"conids": "38708077", "fields": "31,6509"}
    for _ in range(2):
        entry = trading.get("/iserver/marketdata/snapshot", **query).json()[0]
    assert entry["31"].startswith("C")
    assert entry["6509"] == "ZB"


def test_an_unknown_contract_has_no_data(trading: Paper) -> None:
    for _ in range(3):
        answer = trading.get("/iserver/marketdata/snapshot", conids=7).json()
    assert answer == [{"conid": 7, "conidEx": "7"}]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "conids=",
        "conids=apple",
        "conids=" + ",".join(map(str, range(101))),
        "conids=265598&fields=" + ",".join(map(str, range(51))),
    ],
)
def test_a_snapshot_beyond_its_limits_is_refused(trading: Paper, query: str) -> None:
    assert trading.get(f"/iserver/marketdata/snapshot?{query}").status_code == 400


def test_history_gives_the_bars_of_a_period(trading: Paper) -> None:
    history = trading.get("/iserver/marketdata/history", conid=AAPL, period="2h", bar="5min").json()
    assert (history["symbol"], history["barLength"], history["points"]) == ("AAPL", 300, 24)
    times = [bar["t"] for bar in history["data"]]
    assert times == list(range(times[0], times[0] + 24 * 300_000, 300_000))
    assert times[-1] == int(NOON * 1000)
    assert all(bar["l"] <= min(bar["o"], bar["c"]) for bar in history["data"])
    assert all(bar["h"] >= max(bar["o"], bar["c"]) for bar in history["data"])


def test_history_ends_at_the_last_price_and_does_not_see_the_future(paper: Paper) -> None:
    paper.open_account()
    paper.pass_time(234)
    for _ in range(2):
        snapshot = paper.get("/iserver/marketdata/snapshot", conids=AAPL, fields="31").json()
    query: dict[str, str | int] = {"conid": AAPL, "period": "1d", "bar": "1h"}
    history = paper.get("/iserver/marketdata/history", **query).json()
    assert history["data"][-1]["c"] == float(snapshot[0]["31"])
    paper.pin("500.00")
    paper.pass_time(3600)
    paper.control("/login")
    paper.get("/iserver/accounts")
    later = paper.get("/iserver/marketdata/history", **query).json()
    assert later["data"][-1]["c"] == 500
    assert later["data"][-3] == history["data"][-2]


def test_history_is_cut_to_a_thousand_points(trading: Paper) -> None:
    query: dict[str, str | int] = {"conid": AAPL, "period": "30d", "bar": "5min"}
    assert trading.get("/iserver/marketdata/history", **query).json()["points"] == 1000


@pytest.mark.parametrize(
    ("period", "bar"),
    [
        ("1x", "1h"),
        ("0d", "1h"),
        ("31min", "1min"),
        ("9h", "1h"),
        ("1d", "2d"),
        ("1d", "1w"),
        ("d", "1h"),
    ],
)
def test_a_period_or_bar_that_does_not_exist_is_refused(
    trading: Paper, period: str, bar: str
) -> None:
    query: dict[str, str | int] = {"conid": AAPL, "period": period, "bar": bar}
    assert trading.get("/iserver/marketdata/history", **query).status_code == 400


def test_positions_come_in_pages_of_a_hundred() -> None:
    gateway = PaperGateway(clock=AdjustableClock(frozen_at=NOON), pacing=0, fillers=250)
    with running_gateway(gateway) as running:
        trust = ssl.create_default_context(cafile=running.certificate_path)
        with httpx2.Client(verify=trust, timeout=60) as http:
            paper = Paper(running, http)
            paper.open_account()
            pages = [paper.get(f"/portfolio/{ACCOUNT}/positions/{n}").json() for n in range(4)]
    assert [len(page) for page in pages] == [100, 100, 50, 0]
    assert len({entry["conid"] for page in pages for entry in page}) == 250
    first = pages[0][0]
    assert first["mktValue"] == pytest.approx(first["position"] * first["mktPrice"])
    assert first["pageSize"] == 100


def test_a_page_that_is_no_number_is_refused(trading: Paper) -> None:
    for page in ("x", "-1", "1.5"):
        assert trading.get(f"/portfolio/{ACCOUNT}/positions/{page}").status_code == 400


def test_the_portfolio_of_another_account_is_refused(trading: Paper) -> None:
    for call in ("summary", "ledger", "positions/0", "meta"):
        assert trading.get(f"/portfolio/U1/{call}").status_code == 400


def test_the_summary_has_the_account_and_its_segments(trading: Paper) -> None:
    summary = trading.get(f"/portfolio/{ACCOUNT}/summary").json()
    assert len(summary) > 100
    assert summary["netliquidation"] == {
        "amount": 1_000_000.0,
        "currency": "USD",
        "isNull": False,
        "timestamp": int(NOON * 1000),
        "value": None,
        "severity": 0,
    }
    assert summary["netliquidation-s"]["amount"] == 1_000_000.0
    assert summary["netliquidation-c"]["amount"] == 0


def test_profit_and_loss_by_account(trading: Paper) -> None:
    pnl = trading.get("/iserver/account/pnl/partitioned").json()["upnl"]
    assert pnl[f"{ACCOUNT}.Core"]["nl"] == 1_000_000


def test_other_portfolio_calls(trading: Paper) -> None:
    assert trading.get("/portfolio/subaccounts").json()[0]["id"] == ACCOUNT
    assert trading.get(f"/portfolio/{ACCOUNT}/meta").json()["currency"] == "USD"
    cleared = trading.post(f"/portfolio/{ACCOUNT}/positions/invalidate")
    assert cleared.json() == {"message": "success"}
    assert trading.get(f"/portfolio/{ACCOUNT}/position/{AAPL}").json() == []
