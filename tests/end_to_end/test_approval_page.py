"""A person decides on a phone: in a real browser that runs no scripts, in a real process, about
calls of official MCP clients and of REST callers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync
from mcp import Client
from mcp_types import ElicitRequestURLParams, ElicitResult

from tests.browser import Browser, needs_chromium
from tests.end_to_end.approving import ORDER, PASSWORD, SETTINGS, Floor, trading_floor
from tests.exposes.mcp.listener import ERAS

pytestmark = needs_chromium

FINGER = 44
"""CSS pixels that a button should have at least, each way (WCAG 2.5.5)."""


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with trading_floor(tmp_path_factory.mktemp("floor")) as running:
        yield running


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path, width=390, height=844, scripts=False) as browser:
        yield browser


def log_in(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.focus("input[name=secret]")
    browser.type(PASSWORD)
    browser.click("Log in")


def an_order(quantity: int) -> dict[str, object]:
    return {**ORDER, "quantity": quantity}


def test_a_call_is_approved_with_two_clicks(floor: Floor, phone: Browser) -> None:
    id_ = floor.park(an_order(11))
    log_in(phone, f"{floor.page}/approvals/{id_}")
    assert phone.url == f"{floor.page}/approvals/{id_}"
    for shown in ("desk.place", "POST", "/orders", '"quantity": 11', "1.02 USD", "Time left"):
        assert shown in phone.text
    width, height = phone.click("Approve")
    assert min(width, height) >= FINGER
    assert an_order(11) not in floor.orders
    assert '"quantity": 11' in phone.text
    width, height = phone.click("Yes, send it")
    assert min(width, height) >= FINGER
    assert "Approved. It is sent once, as soon as the caller asks again." in phone.text
    assert an_order(11) not in floor.orders
    assert floor.place(an_order(11)).status_code == 201
    assert floor.orders.count(an_order(11)) == 1


def test_a_call_is_refused_with_one(floor: Floor, phone: Browser) -> None:
    id_ = floor.park(an_order(12))
    log_in(phone, f"{floor.page}/approvals/{id_}")
    phone.click("Refuse")
    assert "Refused. Nothing was sent." in phone.text
    assert floor.place(an_order(12)).status_code == 403
    assert an_order(12) not in floor.orders


def test_the_list_finds_new_calls_by_itself(tmp_path: Path, phone: Browser) -> None:
    with trading_floor(tmp_path) as floor:
        log_in(phone, floor.page)
        assert "Nothing waits for you." in phone.text
        floor.park(an_order(13))
        phone.wait_for('"quantity": 13')


def test_everything_is_halted_and_goes_on(tmp_path: Path, phone: Browser) -> None:
    with trading_floor(tmp_path) as floor:
        log_in(phone, floor.page)
        phone.click("Halt: stop all changes now")
        assert "Halted: nothing is changed anywhere." in phone.text
        assert floor.place().status_code == 503
        assert (floor.folder / "HALT").exists()
        phone.click("Lift the halt")
        assert "Halted" not in phone.text
        assert floor.place().status_code == 428


def test_the_page_fits_a_phone_whatever_a_model_writes(floor: Floor, phone: Browser) -> None:
    hostile = "<b>x</b>\u202e" + "W" * 3000 + "<script>document.title='owned'</script>"
    id_ = floor.park({"symbol": hostile, "quantity": 14})
    log_in(phone, f"{floor.page}/approvals/{id_}")
    assert phone.evaluate("innerWidth") == 390
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert "<b>x</b>U+202E" in phone.text
    assert phone.evaluate("document.title") == "Approvals"
    assert phone.evaluate("document.scripts.length") == 0
    assert phone.evaluate("document.querySelectorAll('b').length") == 0


def test_the_link_of_the_log_opens_the_page(tmp_path: Path, phone: Browser) -> None:
    with trading_floor(tmp_path, SETTINGS.partition("approvals")[0]) as floor:
        phone.open(str(floor.serving.wait_for_event("approvals")["url"]))
        assert "Nothing waits for you." in phone.text
        assert "token" not in phone.url
        phone.click("Log out")
        assert "Token" in phone.text


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_an_mcp_client_sends_its_user_to_the_page(
    era: str, floor: Floor, phone: Browser
) -> None:
    quantity = 100 + ERAS.index(era)
    asked: list[Any] = []

    async def ask(context: Any, params: Any) -> ElicitResult:
        """The person says that he goes there, and decides a little later."""
        asked.append(params)
        tasks.start_soon(run_sync, decide, params.url)
        return ElicitResult(action="accept")

    def decide(url: str) -> None:
        log_in(phone, url)
        assert f'"quantity": {quantity}' in phone.text
        phone.click("Approve")
        phone.click("Yes, send it")

    async with (
        anyio.create_task_group() as tasks,
        Client(floor.serving.mcp(), mode=era, elicitation_callback=ask) as client,
    ):
        result = await client.call_tool("place-order", an_order(quantity))
    (params,) = asked
    assert isinstance(params, ElicitRequestURLParams)
    assert params.url.startswith(f"{floor.page}/approvals/")
    assert result.is_error is False
    assert floor.orders.count(an_order(quantity)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_an_mcp_client_without_pages_repeats_its_call(
    era: str, floor: Floor, phone: Browser
) -> None:
    quantity = 200 + ERAS.index(era)
    async with Client(floor.serving.mcp(), mode=era) as client:
        first = await client.call_tool("place-order", an_order(quantity))
        assert first.is_error
        text = first.content[0].text  # type: ignore[union-attr]
        (url,) = {word.strip(",.") for word in text.split() if f"{floor.page}/approvals/" in word}
        await run_sync(log_in, phone, url)
        await run_sync(phone.click, "Approve")
        await run_sync(phone.click, "Yes, send it")
        assert an_order(quantity) not in floor.orders
        second = await client.call_tool("place-order", an_order(quantity))
    assert second.is_error is False
    assert floor.orders.count(an_order(quantity)) == 1
