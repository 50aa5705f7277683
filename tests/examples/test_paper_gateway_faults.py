"""Faults of the paper gateway: how they are written, and what a client meets."""

from __future__ import annotations

import json
import time

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.paper_gateway.faults import (
    Fault,
    FaultBoard,
    FaultError,
    FaultName,
    parse_fault,
    parse_faults,
)
from tests.examples.paper import AAPL, ORDERS, Paper

RESTING = {"conid": AAPL, "side": "BUY", "orderType": "LMT", "quantity": 1, "price": 229.0}

faults = st.builds(
    Fault,
    st.sampled_from(FaultName),
    st.none() | st.integers(1, 999_999),
    st.integers(0, 999_999_999).map(lambda thousandths: thousandths / 1000),
    st.none() | st.sampled_from(["GET", "POST", "DELETE"]),
    st.just("*") | st.from_regex(r"/[a-z/*{}.?=-]{0,30}", fullmatch=True),
)


@given(st.lists(faults, max_size=4))
def test_faults_are_read_as_they_are_written(given_faults: list[Fault]) -> None:
    assert parse_faults(",".join(map(str, given_faults))) == given_faults


@given(st.text(max_size=40))
def test_any_text_is_a_fault_or_an_error_that_tells_what_is_wrong(text: str) -> None:
    try:
        read = str(parse_fault(text))
    except FaultError as error:
        read = str(error)
    assert "is no fault" in read or parse_fault(read) == parse_fault(text)


def test_a_fault_hits_the_calls_it_names_as_often_as_it_says() -> None:
    board = FaultBoard()
    board.add(parse_fault("503*2@POST /iserver/*"))
    assert board.strike("GET", "/iserver/accounts") is None
    assert board.strike("POST", "/portfolio/accounts") is None
    struck = [board.strike("POST", "/iserver/account") for _ in range(3)]
    assert [fault is not None for fault in struck] == [True, True, False]
    assert board.faults == []


def test_statuses_can_be_forced(trading: Paper) -> None:
    for status in (429, 503):
        trading.control("/faults", {"faults": f"{status}*1@/tickle"})
        assert trading.post("/tickle").status_code == status
        assert trading.post("/tickle").status_code == 200


def test_a_call_that_is_answered_503_is_not_carried_out(trading: Paper) -> None:
    trading.control("/faults", {"faults": "503*1"})
    assert trading.post(ORDERS, {"orders": [RESTING]}).status_code == 503
    assert trading.gateway.book.orders() == []


def test_a_reset_placement_has_been_carried_out_but_nobody_hears_of_it(trading: Paper) -> None:
    trading.control("/faults", {"faults": "reset*1@POST /iserver/account/*/orders"})
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        trading.post(ORDERS, {"orders": [{**RESTING, "cOID": "lost"}]})
    assert [order.request.client_id for order in trading.gateway.book.orders()] == ["lost"]
    repeated = trading.post(ORDERS, {"orders": [{**RESTING, "cOID": "lost"}]})
    assert "already registered" in repeated.json()["error"]


def test_a_slow_placement_is_carried_out_before_its_answer(trading: Paper) -> None:
    trading.control("/faults", {"faults": "slow*1=5@POST /iserver/account/*/orders"})
    with pytest.raises(httpx2.ReadTimeout):
        trading.http.post(
            trading.running.base_uri + ORDERS, json={"orders": [RESTING]}, timeout=0.3
        )
    assert len(trading.gateway.book.orders()) == 1


def test_a_slow_answer_is_a_right_one(trading: Paper) -> None:
    trading.control("/faults", {"faults": "slow*1=0.05"})
    assert trading.post("/tickle").json()["collission"] is False


def test_a_malformed_answer_is_half_of_a_json_document(trading: Paper) -> None:
    trading.control("/faults", {"faults": "malformed*1"})
    answer = trading.post(ORDERS, {"orders": [RESTING]})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert len(trading.gateway.book.orders()) == 1


def test_a_lost_session_can_answer_a_page_of_html_with_status_200(trading: Paper) -> None:
    trading.control("/faults", {"faults": "login-page*1"})
    answer = trading.post(ORDERS, {"orders": [RESTING]})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert trading.gateway.book.orders() == []


def test_a_lost_session_can_redirect_to_the_login_page(trading: Paper) -> None:
    trading.control("/faults", {"faults": "login-redirect*1"})
    answer = trading.get("/iserver/accounts")
    assert answer.status_code == 302
    page = trading.http.get(trading.running.url + answer.headers["location"])
    assert "Paper gateway" in page.text


def test_an_expired_session_stays_expired_until_someone_logs_in(trading: Paper) -> None:
    trading.control("/faults", {"faults": "expired*1"})
    assert trading.get("/iserver/accounts").status_code == 401
    assert trading.get("/iserver/accounts").status_code == 401
    assert trading.control("/login").json() == {"session": "open"}
    assert trading.get("/iserver/accounts").status_code == 200


def test_faults_are_listed_and_switched_off(trading: Paper) -> None:
    url = f"{trading.running.url}/paper/faults"
    added = trading.control("/faults", {"faults": "503,slow=1@/portfolio/*"}).json()
    assert added == {"faults": ["503", "slow=1@/portfolio/*"]}
    assert trading.http.get(url).json() == added
    assert trading.get("/iserver/accounts").status_code == 503
    assert trading.http.delete(url).json() == {"faults": []}
    assert trading.get("/iserver/accounts").status_code == 200


@pytest.mark.parametrize("body", [{"faults": "explode"}, {"faults": 503}, {}, None])
def test_faults_that_do_not_exist_are_refused(trading: Paper, body: object) -> None:
    answer = trading.control("/faults", body)
    assert answer.status_code == 400
    assert trading.gateway.faults.faults == []


def test_controls_are_not_hit_by_faults(trading: Paper) -> None:
    trading.control("/faults", {"faults": "503"})
    assert trading.http.get(f"{trading.running.url}/paper/state").json()["faults"] == ["503"]


def test_the_state_tells_the_truth_to_a_client_that_is_logged_out(trading: Paper) -> None:
    trading.post(ORDERS, {"orders": [{**RESTING, "cOID": "known"}]})
    trading.post("/logout")
    state = trading.http.get(f"{trading.running.url}/paper/state").json()
    assert state["session"] == "logged-out"
    assert [order["order_ref"] for order in state["orders"]] == ["known"]
    assert state["cash"] == 1_000_000


def test_a_price_is_pinned_and_let_go_through_the_control(paper: Paper) -> None:
    paper.open_account()
    pinned = paper.control("/market", {"symbol": "aapl", "price": 123.45})
    assert pinned.json() == {"conid": AAPL, "price": 123.45}
    walking = paper.control("/market", {"conid": AAPL, "price": None}).json()["price"]
    assert 150 < walking < 320


@pytest.mark.parametrize(
    "body",
    [
        {"symbol": "NOSUCH", "price": 1},
        {"conid": 1, "price": 1},
        {"conid": AAPL, "price": 0},
        {"conid": AAPL, "price": "1"},
        {"conid": AAPL, "price": 1.001},
    ],
)
def test_a_price_that_cannot_be_pinned_is_refused(paper: Paper, body: object) -> None:
    assert paper.control("/market", body).status_code == 400


def test_the_clock_moves_through_the_control(paper: Paper) -> None:
    before = paper.gateway.clock()
    paper.control("/clock", {"advance": 12.5})
    assert paper.gateway.clock() == before + 12.5
    assert paper.control("/clock", {"advance": -1}).status_code == 400


def test_a_late_placement_is_carried_out_after_the_client_has_gone(trading: Paper) -> None:
    trading.control("/faults", {"faults": "late*1=0.3@POST /iserver/account/*/orders"})
    with pytest.raises(httpx2.ReadTimeout):
        trading.http.post(
            trading.running.base_uri + ORDERS, json={"orders": [RESTING]}, timeout=0.1
        )
    assert trading.gateway.book.orders() == []
    while not trading.gateway.book.orders():
        time.sleep(0.01)


def test_a_torn_answer_has_a_head_and_half_a_body(trading: Paper) -> None:
    trading.control("/faults", {"faults": "torn*1@POST /iserver/account/*/orders"})
    address = trading.running.base_uri + ORDERS
    with trading.http.stream("POST", address, json={"orders": [RESTING]}) as answer:
        assert answer.status_code == 200
        with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            answer.read()
    assert len(trading.gateway.book.orders()) == 1


def test_a_dropped_placement_is_not_carried_out(trading: Paper) -> None:
    trading.control("/faults", {"faults": "dropped*1@POST /iserver/account/*/orders"})
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        trading.post(ORDERS, {"orders": [RESTING]})
    assert trading.gateway.book.orders() == []
