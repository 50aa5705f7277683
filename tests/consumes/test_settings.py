"""What the operator sets for single namespaces: timeouts, connections, certificates."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.streaming import HttpStreams
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.failures import CallFailed, FailureKind
from naftiko_runtime.settings.model import NO_SETTINGS, RuntimeSettings, TrustChoice, UpstreamRule
from tests.consumes.certificates import Identity, make_identity
from tests.consumes.conftest import Opener
from tests.consumes.raw_upstream import Connection, answer_all, raw_upstream
from tests.consumes.requests import failing, request

pytestmark = pytest.mark.anyio


def rules(*given: UpstreamRule) -> RuntimeSettings:
    return replace(NO_SETTINGS, upstreams=given)


@pytest.fixture(scope="module")
def identity() -> Identity:
    return make_identity()


async def never_answer(connection: Connection) -> None:
    await connection.request()
    await connection.until_left()


async def test_a_namespace_has_a_timeout_of_its_own(client: Opener) -> None:
    async with raw_upstream(never_answer) as upstream, client() as upstreams:
        upstreams.adopt(rules(UpstreamRule("*", timeout=60.0), UpstreamRule("GATE*", timeout=0.05)))
        failure = await failing(upstreams, request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_TIMEOUT
    assert failure.executed
    assert "no complete answer within 0.05 s" in failure.detail


async def test_what_streams_keeps_to_the_timeout_too(trust: TrustStore) -> None:
    upstreams = HttpUpstreams(UpstreamSettings(trust=trust))
    streams = HttpStreams(UpstreamSettings(trust=trust), upstreams.send)
    streams.adopt(rules(UpstreamRule("gateway", timeout=0.05)))
    async with raw_upstream(never_answer) as upstream:
        with pytest.raises(CallFailed) as caught:
            async with streams.stream(request(upstream.url), None):
                pass
        await streams.aclose()
        await upstreams.aclose()
    assert caught.value.failure.kind is FailureKind.UPSTREAM_TIMEOUT


async def test_a_namespace_has_as_many_connections_as_it_is_given(client: Opener) -> None:
    release = asyncio.Event()

    async def script(connection: Connection) -> None:
        while True:
            await connection.request()
            await release.wait()
            await connection.answer()

    async with raw_upstream(script) as upstream, client() as upstreams:
        upstreams.adopt(rules(UpstreamRule("gateway", pool=2, timeout=20.0)))
        calls = [asyncio.create_task(upstreams.send(request(upstream.url))) for _ in range(6)]
        while upstream.connections < 2:
            await asyncio.sleep(0.01)
        release.set()
        assert [answer.status for answer in await asyncio.gather(*calls)] == [200] * 6
    assert upstream.connections == 2


async def test_calls_wait_for_a_connection_no_longer_than_is_set(client: Opener) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.request()
        arrived.set()
        await release.wait()
        await connection.answer()

    both = rules(UpstreamRule("*", pool=1, timeout=60.0), UpstreamRule("gateway", timeout=0.05))
    async with raw_upstream(script) as upstream, client() as upstreams:
        upstreams.adopt(both)
        patient = replace(request(upstream.url), upstream="other")
        first = asyncio.create_task(upstreams.send(patient))
        await arrived.wait()
        failure = await failing(upstreams, request(upstream.url))
        release.set()
        assert (await first).status == 200
    assert failure.kind is FailureKind.UPSTREAM_TIMEOUT
    assert not failure.executed
    assert "the only connection was busy for 0.05 s" in failure.detail


async def test_settings_hold_from_the_moment_they_are_adopted(client: Opener) -> None:
    async with raw_upstream(answer_all) as upstream, client() as upstreams:
        first = await upstreams.send(request(upstream.url))
        upstreams.adopt(rules(UpstreamRule("gateway", pool=1)))
        second = await upstreams.send(request(upstream.url))
        assert (first.status, second.status) == (200, 200)
    assert upstream.connections == 2


async def test_a_pinned_namespace_accepts_a_kept_certificate_alone(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = identity.server_context(tmp_path)
    pinned = rules(UpstreamRule("gateway", trust=TrustChoice.PINNED))
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        upstreams.adopt(pinned)
        failure = await failing(upstreams, request(upstream.url))
        assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
        assert f'run "naftiko trust {upstream.url}"' in failure.detail
        assert not failure.executed
        trust.pin("localhost", upstream.port, identity.pem)
        upstreams.adopt(rules(UpstreamRule("gateway", trust=TrustChoice.PINNED, pool=3)))
        assert (await upstreams.send(request(upstream.url))).status == 200


async def test_a_pinned_namespace_does_not_accept_what_an_authority_vouches_for(
    client: Opener, tmp_path: Path
) -> None:
    authority = make_identity(common_name="Test Authority", authority=True)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    tls = make_identity(issuer=authority).server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client(ca_files=(ca_file,)) as upstreams:
        assert (await upstreams.send(request(upstream.url))).status == 200
        upstreams.adopt(rules(UpstreamRule("gateway", trust=TrustChoice.PINNED)))
        failure = await failing(upstreams, request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert len(upstream.requests) == 1


async def test_a_kept_certificate_counts_nothing_where_authorities_are_asked_for(
    client: Opener, identity: Identity, tmp_path: Path, trust: TrustStore
) -> None:
    tls = identity.server_context(tmp_path)
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        trust.pin("localhost", upstream.port, identity.pem)
        upstreams.adopt(rules(UpstreamRule("gateway", trust=TrustChoice.AUTHORITIES)))
        failure = await failing(upstreams, request(upstream.url))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert 'set another "trust" than "authorities"' in failure.detail
    assert upstream.requests == []


async def test_a_check_may_be_left_out_on_this_machine_alone(
    client: Opener, identity: Identity, tmp_path: Path
) -> None:
    tls = identity.server_context(tmp_path)
    unchecked = rules(UpstreamRule("gateway", trust=TrustChoice.NOTHING))
    async with raw_upstream(answer_all, tls) as upstream, client() as upstreams:
        upstreams.adopt(unchecked)
        assert (await upstreams.send(request(upstream.url))).status == 200
        failure = await failing(upstreams, request("https://gateway.example.com"))
    assert failure.kind is FailureKind.UPSTREAM_UNTRUSTED
    assert '"trust: nothing" of the settings is for loopback addresses only' in failure.detail


async def test_what_the_command_line_says_of_a_certificate_comes_first(
    client: Opener, identity: Identity, tmp_path: Path
) -> None:
    tls = identity.server_context(tmp_path)
    insecure = frozenset({"gateway"})
    async with raw_upstream(answer_all, tls) as upstream, client(insecure=insecure) as upstreams:
        upstreams.adopt(rules(UpstreamRule("gateway", trust=TrustChoice.PINNED)))
        assert (await upstreams.send(request(upstream.url))).status == 200
