"""What people see and do on the approval page, and what others cannot."""

from __future__ import annotations

import pytest

from naftiko_runtime.guards.approval import Decision, Effect
from tests.exposes.approvals.desk import Desk, Page, a_call, a_page

pytestmark = pytest.mark.anyio

PATHS = ["/", "/approvals/a-1", "/approvals/a-1/approve"]


async def parked(desk: Desk, id_: str = "a-1") -> Desk:
    assert await desk.park(a_call(id_)) is Effect.WAIT
    return desk


async def decide(page: Page, decision: str, id_: str = "a-1") -> str:
    fields = {"form_token": await page.form_token(), "decision": decision}
    response = await page.post(f"/approvals/{id_}", fields)
    assert response.status_code == 303
    return (await page.get(response.headers["location"])).text


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_sees_a_call_who_has_not_logged_in(path: str) -> None:
    async with a_page(await parked(Desk())) as page:
        response = await page.get(path)
    assert response.status_code == 401
    assert "Log in" in response.text
    for secret in ("place-order", "AAPL", "alice", "265598"):
        assert secret not in response.text


async def test_a_call_is_shown_with_who_what_the_request_and_the_preview() -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        for path in PATHS:
            text = (await page.get(path)).text
            for shown in (
                "alice",
                "MCP",
                "place-order",
                "web-orders.placeorder",
                "trading",
                "POST",
                "https://localhost:5000/v1/api/iserver/account/U1/orders",
                "&quot;quantity&quot;: 5",
                "1.02 USD",
                "60 s",
            ):
                assert shown in text


async def test_a_call_is_approved_by_two_clicks_and_then_sent_once() -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        assert 'href="/approvals/a-1/approve"' in (await page.get()).text
        assert "Yes, send it" in (await page.get("/approvals/a-1/approve")).text
        assert "Approved. It is sent once" in await decide(page, "approve")
        found = await page.desk.get("a-1")
        assert found is not None
        assert (found.decision, found.by) == (Decision.APPROVED, "approval page")
        assert await page.desk.park(a_call()) is Effect.SEND
        assert "does not wait any more" in (await page.get("/approvals/a-1")).text


async def test_who_confirms_sees_all_of_the_address_and_the_headers() -> None:
    request = {
        "method": "POST",
        "url": f"https://localhost:5000/orders?note={'x' * 600}&quantity=1000",
        "headers": {"x-note": "y" * 900, "x-account": "U2"},
        "body": None,
    }
    async with a_page(Desk()) as page:
        await page.desk.park(a_call(request=request))
        await page.log_in()
        text = (await page.get("/approvals/a-1/approve")).text
    assert "&amp;quantity=1000" in text
    assert "y" * 900 in text
    assert "<details open><summary>Headers" in text


async def test_a_call_is_refused_for_good() -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        assert "Refused. Nothing was sent." in await decide(page, "refuse")
        assert await page.desk.park(a_call()) is Effect.REFUSE
        assert "does not wait any more" not in await decide(page, "refuse")
        await decide(page, "approve")
        assert await page.desk.park(a_call()) is Effect.REFUSE


async def test_a_call_that_is_gone_cannot_be_decided_about() -> None:
    async with a_page() as page:
        await page.log_in()
        assert "Nothing waits for you" in (await page.get()).text
        assert (await page.get("/approvals/a-1")).status_code == 404
        assert (await page.get("/approvals/a-1/approve")).status_code == 404
        fields = {"form_token": "", "decision": "approve"}
        assert (await page.post("/approvals/a-1", fields)).status_code == 403


async def test_the_list_looks_again_by_itself_and_needs_no_script() -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        response = await page.get()
        detail = await page.get("/approvals/a-1/approve")
    assert response.headers["refresh"] == "5"
    assert "refresh" not in detail.headers
    assert "<script" not in response.text


async def test_the_kill_switch_is_turned_and_lifted() -> None:
    async with a_page() as page:
        await page.log_in()
        token = await page.form_token()
        await page.post("/halt", {"form_token": token, "action": "halt"})
        assert "Halted: nothing is changed anywhere." in (await page.get()).text
        await page.post("/halt", {"form_token": token, "action": "lift"})
        assert "Halted" not in (await page.get()).text
        assert (await page.post("/halt", {"form_token": token})).status_code == 400
    assert page.desk.acts == [(True, "approval page"), (False, "approval page")]


async def test_what_cannot_be_halted_has_no_switch() -> None:
    async with a_page(Desk(halted=None)) as page:
        await page.log_in()
        assert "Halt" not in (await page.get()).text


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/login", "/halt"])
async def test_U8_no_answer_may_be_kept_framed_or_run_scripts(path: str) -> None:
    async with a_page(await parked(Desk())) as page:
        for _ in range(2):
            headers = (await page.get(path)).headers
            if headers["content-type"].startswith("text/html"):
                policy = headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "frame-ancestors 'none'" in policy
                assert "form-action 'self'" in policy
                assert "base-uri 'none'" in policy
                assert "unsafe" not in policy
                assert headers["cache-control"] == "no-store"
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["x-frame-options"] == "DENY"
            await page.log_in()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/approvals/a-1", {"decision": "approve"}),
        ("/approvals/a-1", {"decision": "refuse"}),
        ("/halt", {"action": "halt"}),
        ("/logout", {}),
    ],
)
@pytest.mark.parametrize("token", [None, "", "0" * 64, "ä"])
async def test_U8_a_form_that_was_not_given_to_this_session_does_nothing(
    path: str, fields: dict[str, str], token: str | None
) -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        sent = fields if token is None else {**fields, "form_token": token}
        assert (await page.post(path, sent)).status_code == 403
        found = await page.desk.get("a-1")
        assert found is not None
        assert found.decision is Decision.OPEN
        assert page.desk.halted is False
        assert (await page.get()).status_code == 200


async def test_U8_the_form_token_of_another_session_does_nothing() -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        other = await page.form_token()
        page.http.cookies.clear()
        await page.log_in()
        assert other != await page.form_token()
        fields = {"decision": "approve", "form_token": other}
        assert (await page.post("/approvals/a-1", fields)).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8080"},
        {"origin": "http://localhost.evil.example"},
        {"host": "evil.example"},
    ],
    ids=str,
)
async def test_U8_requests_of_other_pages_and_names_are_refused(headers: dict[str, str]) -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        fields = {"decision": "approve", "form_token": await page.form_token()}
        refused = await page.post("/approvals/a-1", fields, headers=headers)
        assert refused.status_code == 403
        found = await page.desk.get("a-1")
        assert found is not None
        assert found.decision is Decision.OPEN


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(method: str) -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        for path in (
            "/approvals/a-1?decision=approve",
            "/halt?action=halt",
            "/approvals/a-1/approve",
        ):
            await page.http.request(method, page.url + path)
        found = await page.desk.get("a-1")
        assert found is not None
        assert found.decision is Decision.OPEN
        assert page.desk.halted is False


@pytest.mark.parametrize("decision", ["", "APPROVE", "yes", "approve\n"])
async def test_a_decision_is_one_of_two_words(decision: str) -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        fields = {"decision": decision, "form_token": await page.form_token()}
        assert (await page.post("/approvals/a-1", fields)).status_code == 400


async def test_a_form_with_a_field_twice_is_nobodys() -> None:
    async with a_page(await parked(Desk())) as page:
        await page.log_in()
        token = await page.form_token()
        body = f"form_token={token}&decision=refuse&decision=approve"
        answer = await page.http.post(page.url + "/approvals/a-1", content=body)
        assert answer.status_code == 400


async def test_a_very_long_form_is_refused() -> None:
    async with a_page() as page:
        assert (await page.post("/login", {"secret": "x" * 20_000})).status_code == 413
