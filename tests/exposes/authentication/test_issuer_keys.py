"""How long an issuer's keys are kept, and what happens while it is away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from naftiko_runtime.consumes.authorization_server import AuthorizationServerError
from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.exposes.authentication.keys import IssuerKeys
from tests.issuer import Issuer
from tests.recording_upstream import RecordedRequest, Reply, reply_json

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer("ec") as running:
        yield running


@pytest.fixture
async def upstreams(tmp_path: Path) -> AsyncIterator[HttpUpstreams]:
    opened = HttpUpstreams(UpstreamSettings(timeout=5.0, trust=TrustStore(tmp_path)))
    yield opened
    await opened.aclose()


async def knows(keys: IssuerKeys, key_id: str) -> bool:
    _, found = await keys.find(key_id, "ES256")
    return bool(found)


async def test_keys_are_fetched_again_when_they_have_aged(
    issuer: Issuer, upstreams: HttpUpstreams
) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.url, upstreams, clock)
    assert await knows(keys, "key-1")
    clock.now += 500
    assert await knows(keys, "key-1")
    assert issuer.fetched("/jwks") == 1
    issuer.rotate()
    clock.now += 200
    assert not await knows(keys, "key-1"), "a key that was taken back is still good"
    assert await knows(keys, "key-2")


async def test_keys_are_kept_for_an_hour_while_the_issuer_is_away(
    issuer: Issuer, upstreams: HttpUpstreams
) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.url, upstreams, clock)
    assert await knows(keys, "key-1")
    issuer.pages["/jwks"] = lambda _: Reply(503)
    clock.now += 3600
    assert await knows(keys, "key-1")
    clock.now += 3600
    with pytest.raises(AuthorizationServerError):
        await keys.find("key-1", "ES256")
    issuer.pages["/jwks"] = lambda _: reply_json({"keys": issuer.keys()})
    clock.now += 10
    assert await knows(keys, "key-1")


async def test_an_issuer_that_is_away_is_not_asked_with_every_token(
    issuer: Issuer, upstreams: HttpUpstreams
) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.url, upstreams, clock)
    issuer.pages["/jwks"] = lambda _: Reply(503)
    for _ in range(10):
        with pytest.raises(AuthorizationServerError):
            await keys.find("key-1", "ES256")
    assert issuer.fetched("/jwks") == 1
    clock.now += 10
    with pytest.raises(AuthorizationServerError):
        await keys.find("key-1", "ES256")
    assert issuer.fetched("/jwks") == 2


async def test_callers_at_the_same_time_wait_for_one_fetch(
    issuer: Issuer, upstreams: HttpUpstreams
) -> None:
    held = threading.Event()

    def slow(request: RecordedRequest) -> Reply:
        held.wait(10)
        return reply_json({"keys": issuer.keys()})

    issuer.pages["/jwks"] = slow
    keys = IssuerKeys(issuer.url, upstreams)
    waiting = [asyncio.create_task(knows(keys, "key-1")) for _ in range(20)]
    while not issuer.fetched("/jwks"):
        await asyncio.sleep(0.01)
    waiting[0].cancel()
    await asyncio.sleep(0)
    held.set()
    assert all(await asyncio.gather(*waiting[1:]))
    assert issuer.fetched("/jwks") <= 2


async def test_unknown_key_ids_are_looked_for_at_a_bounded_rate(
    issuer: Issuer, upstreams: HttpUpstreams
) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.url, upstreams, clock)
    for number in range(50):
        clock.now += 0.1
        assert not await knows(keys, f"invented-{number}")
    assert issuer.fetched("/jwks") <= 5
    issuer.rotate()
    clock.now += 31
    assert await knows(keys, "key-2")
