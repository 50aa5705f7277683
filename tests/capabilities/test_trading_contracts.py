"""How the trading API finds the contract of a symbol, against an upstream that answers anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.capabilities.trading import FILE
from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json
from tests.serving_process import serve

STOCK = [{"secType": "STK"}, {"secType": "OPT", "months": "JAN27"}]
BOND = [{"secType": "BOND"}]
PRICES = {"limit": {"limit_price": 9.5}, "market": {}, "stop": {"stop_price": 9.5}} | {
    "bracket": {"entry_price": 9.5, "stop_loss": 9, "take_profit": 10}
}


class Gateway:
    """Answers searches as a test says, and placements with as many orders as were sent."""

    def __init__(self, upstream: RecordingUpstream, http: httpx2.Client) -> None:
        self._upstream = upstream
        self._http = http

    def order(
        self, kind: str, searched: Reply, symbol: str = "ABC"
    ) -> tuple[httpx2.Response, list[RecordedRequest]]:
        """What a caller is answered, and the requests that this took."""

        def answer(request: RecordedRequest) -> Reply:
            if request.path.endswith("/accounts"):
                return reply_json({"accounts": ["U1"]})
            if request.path.endswith("/secdef/search"):
                return searched
            if request.path.endswith("/orders"):
                orders = request.json()["orders"]
                return reply_json([{"order_id": str(n)} for n, _ in enumerate(orders, 1)])
            return reply_json([])

        self._upstream.requests.clear()
        self._upstream.answers(answer)
        order = {"symbol": symbol, "action": "BUY", "quantity": 1, **PRICES[kind]}
        return self._http.post(f"/order/{kind}", json=order), self._upstream.requests


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = tmp_path_factory.mktemp("settings") / "none.yaml"
    settings.touch()
    with RecordingUpstream() as upstream:
        options = [f"--base-uri=trading={upstream.url}", f"--settings={settings}"]
        with (
            serve(FILE, options=options, ports=(8000, 9090)) as serving,
            httpx2.Client(base_url=serving.rest(8000), timeout=30) as http,
        ):
            yield Gateway(upstream, http)


def listing(conid: str, symbol: str = "ABC", sections: Any = STOCK) -> dict[str, Any]:
    return {"conid": conid, "symbol": symbol, "sections": sections}


def sent(requests: list[RecordedRequest], path: str) -> Any:
    (body,) = [each.json() for each in requests if each.path.endswith(path) and each.body]
    return body


@pytest.mark.parametrize("kind", PRICES)
def test_stocks_of_the_symbol_are_searched_and_the_first_is_traded(
    gateway: Gateway, kind: str
) -> None:
    found = reply_json([listing("12"), listing("34")])
    answer, requests = gateway.order(kind, found)
    assert answer.status_code == 200, answer.text
    search = {"symbol": "ABC", "name": False, "secType": "STK"}
    assert sent(requests, "/iserver/secdef/search") == search
    orders = sent(requests, "/iserver/account/U1/orders")["orders"]
    assert {repr(order["conid"]) for order in orders} == {"12"}


@pytest.mark.parametrize(
    ("listings", "conid"),
    [
        ([listing("1", sections=BOND), listing("2")], 2),
        ([listing("1", "ABCD"), listing("2")], 2),
        ([listing("1", "ABCD"), listing("2", "abc")], 2),
        ([listing("1", "X", BOND), listing("2", "ABCD"), listing("3", "ABCE")], 2),
        ([{"issuers": [], "bondid": 1}, listing("2")], 2),
    ],
)
def test_a_stock_of_the_symbol_is_chosen_before_other_listings(
    gateway: Gateway, listings: list[Any], conid: int
) -> None:
    answer, requests = gateway.order("limit", reply_json(listings))
    assert answer.status_code == 200, answer.text
    assert sent(requests, "/iserver/account/U1/orders")["orders"][0]["conid"] == conid


@pytest.mark.parametrize("kind", PRICES)
@pytest.mark.parametrize(
    "searched",
    [
        reply_json({"error": "No symbol found"}),
        reply_json({"error": "No symbol found"}, 400),
        reply_json({"error": "No symbol found"}, 404),
        reply_json([]),
        reply_json([listing("1", sections=BOND)]),
    ],
    ids=["error", "400", "404", "none", "bond"],
)
def test_a_symbol_without_a_stock_is_told_and_nothing_is_placed(
    gateway: Gateway, kind: str, searched: Reply
) -> None:
    answer, requests = gateway.order(kind, searched, "INVALID")
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": f"Failed to place {kind} order: Could not qualify contract for symbol: INVALID"
    }
    assert not any(each.path.endswith("/orders") for each in requests)


def test_a_search_that_ends_badly_is_no_reason_to_look_for_an_order(gateway: Gateway) -> None:
    answer, requests = gateway.order("limit", Reply(raw=b"", break_off=True))
    assert answer.status_code == 500
    assert "carried out" not in answer.text
    assert [each.path for each in requests].count("/iserver/secdef/search") == 1
