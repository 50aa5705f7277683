"""What the operator's commands can do at a running process, and nobody without its key."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from naftiko_runtime.guards.approval import Effect
from tests.exposes.approvals.desk import REMOTE_KEY, Desk, Page, a_call, a_page

pytestmark = pytest.mark.anyio

KEY = {"authorization": f"Bearer {REMOTE_KEY}"}


async def decide(page: Page, decision: Any, id_: str = "a-1") -> httpx2.Response:
    url = f"{page.url}/operator/calls/{id_}"
    return await page.http.post(url, json=decision, headers=KEY)


async def a_desk() -> Desk:
    desk = Desk()
    await desk.park(a_call())
    return desk


async def test_calls_are_listed_and_decided_about() -> None:
    async with a_page(await a_desk()) as page:
        listed = (await page.get("/operator/calls", headers=KEY)).json()["calls"]
        assert [(call["id"], call["principal"], call["seconds"]) for call in listed] == [
            ("a-1", "alice", 60)
        ]
        assert listed[0]["request"]["body"]["orders"][0]["quantity"] == 5
        assert (await decide(page, {"approve": True})).json() == {"noted": True}
        assert (await page.get("/operator/calls", headers=KEY)).json() == {"calls": []}
        assert (await decide(page, {"approve": True}, "a-2")).json() == {"noted": False}
    assert await page.desk.park(a_call()) is Effect.SEND


async def test_a_call_is_refused() -> None:
    async with a_page(await a_desk()) as page:
        assert (await decide(page, {"approve": False})).json() == {"noted": True}
        assert (await decide(page, {"approve": True})).json() == {"noted": False}
    assert await page.desk.park(a_call()) is Effect.REFUSE


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {REMOTE_KEY}"},
    ],
    ids=str,
)
async def test_nobody_is_let_in_without_the_key_not_even_with_a_session(
    headers: dict[str, str],
) -> None:
    async with a_page(await a_desk()) as page:
        await page.log_in()
        url = f"{page.url}/operator/calls"
        assert (await page.http.get(url, headers=headers)).status_code == 401
        given = await page.http.post(url + "/a-1", json={"approve": True}, headers=headers)
        assert given.status_code == 401
    assert await page.desk.park(a_call()) is Effect.WAIT


@pytest.mark.parametrize("decision", [{}, {"approve": "yes"}, {"approve": 1}, [], None, "approve"])
async def test_a_decision_is_true_or_false(decision: Any) -> None:
    async with a_page(await a_desk()) as page:
        assert (await decide(page, decision)).status_code == 400
    assert await page.desk.park(a_call()) is Effect.WAIT
