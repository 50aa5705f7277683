"""What the trading API answers, field by field, over real sockets and the paper gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from examples.paper_gateway.faults import parse_fault
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.orders import OrderType, Side, TimeInForce
from tests.capabilities.trading import AAPL, MSFT, Trading, trading

ORDER = {"symbol": "AAPL", "action": "BUY", "quantity": 10}
EXITS = {"entry_price": 230.0, "stop_loss": 225.0, "take_profit": 240.0}
MARKET_RISK, STOP_RISK, FAR_PRICE = "o10151", "o10152", "o163"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    """With an operator who has accepted the risks of market and stop orders."""
    accepted = f"{MARKET_RISK}|{STOP_RISK}"
    with trading(tmp_path_factory.mktemp("trading"), accepted=accepted) as running:
        yield running


@pytest.fixture
def api(served: Trading) -> Trading:
    """AAPL at 232.00, logged in, without faults and live orders."""
    served.gateway.faults.clear()
    if not served.gateway.session.authenticated:
        served.gateway.session.log_in()
    served.pin("232.00")
    served.gateway.book.cancel_all(served.gateway.clock())
    return served


_NUMBERS = iter(range(1000))


def reference(name: str) -> str:
    """One that the gateway has not seen."""
    return f"{name}-{next(_NUMBERS)}"


# --- account and positions ------------------------------------------------------------------


def test_the_account_is_its_equity_and_its_available_funds(api: Trading) -> None:
    answer = api.get("/account")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    value = api.gateway.valuation()
    assert answer.json() == {
        "balance": float(value.net_liquidation),
        "cash": float(value.available),
    }


def test_positions_have_symbol_quantity_cost_and_value(api: Trading) -> None:
    api.buy(MSFT, -5, "350.20")
    api.pin("350.20", MSFT)
    found = [each for each in api.get("/positions").json()["positions"] if each["symbol"] == "MSFT"]
    assert found == [{"symbol": "MSFT", "qty": -5, "avg_cost": 350.2, "market_value": -1751.0}]


@pytest.mark.parametrize("count", [0, 99, 100, 101, 250])
def test_positions_of_all_pages_are_listed(
    count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gateway = PaperGateway(pacing=0, fillers=count)
    with trading(tmp_path_factory.mktemp("pages"), gateway) as api:
        positions = api.get("/positions").json()["positions"]
    assert [each["symbol"] for each in positions] == [f"PG{n:03d}" for n in range(1, count + 1)]


# --- placing --------------------------------------------------------------------------------


def test_a_limit_order_is_placed_as_it_was_asked_for(api: Trading) -> None:
    ref = reference("limit")
    answer = api.post("/order/limit", **ORDER, limit_price=230.00, order_ref=ref)
    order = api.placed()[-1]
    assert answer.status_code == 200
    assert answer.json() == {"status": "✅ Limit order sent", "permId": order.order_id}
    request = order.request
    assert request.contract.conid == AAPL
    assert (request.side, request.order_type) == (Side.BUY, OrderType.LIMIT)
    assert (request.quantity, request.price) == (Decimal(10), Decimal(230))
    assert request.client_id == ref
    assert request.time_in_force is TimeInForce.DAY


def test_a_market_order_is_placed_after_the_operator_s_confirmation(api: Trading) -> None:
    answer = api.post("/order/market", **ORDER, order_ref=reference("market"))
    order = api.placed()[-1]
    assert answer.json() == {"status": "✅ Market order sent", "permId": order.order_id}
    assert order.request.order_type is OrderType.MARKET
    assert order.request.price is None


def test_a_stop_order_is_placed_with_its_trigger(api: Trading) -> None:
    sell = ORDER | {"action": "SELL"}
    answer = api.post("/order/stop", **sell, stop_price=225.00, order_ref=reference("stop"))
    order = api.placed()[-1]
    assert answer.json() == {"status": "✅ Stop order sent", "permId": order.order_id}
    assert (order.request.side, order.request.order_type) == (Side.SELL, OrderType.STOP)
    assert order.request.trigger == 225


@pytest.mark.parametrize(("action", "opposite"), [("BUY", Side.SELL), ("SELL", Side.BUY)])
def test_a_bracket_is_an_entry_with_two_exits_of_the_other_side(
    api: Trading, action: str, opposite: Side
) -> None:
    prices = EXITS
    if action == "SELL":
        prices = {"entry_price": 234.0, "stop_loss": 240.0, "take_profit": 225.0}
    ref = reference("bracket")
    body = ORDER | {"action": action} | prices
    answer = api.post("/order/bracket", **body, order_ref=ref)
    entry, stop, profit = api.placed()[-3:]
    ids = [entry.order_id, stop.order_id, profit.order_id]
    assert answer.json() == {"status": "✅ Bracket order sent", "permIds": ids}
    assert entry.request.order_type is OrderType.LIMIT
    assert entry.request.client_id == ref
    assert (stop.request.order_type, profit.request.order_type) == (
        OrderType.STOP,
        OrderType.LIMIT,
    )
    assert stop.request.trigger == prices["stop_loss"]
    assert profit.request.price == prices["take_profit"]
    for exit_ in (stop, profit):
        assert exit_.parent_id == entry.order_id
        assert exit_.request.side is opposite
        assert exit_.request.quantity == 10
    assert {each.request.time_in_force for each in (entry, stop, profit)} == {TimeInForce.GTC}


def test_orders_without_a_reference_get_one_each(api: Trading) -> None:
    for _ in range(2):
        assert api.post("/order/limit", **ORDER, limit_price=230.0).status_code == 200
    first, second = (order.request.client_id for order in api.placed()[-2:])
    assert first
    assert second
    assert first != second


# --- orders, cancelling, executions ---------------------------------------------------------


def test_pending_orders_are_listed_with_action_type_trigger_and_status(api: Trading) -> None:
    placed = {
        "LMT": api.post("/order/limit", **ORDER, limit_price=229.5).json()["permId"],
        "STP": api.post("/order/stop", **ORDER | {"action": "SELL"}, stop_price=225.0).json()[
            "permId"
        ],
    }
    filled = api.post("/order/market", **ORDER).json()["permId"]
    listed = {each["permId"]: each for each in api.get("/orders").json()["orders"]}
    assert listed[placed["LMT"]] == {
        "orderId": placed["LMT"],
        "permId": placed["LMT"],
        "symbol": "AAPL",
        "action": "BUY",
        "quantity": 10,
        "type": "LMT",
        "trigger": 229.5,
        "status": "SUBMITTED",
    }
    stop = listed[placed["STP"]]
    assert (stop["action"], stop["type"], stop["trigger"]) == ("SELL", "STP", 225.0)
    assert stop["status"] == "PRESUBMITTED"
    assert filled not in listed


def test_a_pending_market_order_has_a_dash_for_its_trigger(api: Trading) -> None:
    api.gateway.market.pin(AAPL, api.gateway.price(api.gateway.contracts.get(AAPL)), 0)
    shares = 2_000
    big = ORDER | {"quantity": shares}
    asked = api.post("/order/market", **big)
    assert asked.status_code == 409, "the gateway asks about the size"
    confirm = asked.json()["question"]["answer"]["accept"]
    done = api.post("/order/answer", **confirm)
    while done.status_code == 409:
        done = api.post("/order/answer", **done.json()["question"]["answer"]["accept"])
    (perm_id,) = done.json()["permIds"]
    orders = {each["permId"]: each for each in api.get("/orders").json()["orders"]}
    assert orders[perm_id]["type"] == "MKT"
    assert orders[perm_id]["trigger"] == "—"


def test_an_order_is_cancelled_by_the_id_that_placing_gave(api: Trading) -> None:
    perm_id = api.post("/order/limit", **ORDER, limit_price=229.0).json()["permId"]
    answer = api.post("/order/cancel", perm_id=perm_id)
    assert answer.status_code == 200
    assert answer.json() == {"status": f"✅ Order {perm_id} cancelled"}
    again = api.post("/order/cancel", perm_id=perm_id)
    assert again.status_code == 404
    assert again.json() == {"detail": "Order not found or already filled"}
    assert perm_id not in [each["permId"] for each in api.get("/orders").json()["orders"]]


@pytest.mark.parametrize("perm_id", [1, 1788680597])
def test_an_unknown_order_cannot_be_cancelled(api: Trading, perm_id: int) -> None:
    answer = api.post("/order/cancel", perm_id=perm_id)
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "Order not found or already filled"},
    )


@pytest.mark.parametrize("perm_id", [-1, 0, "all", 1.5, None])
def test_no_other_id_ever_reaches_the_gateway(api: Trading, perm_id: Any) -> None:
    """-1 would cancel all orders."""
    kept = api.post("/order/limit", **ORDER, limit_price=229.0).json()["permId"]
    assert api.post("/order/cancel", perm_id=perm_id).status_code == 400
    assert api.gateway.book.find(kept).live


def test_executions_are_listed_with_their_reference(api: Trading) -> None:
    ref = reference("executed")
    perm_id = api.post("/order/market", **ORDER, order_ref=ref).json()["permId"]
    executions = api.get("/executions", symbol="AAPL").json()["executions"]
    mine = [each for each in executions if each.get("orderRef") == ref]
    assert [each.pop("time") for each in mine if re.fullmatch(r"\d{8} [\d:]{8}", each["time"])]
    order = api.gateway.book.find(perm_id)
    assert mine == [
        {
            "symbol": "AAPL",
            "side": "BUY",
            "qty": 10,
            "price": float(order.average_price),
            "orderId": perm_id,
            "orderRef": ref,
            "source": "reqExecutions",
        }
    ]


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ({}, {"AAPL", "MSFT"}),
        ({"symbol": "msft"}, {"MSFT"}),
        ({"symbol": "aApL"}, {"AAPL"}),
        ({"symbol": ""}, {"AAPL", "MSFT"}),
        ({"symbol": "TSLA"}, set()),
    ],
)
def test_executions_are_filtered_without_regard_to_case(
    api: Trading, query: dict[str, str], symbols: set[str]
) -> None:
    for symbol in ("AAPL", "MSFT"):
        assert api.post("/order/market", **ORDER | {"symbol": symbol}).status_code == 200
    executions = api.get("/executions", **query).json()["executions"]
    assert {each["symbol"] for each in executions} == symbols


# --- questions ------------------------------------------------------------------------------


def test_a_question_that_nobody_accepted_goes_back_and_nothing_is_placed(api: Trading) -> None:
    before = len(api.placed())
    answer = api.post("/order/limit", **ORDER, limit_price=200.0, order_ref=reference("far"))
    assert answer.status_code == 409
    told = answer.json()
    assert set(told) == {"detail", "question"}
    assert "exceeds" in told["detail"]
    question = told["question"]
    assert question["message"] == told["detail"]
    assert (question["answer"]["method"], question["answer"]["path"]) == ("POST", "/order/answer")
    assert question["answer"]["accept"] == {"question_id": question["id"], "confirmed": True}
    assert question["answer"]["decline"] == {"question_id": question["id"], "confirmed": False}
    assert len(api.placed()) == before


def test_an_answer_places_or_discards_the_order_and_is_taken_once(api: Trading) -> None:
    far = ORDER | {"limit_price": 200.0}
    question = api.post("/order/limit", **far).json()["question"]
    answer = api.post("/order/answer", **question["answer"]["accept"])
    assert answer.json() == {"status": "✅ Order sent", "permIds": [api.placed()[-1].order_id]}
    again = api.post("/order/answer", **question["answer"]["accept"])
    assert again.status_code == 404
    assert again.json() == {"detail": "Question not found or already answered"}
    before = len(api.placed())
    question = api.post("/order/limit", **far).json()["question"]
    answer = api.post("/order/answer", **question["answer"]["decline"])
    assert answer.json() == {"status": "✅ Order discarded", "permIds": []}
    assert len(api.placed()) == before


def test_an_accepted_question_is_confirmed_and_the_next_one_goes_back(api: Trading) -> None:
    """A stop that would trigger at once raises two questions, of which one is accepted."""
    before = len(api.placed())
    answer = api.post("/order/stop", **ORDER | {"action": "SELL"}, stop_price=300.0)
    assert answer.status_code == 409
    assert "trigger and fill immediately" in answer.json()["detail"]
    assert len(api.placed()) == before


# --- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "prices"),
    [
        ("limit", "limit", {"limit_price": 230.0}),
        ("market", "market", {}),
        ("stop", "stop", {"stop_price": 225.0}),
        ("bracket", "bracket", EXITS),
    ],
)
def test_an_unknown_symbol_is_told_as_ever(
    api: Trading, path: str, kind: str, prices: dict[str, float]
) -> None:
    answer = api.post(f"/order/{path}", **ORDER | {"symbol": "INVALID"}, **prices)
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": f"Failed to place {kind} order: Could not qualify contract for symbol: INVALID"
    }


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, '"symbol" is required'),
        (ORDER, '"limit_price" is required'),
        (ORDER | {"limit_price": "many"}, '"limit_price": expected a number, got "many"'),
        (ORDER | {"limit_price": 230, "quantity": 0}, '"quantity": expected at least'),
        (ORDER | {"limit_price": 230, "action": "HOLD"}, 'expected one of "BUY", "SELL"'),
        (ORDER | {"limit_price": 230, "symbol": ""}, '"symbol": expected at least 1'),
        (ORDER | {"limit_price": 230, "order_ref": ""}, '"order_ref": expected at least 1'),
    ],
)
def test_an_invalid_request_is_told_what_is_wrong(
    api: Trading, body: dict[str, Any], says: str
) -> None:
    before = len(api.placed())
    answer = api.post("/order/limit", **body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"detail"}
    assert says in answer.json()["detail"]
    assert len(api.placed()) == before


def test_a_body_that_is_no_json_is_told_so(api: Trading) -> None:
    headers = {"content-type": "application/json"}
    answer = api.http.post("/order/limit", content=b"{nope", headers=headers)
    assert answer.status_code == 400
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(("content_type", "size"), [("text/plain", 10), (None, 2_000_000)])
def test_a_body_that_is_not_read_is_told_in_the_same_shape(
    api: Trading, content_type: str | None, size: int
) -> None:
    headers = {"content-type": content_type or "application/json"}
    answer = api.http.post("/order/limit", content=b" " * size, headers=headers)
    assert 400 <= answer.status_code < 500
    assert set(answer.json()) == {"detail"}


def test_a_refused_order_is_told_with_the_gateway_s_words(api: Trading) -> None:
    ref = reference("twice")
    order = ORDER | {"limit_price": 230.0, "order_ref": ref}
    assert api.post("/order/limit", **order).status_code == 200
    answer = api.post("/order/limit", **order)
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": f"Failed to place limit order: Local order ID={ref} is already registered."
    }
    answer = api.post("/order/limit", **ORDER | {"quantity": 100_000}, limit_price=231.0)
    while answer.status_code == 409:
        answer = api.post("/order/answer", **answer.json()["question"]["answer"]["accept"])
    assert answer.status_code == 500
    assert "We cannot accept the order" in answer.json()["detail"]


@pytest.mark.parametrize("fault", ["reset", "malformed"])
def test_an_order_whose_answer_is_lost_is_not_placed_again(api: Trading, fault: str) -> None:
    api.gateway.faults.add(parse_fault(f"{fault}*1@POST /iserver/account/*/orders"))
    before = len(api.placed())
    answer = api.post("/order/limit", **ORDER, limit_price=230.0, order_ref=reference("lost"))
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("Failed to place limit order: ")
    assert len(api.placed()) == before + 1


@pytest.mark.parametrize("path", ["/account", "/positions", "/orders", "/executions"])
def test_without_a_login_callers_are_told_where_to_log_in(api: Trading, path: str) -> None:
    api.get("/account")
    api.gateway.session.log_out()
    answer = api.get(path)
    assert answer.status_code == 500
    assert "log in with a browser at https://localhost:5000" in answer.json()["detail"]


def test_a_gateway_that_is_not_there_is_told_by_every_endpoint(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with trading(tmp_path_factory.mktemp("gone")) as api:
        api.running.stop()
        answers = [api.get(path) for path in ("/account", "/positions", "/orders", "/executions")]
        answers += [
            api.post("/order/limit", **ORDER, limit_price=230.0),
            api.post("/order/market", **ORDER),
            api.post("/order/stop", **ORDER, stop_price=225.0),
            api.post("/order/bracket", **ORDER, **EXITS),
            api.post("/order/cancel", perm_id=1),
            api.post("/order/answer", question_id="q", confirmed=True),
        ]
    assert {answer.status_code for answer in answers} == {500}
    assert [answer.json() for answer in answers] == [
        {"detail": "Failed to connect to IB Gateway"}
    ] * len(answers)


# --- documentation --------------------------------------------------------------------------


def test_the_port_documents_itself(api: Trading) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert {(path, method) for path, item in paths.items() for method in item} == {
        ("/account", "get"),
        ("/positions", "get"),
        ("/orders", "get"),
        ("/executions", "get"),
        ("/order/limit", "post"),
        ("/order/market", "post"),
        ("/order/stop", "post"),
        ("/order/bracket", "post"),
        ("/order/cancel", "post"),
        ("/order/answer", "post"),
    }
    failure = api.get("/openapi.json").json()["paths"]["/account"]["get"]["responses"]["default"]
    properties = failure["content"]["application/json"]["schema"]["properties"]
    assert set(properties) == {"detail", "question", "approval"}
    for page in ("/docs", "/redoc"):
        answer = api.get(page)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert all(path in answer.text for path in paths)
