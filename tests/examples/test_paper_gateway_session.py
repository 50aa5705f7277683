"""The front door of the paper gateway: manners, login, pacing, certificate."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest

from examples.paper_gateway.clock import AdjustableClock
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.pacing import HISTORY_PATH, Pacing
from examples.paper_gateway.server import running_gateway
from tests.examples.paper import ACCOUNT, NOON, Paper


def raw_request(paper: Paper, head: str) -> bytes:
    """Send a request head as it is and return the status line of the answer."""
    where = urlsplit(paper.running.url)
    trust = ssl.create_default_context(cafile=paper.running.certificate_path)
    with (
        socket.create_connection((where.hostname, where.port), timeout=60) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(head.encode())
        return secured.makefile("rb").readline().strip()


def test_an_unknown_certificate_is_not_trusted(paper: Paper) -> None:
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(paper.running.url, verify=ssl.create_default_context(), timeout=60)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_certificate_names_the_loopback_hosts(paper: Paper, host: str) -> None:
    port = urlsplit(paper.running.url).port
    assert paper.http.get(f"https://{host}:{port}/").status_code == 200


def test_the_fingerprint_is_the_one_of_the_served_certificate(paper: Paper) -> None:
    where = urlsplit(paper.running.url)
    assert where.hostname is not None
    assert where.port is not None
    served = ssl.get_server_certificate((where.hostname, where.port))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(served)).hexdigest().upper()
    assert paper.running.certificate.fingerprint.replace(":", "") == digest


def test_a_post_without_length_is_refused_with_411(paper: Paper) -> None:
    head = "POST /v1/api/tickle HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\n\r\n"
    assert raw_request(paper, head) == b"HTTP/1.1 411 Length Required"


def test_a_chunked_post_is_refused_with_411(paper: Paper) -> None:
    head = (
        "POST /v1/api/tickle HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert raw_request(paper, head) == b"HTTP/1.1 411 Length Required"


def test_a_request_without_user_agent_is_refused(paper: Paper) -> None:
    head = "GET /v1/api/iserver/accounts HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw_request(paper, head) == b"HTTP/1.1 403 Forbidden"


def test_an_empty_post_with_length_zero_is_answered(paper: Paper) -> None:
    status = paper.post("/iserver/auth/status")
    assert status.json() == {
        "authenticated": True,
        "competing": False,
        "connected": True,
        "MAC": "98:F2:B3:23:BF:A0",
        "message": "",
        "serverInfo": {
            "serverName": "JifN00000",
            "serverVersion": "Build 10.25.0p paper gateway",
        },
        "fail": "",
    }


def test_tickle_reports_the_session_with_its_odd_spelling(paper: Paper) -> None:
    tickle = paper.post("/tickle").json()
    assert tickle["collission"] is False
    assert tickle["ssoExpires"] == 360_000
    assert tickle["hmds"] == {"error": "no bridge"}
    assert tickle["iserver"]["authStatus"]["authenticated"] is True


def test_sso_validate_tells_when_the_session_expires(paper: Paper) -> None:
    paper.pass_time(60)
    validation = paper.get("/sso/validate").json()
    assert validation["RESULT"] is True
    assert validation["AUTH_TIME"] == int(NOON * 1000)
    assert validation["EXPIRES"] == 360_000


@pytest.mark.parametrize(
    "path", ["/iserver/accounts", "/portfolio/accounts", "/trsrv/stocks", "/sso/validate"]
)
def test_after_logout_every_call_is_answered_401_in_html(paper: Paper, path: str) -> None:
    assert paper.post("/logout").json() == {"status": True}
    answer = paper.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert paper.post("/iserver/auth/status").status_code == 401


def test_an_idle_session_ends(paper: Paper) -> None:
    paper.pass_time(361)
    assert paper.post("/tickle").status_code == 401


def test_a_session_that_is_tickled_lasts_until_its_day_is_over(paper: Paper) -> None:
    for _ in range(24 * 12):
        assert paper.post("/tickle").status_code == 200
        paper.pass_time(300)
    paper.pass_time(1)
    assert paper.post("/tickle").status_code == 401


def test_a_lapsed_brokerage_session_is_opened_again_with_init(paper: Paper) -> None:
    paper.control("/session", {"state": "lapsed"})
    status = paper.post("/iserver/auth/status").json()
    assert (status["authenticated"], status["connected"]) == (False, False)
    assert "serverInfo" not in status
    assert paper.get("/iserver/accounts").status_code == 401
    assert paper.get("/portfolio/accounts").status_code == 200
    opened = paper.post("/iserver/auth/ssodh/init", {"publish": True, "compete": False})
    assert opened.json()["authenticated"] is True
    assert paper.get("/iserver/accounts").status_code == 200


def test_a_competing_session_comes_back_only_when_asked_to_compete(paper: Paper) -> None:
    paper.control("/session", {"state": "taken"})
    assert paper.post("/iserver/auth/status").json()["competing"] is True
    yielded = paper.post("/iserver/auth/ssodh/init", {"publish": True, "compete": False}).json()
    assert (yielded["authenticated"], yielded["competing"]) == (False, True)
    taken = paper.post("/iserver/auth/ssodh/init", {"publish": True, "compete": True}).json()
    assert (taken["authenticated"], taken["competing"]) == (True, False)


def test_init_without_its_body_is_refused(paper: Paper) -> None:
    assert paper.post("/iserver/auth/ssodh/init").status_code == 400


def test_reauthenticate_opens_a_lapsed_session(paper: Paper) -> None:
    paper.control("/session", {"state": "lapsed"})
    assert paper.post("/iserver/reauthenticate").json() == {"message": "triggered"}
    assert paper.post("/iserver/auth/status").json()["authenticated"] is True


def test_orders_and_market_data_need_the_accounts_call_first(paper: Paper) -> None:
    refused = {"error": "Please query /accounts first"}
    for path in (
        "/iserver/account/orders",
        "/iserver/account/trades",
        "/iserver/account/order/status/1",
        "/iserver/marketdata/snapshot?conids=265598",
        "/iserver/marketdata/history?conid=265598&period=1d&bar=1h",
    ):
        answer = paper.get(path)
        assert (answer.status_code, answer.json()) == (400, refused), path
    answer = paper.post(f"/iserver/account/{ACCOUNT}/orders", {"orders": []})
    assert (answer.status_code, answer.json()) == (400, refused)
    paper.get("/iserver/accounts")
    assert paper.get("/iserver/account/orders").status_code == 200


def test_portfolio_calls_need_the_portfolio_accounts_call_first(paper: Paper) -> None:
    summary = f"/portfolio/{ACCOUNT}/summary"
    assert paper.get(summary).json() == {"error": "Please query /portfolio/accounts first"}
    assert paper.get("/portfolio/accounts").json()[0]["accountId"] == ACCOUNT
    assert paper.get(summary).status_code == 200


def test_a_new_login_forgets_what_the_old_session_called(paper: Paper) -> None:
    paper.open_account()
    paper.control("/login")
    assert paper.get("/iserver/account/orders").status_code == 400


def test_the_accounts_are_those_of_a_paper_trader(paper: Paper) -> None:
    accounts = paper.get("/iserver/accounts").json()
    assert accounts["accounts"] == [ACCOUNT]
    assert accounts["selectedAccount"] == ACCOUNT
    assert accounts["aliases"] == {ACCOUNT: ACCOUNT}
    assert accounts["isPaper"] is True


def test_selecting_the_selected_account_is_an_error(paper: Paper) -> None:
    answer = paper.post("/iserver/account", {"acctId": ACCOUNT})
    assert (answer.status_code, answer.json()) == (500, {"error": "Account already set"})
    assert paper.post("/iserver/account", {"acctId": "U1"}).status_code == 400


def test_a_browser_can_log_in_with_the_page_s_button() -> None:
    gateway = PaperGateway(logged_in=False, pacing=0)
    with running_gateway(gateway) as running:
        trust = ssl.create_default_context(cafile=running.certificate_path)
        with httpx2.Client(verify=trust, timeout=60) as http:
            page = http.get(running.url)
            assert "Paper gateway" in page.text
            assert "logged out" in page.text
            assert http.get(f"{running.base_uri}/iserver/accounts").status_code == 401
            pressed = http.post(
                f"{running.url}/paper/login",
                data={},
                headers={"accept": "text/html"},
                follow_redirects=True,
            )
            assert "logged in" in pressed.text
            assert http.get(f"{running.base_uri}/iserver/accounts").status_code == 200


@pytest.fixture
def paced() -> Iterator[Paper]:
    """A gateway that insists on its pacing limits, at a time that stands still."""
    gateway = PaperGateway(clock=AdjustableClock(frozen_at=NOON), pacing=1)
    with running_gateway(gateway) as running:
        trust = ssl.create_default_context(cafile=running.certificate_path)
        with httpx2.Client(verify=trust, timeout=60) as client:
            yield Paper(running, client)


def test_the_eleventh_call_of_a_second_is_too_many(paced: Paper) -> None:
    path = "/trsrv/stocks?symbols=IBM"
    assert [paced.get(path).status_code for _ in range(11)] == [200] * 10 + [429]
    paced.pass_time(1)
    assert paced.get(path).status_code == 200


def test_accounts_may_be_called_once_in_five_seconds(paced: Paper) -> None:
    assert paced.get("/iserver/accounts").status_code == 200
    paced.pass_time(4.9)
    assert paced.get("/iserver/accounts").status_code == 429
    paced.pass_time(0.2)
    assert paced.get("/iserver/accounts").status_code == 200


def test_who_ignores_the_limits_is_put_aside_for_ten_minutes(paced: Paper) -> None:
    statuses = [paced.get("/iserver/accounts").status_code for _ in range(60)]
    assert statuses.count(200) == 1
    paced.pass_time(300)
    assert paced.post("/tickle").status_code == 429
    paced.pass_time(301)
    paced.control("/login")
    assert paced.post("/tickle").status_code == 200


def test_pacing_can_be_scaled_and_switched_off_at_run_time(paced: Paper) -> None:
    assert paced.control("/pacing", {"scale": 0}).json() == {"scale": 0}
    assert {paced.get("/iserver/accounts").status_code for _ in range(20)} == {200}
    paced.control("/pacing", {"scale": 5})
    assert paced.get("/iserver/accounts").status_code == 200
    paced.pass_time(1)
    assert paced.get("/iserver/accounts").status_code == 200
    assert paced.get("/iserver/accounts").status_code == 429


def test_a_connection_is_reused_for_several_calls(paper: Paper) -> None:
    where = urlsplit(paper.running.url)
    trust = ssl.create_default_context(cafile=paper.running.certificate_path)
    connection = http.client.HTTPSConnection(
        where.hostname or "", where.port, context=trust, timeout=10
    )
    for _ in range(3):
        connection.request("GET", "/v1/api/iserver/accounts", headers={"User-Agent": "test"})
        assert connection.getresponse().read()
    connection.close()


def test_at_most_five_calls_for_history_run_at_once() -> None:
    pacing = Pacing(AdjustableClock(frozen_at=NOON), scale=1)
    for _ in range(5):
        assert pacing.admit(HISTORY_PATH)
        pacing.begin(HISTORY_PATH)
    assert not pacing.admit(HISTORY_PATH)
    pacing.end(HISTORY_PATH)
    assert pacing.admit(HISTORY_PATH)
