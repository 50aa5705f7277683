"""The log for followers: bounded, in order, without tracebacks."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from naftiko_runtime.serving.log_stream import LogHub, LogSubscription
from naftiko_runtime.serving.logs import LOGGER, log_event, log_private

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    before = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    yield
    LOGGER.setLevel(before)


def subscribe(hub: LogHub, most: int = 5) -> LogSubscription:
    subscription = hub.subscribe(most)
    assert subscription is not None
    return subscription


async def take(subscription: LogSubscription) -> tuple[str, Any]:
    async with asyncio.timeout(20):
        piece = await subscription.next()
    assert piece is not None
    name, data, *rest = piece.decode().split("\n")
    assert rest == ["", ""]
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def test_followers_get_each_event_once_and_in_order() -> None:
    hub = LogHub()
    followers = [subscribe(hub), subscribe(hub)]
    for number in range(3):
        log_event(logging.INFO, "counted", f"number {number}", number=number)
    log_event(logging.DEBUG, "quiet", "below the level")
    log_event(logging.INFO, "last", "the end")
    for follower in followers:
        events = [await take(follower) for _ in range(4)]
        assert [(kind, event["event"]) for kind, event in events] == [
            ("log", "counted"),
            ("log", "counted"),
            ("log", "counted"),
            ("log", "last"),
        ]
        assert [event.get("number") for _, event in events] == [0, 1, 2, None]
        follower.close()


async def test_events_of_other_threads_arrive() -> None:
    hub = LogHub()
    follower = subscribe(hub)
    thread = threading.Thread(target=log_event, args=(logging.INFO, "loaded", "in a thread"))
    thread.start()
    kind, event = await take(follower)
    thread.join()
    assert (kind, event["message"]) == ("log", "in a thread")
    follower.close()


async def test_who_reads_too_slowly_is_told_how_much_went_by() -> None:
    hub = LogHub()
    follower = subscribe(hub)
    for number in range(1500):
        log_event(logging.INFO, "many", "one of many", number=number)
    await asyncio.sleep(0)
    assert await take(follower) == ("dropped", {"lines": 500})
    numbers = [(await take(follower))[1]["number"] for _ in range(1000)]
    assert numbers == list(range(500, 1500))
    follower.close()


async def test_a_traceback_stays_on_the_machine() -> None:
    hub = LogHub()
    follower = subscribe(hub)
    try:
        raise ValueError("s3cret-canary-value")
    except ValueError:
        LOGGER.exception("internal error %s", "0123abcd")
    _, event = await take(follower)
    assert event["message"] == "internal error 0123abcd"
    assert "s3cret-canary-value" not in json.dumps(event)
    follower.close()


async def test_what_is_logged_cannot_end_an_event() -> None:
    hub = LogHub()
    follower = subscribe(hub)
    hostile = "a\n\nevent: log\ndata: {}\r\n\x1b[31m\u2028"
    log_event(logging.INFO, "hostile", hostile)
    _, event = await take(follower)
    assert event["message"] == hostile
    follower.close()


async def test_only_so_many_follow_and_who_leaves_makes_room() -> None:
    hub = LogHub()
    first, second = subscribe(hub, 2), subscribe(hub, 2)
    assert hub.subscribe(2) is None
    first.close()
    first.close()
    third = subscribe(hub, 2)
    for follower in (second, third):
        follower.close()
    assert await second.next() is None


async def test_nothing_listens_to_the_log_once_nobody_follows() -> None:
    hub = LogHub()
    before = list(LOGGER.handlers)
    follower = subscribe(hub)
    assert hub in LOGGER.handlers
    follower.close()
    assert before == LOGGER.handlers


async def test_waiting_ends_when_the_stream_is_closed() -> None:
    hub = LogHub()
    follower = subscribe(hub)
    waiting = asyncio.create_task(follower.next())
    await asyncio.sleep(0)
    follower.close()
    async with asyncio.timeout(20):
        assert await waiting is None


async def test_levels_are_those_of_this_program_alone() -> None:
    hub = LogHub()
    logging.getLogger("naftiko.rest")
    logging.getLogger("some.library")
    levels = hub.levels()
    assert levels["naftiko"] == "info"
    assert all(name.split(".")[0] == "naftiko" for name in levels)
    hub.set_level("naftiko.rest", "debug")
    try:
        assert hub.levels()["naftiko.rest"] == "debug"
        assert hub.levels()["naftiko"] == "info"
    finally:
        logging.getLogger("naftiko.rest").setLevel(logging.NOTSET)


async def test_followers_do_not_get_links_that_let_in_whoever_has_them() -> None:
    hub = LogHub()
    follower = subscribe(hub)
    log_private(logging.INFO, "approvals", "approvals at http://127.0.0.1/?token=t")
    log_event(logging.INFO, "last", "the end")
    _, event = await take(follower)
    assert event["event"] == "last"
    follower.close()
