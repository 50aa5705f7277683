"""Who gets in to the approval page, for how long, and who does not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.exposes.approvals.login import SESSION_SECONDS, Login, TooManyTries
from tests.exposes.approvals.desk import PASSWORD, Desk, a_call, a_page

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
BASE64 = string.ascii_letters + string.digits + "-_="


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def opened(login: Login, given: str = PASSWORD) -> str:
    session = login.open("peer", given)
    assert session is not None
    return session


async def test_the_password_opens_a_session_in_a_cookie_that_scripts_cannot_read() -> None:
    async with a_page() as page:
        wrong = await page.post("/login", {"secret": PASSWORD + "x"})
        right = await page.post("/login", {"secret": PASSWORD})
        assert (wrong.status_code, right.status_code) == (403, 303)
        assert "set-cookie" not in wrong.headers
        cookie = right.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={SESSION_SECONDS}"):
            assert part in cookie
        assert "Secure" not in cookie
        assert (await page.get()).status_code == 200


async def test_behind_https_the_cookie_is_for_https_alone() -> None:
    async with a_page(is_secure=True) as page:
        response = await page.post("/login", {"secret": PASSWORD})
    assert "; Secure" in response.headers["set-cookie"]


async def test_a_link_with_a_token_works_once_and_is_replaced_by_another() -> None:
    renewed: list[str] = []
    login = Login(KEY, None, renewed.append)
    first = login.token
    async with a_page(login=login) as page:
        entered = await page.get(f"/?token={first}")
        assert entered.status_code == 303
        assert entered.headers["location"] == "/"
        assert (await page.get()).status_code == 200
        page.http.cookies.clear()
        assert (await page.get(f"/?token={first}")).status_code == 403
        assert renewed == [login.token]
        assert login.token != first
        assert (await page.post("/login", {"secret": login.token})).status_code == 303
    assert len(renewed) == 2


async def test_a_link_to_a_call_leads_there_after_the_login() -> None:
    desk = Desk()
    await desk.park(a_call())
    async with a_page(desk) as page:
        asked = await page.get("/approvals/a-1")
        assert '<input type="hidden" name="call" value="a-1">' in asked.text
        fields = {"secret": PASSWORD, "call": "a-1"}
        assert (await page.post("/login", fields)).headers["location"] == "/approvals/a-1"


@pytest.mark.parametrize(
    "call", ["//evil.example", "../x", "https://evil.example", "a b", "a\r\nX: 1"]
)
async def test_a_login_leads_to_no_other_place(call: str) -> None:
    async with a_page() as page:
        response = await page.post("/login", {"secret": PASSWORD, "call": call})
    assert response.headers["location"] == "/"


async def test_logging_out_ends_the_session_even_for_who_kept_its_cookie() -> None:
    async with a_page() as page:
        await page.log_in()
        cookies = dict(page.http.cookies)
        assert (
            await page.post("/logout", {"form_token": await page.form_token()})
        ).status_code == 303
        page.http.cookies.clear()
        page.http.cookies.update(cookies)
        assert (await page.get()).status_code == 401


async def test_U7_whoever_tries_one_password_after_the_other_has_to_wait() -> None:
    async with a_page() as page:
        answers = [await page.post("/login", {"secret": f"guess {n}"}) for n in range(25)]
        assert [answer.status_code for answer in answers[:20]] == [403] * 20
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await page.post("/login", {"secret": PASSWORD})).status_code == 429


def test_U7_tokens_cannot_be_tried_for_ever_nor_their_owner_be_kept_out() -> None:
    login = Login(KEY, None)
    for number in range(20):
        assert login.open("peer", f"guess {number}") is None
    with pytest.raises(TooManyTries):
        login.open("peer", "guess 20")
    assert login.open("peer", login.token) is not None


def test_a_session_ends_after_a_while_and_with_its_password() -> None:
    clock = Clock()
    login = Login(KEY, Secret(PASSWORD), clock=clock)
    session = opened(login)
    clock.now += SESSION_SECONDS - 1
    assert login.is_open(session)
    assert not Login(KEY, Secret("another password"), clock=clock).is_open(session)
    assert not Login(b"x" * 32, Secret(PASSWORD), clock=clock).is_open(session)
    assert Login(KEY, Secret(PASSWORD), clock=clock).is_open(session)
    clock.now += 1
    assert not login.is_open(session)


LOGIN = Login(KEY, Secret(PASSWORD))
SESSION = opened(LOGIN)


@given(st.text() | st.text(alphabet="AZaz09-_=", max_size=120))
def test_no_made_up_text_is_a_session(text: str) -> None:
    assert not LOGIN.is_open(text)


@given(st.integers(0, len(SESSION) - 1), st.sampled_from(BASE64))
def test_no_session_can_be_changed(position: int, character: str) -> None:
    changed = SESSION[:position] + character + SESSION[position + 1 :]
    assert LOGIN.is_open(changed) is (changed == SESSION)


@given(st.text())
def test_no_made_up_text_is_a_form_token(text: str) -> None:
    assert not LOGIN.is_form_token(SESSION, text)
