"""Orders at the paper gateway: questions, fills, brackets, modifications, cancellations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.orders import read_placement
from tests.examples.paper import AAPL, ACCOUNT, ORDERS, Paper

BUY_10 = {"side": "BUY", "orderType": "LMT", "quantity": 10, "price": 230.00}
RESTING = {"side": "BUY", "orderType": "LMT", "quantity": 10, "price": 225.00}
MARKET = {"side": "BUY", "orderType": "MKT", "quantity": 10}

BRACKET: tuple[dict[str, Any], ...] = (
    {**RESTING, "cOID": "entry"},
    {
        "side": "SELL",
        "orderType": "STP",
        "quantity": 10,
        "price": 220.0,
        "tif": "GTC",
        "parentId": "entry",
        "cOID": "stop",
    },
    {
        "side": "SELL",
        "orderType": "LMT",
        "quantity": 10,
        "price": 240.0,
        "tif": "GTC",
        "parentId": "entry",
        "cOID": "profit",
    },
)


def test_a_limit_order_near_the_market_is_accepted_without_a_question(trading: Paper) -> None:
    answer = trading.ask({**RESTING, "cOID": "mine"})
    assert answer == [
        {
            "order_id": answer[0]["order_id"],
            "order_status": "Submitted",
            "encrypt_message": "1",
            "local_order_id": "mine",
        }
    ]


def test_a_resting_limit_order_stays_live(trading: Paper) -> None:
    placed = trading.ask({**RESTING, "cOID": "rest", "tif": "GTC"})[0]["order_id"]
    for _ in range(12):
        trading.pass_time(300)
        trading.post("/tickle")
    order = trading.order(placed)
    assert order["status"] == "Submitted"
    assert (order["filledQuantity"], order["remainingQuantity"]) == (0, 10)
    assert (order["origOrderType"], order["price"]) == ("LIMIT", "225.00")
    assert (order["timeInForce"], order["order_ref"]) == ("GTC", "rest")


def test_a_market_order_asks_fills_and_becomes_a_position(trading: Paper) -> None:
    question = trading.ask({**MARKET, "cOID": "m-1"})
    assert question[0]["messageIds"] == ["o10151"]
    assert question[0]["isSuppressed"] is False
    placed = trading.post(f"/iserver/reply/{question[0]['id']}", {"confirmed": True}).json()
    order = trading.order(placed[0]["order_id"])
    assert (order["status"], order["orderDesc"]) == ("Filled", "Bought 10 Market, Day")
    assert order["avgPrice"] == "230.01"
    assert trading.positions() == {"AAPL": 10}
    trades = trading.get("/iserver/account/trades").json()
    assert [(t["side"], t["size"], t["price"], t["order_ref"]) for t in trades] == [
        ("B", 10, "230.01", "m-1")
    ]


def test_cash_and_summary_follow_a_fill(trading: Paper) -> None:
    trading.place(MARKET)
    ledger = trading.get(f"/portfolio/{ACCOUNT}/ledger").json()
    assert ledger["USD"]["cashbalance"] == 1_000_000 - 2300.10 - 1
    assert ledger["USD"]["stockmarketvalue"] == 2300.00
    assert ledger["BASE"]["netliquidationvalue"] == 999_998.90
    summary = trading.get(f"/portfolio/{ACCOUNT}/summary").json()
    assert summary["netliquidation"]["amount"] == 999_998.90
    assert summary["totalcashvalue"]["amount"] == 997_698.90
    assert summary["grosspositionvalue"]["amount"] == 2300.00
    assert summary["accountready"]["value"] == "true"
    assert summary["accountcode"]["value"] == ACCOUNT


def test_a_marketable_limit_order_fills_at_the_market_not_at_its_limit(trading: Paper) -> None:
    placed = trading.ask({**BUY_10, "price": 231.00})[0]["order_id"]
    assert trading.order(placed)["avgPrice"] == "230.01"


def test_a_price_far_from_the_market_is_questioned_with_the_order_s_words(trading: Paper) -> None:
    question = trading.ask({**BUY_10, "quantity": 100, "price": 165.0})
    assert question[0]["messageIds"] == ["o163"]
    text = question[0]["message"][0]
    assert 'The following order "BUY 100 AAPL NASDAQ.NMS @ 165.0" price exceeds' in text


def test_several_questions_follow_one_another_with_new_ids(trading: Paper) -> None:
    first = trading.ask({**MARKET, "quantity": 600})
    second = trading.post(f"/iserver/reply/{first[0]['id']}", {"confirmed": True}).json()
    third = trading.post(f"/iserver/reply/{second[0]['id']}", {"confirmed": True}).json()
    asked = [answer[0]["messageIds"][0] for answer in (first, second, third)]
    assert asked == ["o383", "o451", "o10151"]
    assert len({first[0]["id"], second[0]["id"], third[0]["id"]}) == 3
    assert trading.gateway.book.orders() == []
    last = trading.post(f"/iserver/reply/{third[0]['id']}", {"confirmed": True}).json()
    assert last[0]["order_status"] == "Submitted"


def test_a_reply_id_works_once(trading: Paper) -> None:
    question = trading.ask(MARKET)
    reply = f"/iserver/reply/{question[0]['id']}"
    assert trading.post(reply, {"confirmed": True}).status_code == 200
    assert trading.post(reply, {"confirmed": True}).status_code == 400
    assert len(trading.gateway.book.orders()) == 1


def test_a_question_that_is_answered_with_no_places_nothing(trading: Paper) -> None:
    question = trading.ask({**MARKET, "cOID": "again"})
    reply = f"/iserver/reply/{question[0]['id']}"
    assert "error" in trading.post(reply, {"confirmed": False}).json()
    assert trading.post(reply, {"confirmed": True}).status_code == 400
    assert trading.gateway.book.orders() == []
    assert trading.place({**MARKET, "cOID": "again"})


def test_a_question_expires(trading: Paper) -> None:
    question = trading.ask(MARKET)
    trading.pass_time(301)
    answer = trading.post(f"/iserver/reply/{question[0]['id']}", {"confirmed": True})
    assert answer.status_code == 400
    assert trading.gateway.book.orders() == []


def test_a_new_placement_drops_the_open_question(trading: Paper) -> None:
    dropped = trading.ask(MARKET)
    trading.ask(RESTING)
    answer = trading.post(f"/iserver/reply/{dropped[0]['id']}", {"confirmed": True})
    assert answer.status_code == 400
    assert len(trading.gateway.book.orders()) == 1


def test_a_question_does_not_survive_a_new_login(trading: Paper) -> None:
    question = trading.ask(MARKET)
    trading.control("/login")
    trading.open_account()
    answer = trading.post(f"/iserver/reply/{question[0]['id']}", {"confirmed": True})
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [None, {}, {"confirmed": "true"}, [True], "yes"])
def test_a_reply_must_say_true_or_false(trading: Paper, body: Any) -> None:
    question = trading.ask(MARKET)
    reply = f"/iserver/reply/{question[0]['id']}"
    assert trading.post(reply, body).status_code == 400
    assert trading.post(reply, {"confirmed": True}).status_code == 200


def test_suppressed_questions_are_not_asked_until_they_are_reset(trading: Paper) -> None:
    suppress = trading.post("/iserver/questions/suppress", {"messageIds": ["o10151"]})
    assert suppress.json() == {"status": "submitted"}
    assert "order_id" in trading.ask(MARKET)[0]
    assert trading.post("/iserver/questions/suppress/reset").json() == {"status": "submitted"}
    assert trading.ask(MARKET)[0]["messageIds"] == ["o10151"]


def test_stop_and_trailing_orders_ask_about_their_risk(trading: Paper) -> None:
    stop = {"side": "SELL", "orderType": "STP", "quantity": 1, "price": 229.0}
    trail = {"side": "SELL", "orderType": "TRAIL", "quantity": 1, "trailingAmt": 1}
    assert trading.ask(stop)[0]["messageIds"] == ["o10152"]
    assert trading.ask(trail)[0]["messageIds"] == ["o10331"]


def test_a_stop_beyond_its_trigger_is_questioned_for_filling_at_once(trading: Paper) -> None:
    first = trading.ask({"side": "SELL", "orderType": "STP", "quantity": 1, "price": 231.0})
    second = trading.post(f"/iserver/reply/{first[0]['id']}", {"confirmed": True}).json()
    assert second[0]["messageIds"] == ["o403"]


def test_a_client_order_id_is_refused_a_second_time(trading: Paper) -> None:
    trading.ask({**RESTING, "cOID": "once"})
    answer = trading.post(ORDERS, {"orders": [{"conid": AAPL, **RESTING, "cOID": "once"}]})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Local order ID=once is already registered."}
    assert len(trading.gateway.book.orders()) == 1


def test_a_client_order_id_is_free_again_after_a_day(trading: Paper) -> None:
    trading.ask({**RESTING, "cOID": "daily"})
    trading.pass_time(86_401)
    trading.control("/login")
    trading.open_account()
    assert "order_id" in trading.ask({**RESTING, "cOID": "daily"})[0]


def test_a_gateway_can_be_told_to_take_a_client_order_id_again() -> None:
    gateway = PaperGateway(client_id_window=0.0)
    body: Any = {"orders": [{"conid": AAPL, **RESTING, "price": 225, "cOID": "mine"}]}
    for _ in range(2):
        gateway.book.place(read_placement(body, ACCOUNT, gateway.contracts), gateway.clock())
    assert [order.request.client_id for order in gateway.book.orders()] == ["mine", "mine"]


def test_a_client_order_id_twice_in_one_placement_places_nothing(trading: Paper) -> None:
    order = {**RESTING, "cOID": "twin"}
    assert "already registered" in trading.ask(order, order)["error"]
    assert trading.gateway.book.orders() == []


def test_an_order_beyond_the_funds_is_refused_with_status_200(trading: Paper) -> None:
    body = {"orders": [{"conid": AAPL, **BUY_10, "quantity": 100_000}]}
    answer = trading.post(ORDERS, body)
    assert answer.status_code == 200
    assert "available funds" in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conid": 1}, "No contract found"),
        ({"conid": "apple"}, "by conid"),
        ({"conid": 38708077}, "No trading permissions"),
        ({"quantity": 0}, "greater than zero"),
        ({"quantity": -5}, "out of range"),
        ({"quantity": 1.5}, "Fractional"),
        ({"quantity": "10"}, "must be a number"),
        ({"quantity": True}, "must be a number"),
        ({"price": 230.005}, "minimum price variation"),
        ({"price": None}, "requires a price"),
        ({"side": "HOLD"}, "side must be one of BUY, SELL"),
        ({"orderType": "BEST"}, "orderType must be one of"),
        ({"orderType": "STOP_LIMIT"}, "requires auxPrice"),
        ({"orderType": "TRAIL"}, "requires trailingAmt"),
        ({"tif": "FOREVER"}, "tif must be one of"),
        ({"parentId": "nobody"}, "Parent order nobody does not exist"),
        ({"acctId": "U7654321"}, "Invalid account id"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    trading: Paper, change: dict[str, Any], message: str
) -> None:
    assert message in trading.ask({**BUY_10, **change})["error"]
    assert trading.gateway.book.orders() == []


@pytest.mark.parametrize(
    "body", [None, [], {}, {"orders": []}, {"orders": [1]}, {"orders": "x"}, BUY_10]
)
def test_a_placement_that_is_no_list_of_orders_is_refused(trading: Paper, body: Any) -> None:
    assert trading.post(ORDERS, body).status_code == 400


def test_a_body_that_is_not_json_is_refused(trading: Paper) -> None:
    for data in (b"{", b"\xff", b'{"orders": NaN}', b"[" * 100_000):
        answer = trading.http.post(trading.running.base_uri + ORDERS, content=data)
        assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_an_order_of_another_account_is_refused(trading: Paper) -> None:
    answer = trading.post("/iserver/account/U1/orders", {"orders": [{"conid": AAPL, **BUY_10}]})
    assert answer.status_code == 400
    assert trading.gateway.book.orders() == []


def test_whatif_previews_without_placing(trading: Paper) -> None:
    path = f"{ORDERS}/whatif"
    body = {"orders": [{"conid": AAPL, **MARKET}]}
    assert "request a snapshot" in trading.post(path, body).json()["error"]
    trading.get("/iserver/marketdata/snapshot", conids=AAPL)
    preview = trading.post(path, body).json()
    assert preview["amount"] == {
        "amount": "2,300.00 USD (10 Shares)",
        "commission": "1 USD",
        "total": "2,301.00 USD",
    }
    assert preview["equity"]["current"] == "1,000,000.00"
    assert preview["initial"]["after"] == "575.00"
    assert "market order" in preview["warn"]
    assert preview["error"] is None
    assert trading.gateway.book.orders() == []


def test_whatif_tells_that_an_order_would_be_refused(trading: Paper) -> None:
    trading.get("/iserver/marketdata/snapshot", conids=AAPL)
    body = {"orders": [{"conid": AAPL, **BUY_10, "quantity": 100_000}]}
    assert "available funds" in trading.post(f"{ORDERS}/whatif", body).json()["error"]


def test_a_bracket_answers_one_entry_per_order_and_waits(trading: Paper) -> None:
    entries = trading.place(*BRACKET)
    assert [entry["local_order_id"] for entry in entries] == ["entry", "stop", "profit"]
    assert [entry["order_status"] for entry in entries] == [
        "Submitted",
        "PreSubmitted",
        "PreSubmitted",
    ]
    assert {entry["parent_order_id"] for entry in entries[1:]} == {entries[0]["order_id"]}
    trading.pin("219.50")
    trading.pin("230.00")
    assert trading.positions() == {}


def test_a_bracket_s_profit_order_fills_and_cancels_the_stop(trading: Paper) -> None:
    entry, stop, profit = [e["order_id"] for e in trading.place(*BRACKET)]
    trading.pin("224.90")
    assert trading.order(entry)["status"] == "Filled"
    assert trading.order(profit)["status"] == "Submitted"
    assert trading.order(stop)["status"] == "PreSubmitted"
    assert trading.positions() == {"AAPL": 10}
    trading.pass_time(1)
    trading.pin("240.50")
    assert trading.order(profit)["status"] == "Filled"
    assert trading.order(stop)["status"] == "Cancelled"
    assert trading.positions() == {}
    trading.pin("210.00")
    assert trading.positions() == {}


def test_a_bracket_s_stop_fills_and_cancels_the_profit_order(trading: Paper) -> None:
    _, stop, profit = [e["order_id"] for e in trading.place(*BRACKET)]
    trading.pin("224.90")
    assert trading.positions() == {"AAPL": 10}
    trading.pass_time(1)
    trading.pin("219.00")
    assert trading.order(stop)["status"] == "Filled"
    assert trading.order(profit)["status"] == "Cancelled"
    assert trading.positions() == {}
    assert trading.order(stop)["auxPrice"] == "220.00"


def test_an_exit_that_fills_cancels_a_larger_one(trading: Paper) -> None:
    entry, stop, profit = BRACKET
    placed = trading.place(entry, stop, {**profit, "quantity": 4})
    trading.pin("224.90")
    assert trading.positions() == {"AAPL": 10}
    trading.pass_time(1)
    trading.pin("240.50")
    assert trading.order(placed[2]["order_id"])["status"] == "Filled"
    assert trading.order(placed[1]["order_id"])["status"] == "Cancelled"
    assert trading.positions() == {"AAPL": 6}


def test_cancelling_the_parent_cancels_the_children(trading: Paper) -> None:
    entry, stop, profit = [e["order_id"] for e in trading.place(*BRACKET)]
    trading.delete(f"/iserver/account/{ACCOUNT}/order/{entry}")
    trading.pass_time(1)
    statuses = {trading.order(order)["status"] for order in (entry, stop, profit)}
    assert statuses == {"Cancelled"}


def test_a_large_order_fills_in_parts_at_the_displayed_size(trading: Paper) -> None:
    placed = trading.place({**MARKET, "quantity": 5000})[0]["order_id"]
    first = trading.order(placed)
    assert first["status"] == "Submitted"
    assert 0 < first["filledQuantity"] <= 900
    assert first["sizeAndFills"] == f"{first['filledQuantity']:.0f}/5000"
    assert trading.order(placed)["filledQuantity"] == first["filledQuantity"]
    trading.pass_time(60)
    assert trading.order(placed)["status"] == "Filled"
    trades = trading.get("/iserver/account/trades").json()
    assert len(trades) > 1
    assert sum(entry["size"] for entry in trades) == 5000


def test_an_order_that_meets_its_price_between_two_calls_fills(trading: Paper) -> None:
    placed = trading.ask({**RESTING, "price": 225.0})[0]["order_id"]
    now = trading.gateway.clock()
    trading.gateway.market.pin(AAPL, Decimal("224.00"), now + 10)
    trading.gateway.market.pin(AAPL, Decimal("230.00"), now + 20)
    trading.pass_time(30)
    order = trading.order(placed)
    assert (order["status"], order["avgPrice"]) == ("Filled", "224.01")


def test_an_ioc_order_that_cannot_trade_is_cancelled(trading: Paper) -> None:
    placed = trading.ask({**RESTING, "tif": "IOC"})[0]["order_id"]
    assert trading.order(placed)["status"] == "Cancelled"


def test_a_trailing_stop_follows_the_price_up_and_sells_on_the_way_down(trading: Paper) -> None:
    trading.place(MARKET)
    trail = {"side": "SELL", "orderType": "TRAIL", "quantity": 10, "trailingAmt": 2}
    placed = trading.place(trail)[0]["order_id"]
    for price, stop in (("230.00", "228.00"), ("235.00", "233.00"), ("233.50", "233.00")):
        trading.pin(price)
        trading.pass_time(1)
        order = trading.order(placed)
        assert (order["status"], order["auxPrice"]) == ("PreSubmitted", stop)
    trading.pin("232.90")
    trading.pass_time(1)
    assert trading.order(placed)["status"] == "Filled"
    assert trading.positions() == {}


def test_a_stop_limit_order_waits_for_its_limit_once_triggered(trading: Paper) -> None:
    order = {
        "side": "BUY",
        "orderType": "STOP_LIMIT",
        "quantity": 10,
        "price": 231.0,
        "auxPrice": 230.5,
    }
    placed = trading.place(order)[0]["order_id"]
    trading.pin("232.00")
    assert trading.order(placed)["status"] == "Submitted"
    trading.pin("230.80")
    assert trading.order(placed)["status"] == "Filled"


def test_a_cancellation_shows_after_a_moment(trading: Paper) -> None:
    placed = trading.ask(RESTING)[0]["order_id"]
    answer = trading.delete(f"/iserver/account/{ACCOUNT}/order/{placed}")
    assert answer.json() == {
        "msg": "Request was submitted",
        "order_id": int(placed),
        "conid": AAPL,
        "account": ACCOUNT,
    }
    assert trading.order(placed)["status"] == "PendingCancel"
    trading.pass_time(0.5)
    assert trading.order(placed)["status"] == "Cancelled"


def test_an_order_that_is_gone_cannot_be_cancelled(trading: Paper) -> None:
    placed = trading.place(MARKET)[0]["order_id"]
    for order_id in (placed, 4):
        answer = trading.delete(f"/iserver/account/{ACCOUNT}/order/{order_id}")
        assert answer.status_code == 400
        assert answer.json() == {"error": f"OrderID {order_id} doesn't exist"}


def test_the_order_id_minus_one_cancels_everything(trading: Paper) -> None:
    placed = [trading.ask(RESTING)[0]["order_id"] for _ in range(3)]
    answer = trading.delete(f"/iserver/account/{ACCOUNT}/order/-1")
    assert answer.json()["order_id"] == -1
    trading.pass_time(1)
    assert {trading.order(order)["status"] for order in placed} == {"Cancelled"}


def test_an_order_is_modified_as_a_whole(trading: Paper) -> None:
    placed = trading.ask({**RESTING, "cOID": "moved"})[0]["order_id"]
    path = f"/iserver/account/{ACCOUNT}/order/{placed}"
    answer = trading.post(path, {"conid": AAPL, **RESTING, "price": 226.0, "quantity": 7})
    assert answer.json() == [
        {
            "order_id": placed,
            "order_status": "Submitted",
            "encrypt_message": "1",
            "local_order_id": "moved",
        }
    ]
    order = trading.order(placed)
    assert (order["price"], order["totalSize"], order["order_ref"]) == ("226.00", 7, "moved")


def test_a_modification_can_raise_a_question_of_its_own(trading: Paper) -> None:
    placed = trading.ask(RESTING)[0]["order_id"]
    path = f"/iserver/account/{ACCOUNT}/order/{placed}"
    question = trading.post(path, {"conid": AAPL, **RESTING, "price": 100.0}).json()
    assert question[0]["messageIds"] == ["o163"]
    assert trading.order(placed)["price"] == "225.00"
    trading.post(f"/iserver/reply/{question[0]['id']}", {"confirmed": True})
    assert trading.order(placed)["price"] == "100.00"


def test_the_contract_and_side_of_an_order_cannot_be_modified(trading: Paper) -> None:
    placed = trading.ask(RESTING)[0]["order_id"]
    path = f"/iserver/account/{ACCOUNT}/order/{placed}"
    for change in ({"conid": 272093}, {"side": "SELL"}, {"orderType": "MKT"}):
        answer = trading.post(path, {"conid": AAPL, **RESTING, **change})
        assert (answer.status_code, "cannot be modified" in answer.text) == (400, True)


def test_an_order_that_has_filled_cannot_be_modified(trading: Paper) -> None:
    placed = trading.place(MARKET)[0]["order_id"]
    path = f"/iserver/account/{ACCOUNT}/order/{placed}"
    assert trading.post(path, {"conid": AAPL, **MARKET}).status_code == 400


def test_live_orders_are_filtered_by_status(trading: Paper) -> None:
    resting = trading.ask(RESTING)[0]["order_id"]
    filled = trading.place(MARKET)[0]["order_id"]
    stop = {"side": "SELL", "orderType": "STP", "quantity": 1, "price": 220.0}
    waiting = trading.place(stop)[0]["order_id"]

    def listed(filters: str) -> set[str]:
        answer = trading.get("/iserver/account/orders", filters=filters).json()
        return {str(entry["orderId"]) for entry in answer["orders"]}

    assert listed("submitted") == {resting}
    assert listed("Filled,pre_submitted") == {filled, waiting}
    assert listed("sort_by_time") == {resting, filled, waiting}


def test_forcing_the_list_of_orders_answers_an_empty_list_first(trading: Paper) -> None:
    trading.ask(RESTING)
    forced = trading.get("/iserver/account/orders", force="true").json()
    assert forced == {"orders": [], "snapshot": False}
    assert len(trading.get("/iserver/account/orders").json()["orders"]) == 1


def test_the_status_of_one_order(trading: Paper) -> None:
    placed = trading.ask({**RESTING, "cOID": "look"})[0]["order_id"]
    status = trading.get(f"/iserver/account/order/status/{placed}").json()
    assert status["order_id"] == int(placed)
    assert (status["order_status"], status["side"], status["tif"]) == ("Submitted", "B", "DAY")
    assert (status["size"], status["total_size"], status["cum_fill"]) == (10, 10, 0)
    assert (status["limit_price"], status["order_ref"]) == ("225.00", "look")
    missing = trading.get("/iserver/account/order/status/5")
    assert (missing.status_code, missing.json()) == (400, {"error": "OrderID 5 doesn't exist"})


def test_trades_cover_the_days_that_were_asked_for(trading: Paper) -> None:
    trading.place(MARKET)
    trading.get("/iserver/accounts")
    trading.pass_time(2 * 86_400)
    trading.control("/login")
    trading.open_account()
    assert trading.get("/iserver/account/trades").json() == []
    assert len(trading.get("/iserver/account/trades", days=3).json()) == 1
    assert trading.get("/iserver/account/trades", days=8).status_code == 400


def test_selling_what_is_not_held_makes_a_short_position(trading: Paper) -> None:
    trading.place({**MARKET, "side": "SELL"})
    assert trading.positions() == {"AAPL": -10}
    entry = trading.get(f"/portfolio/{ACCOUNT}/position/{AAPL}").json()[0]
    assert (entry["mktValue"], entry["avgCost"]) == (-2300.0, 229.99)


def test_profit_is_realised_by_the_closing_trade(trading: Paper) -> None:
    trading.place(MARKET)
    trading.pass_time(1)
    trading.get("/iserver/account/orders")
    trading.pin("240.00")
    trading.place({**MARKET, "side": "SELL"})
    ledger = trading.get(f"/portfolio/{ACCOUNT}/ledger").json()["USD"]
    assert (ledger["realizedpnl"], ledger["unrealizedpnl"]) == (99.8, 0)
    assert ledger["cashbalance"] == 1_000_000 + 99.8 - 2
