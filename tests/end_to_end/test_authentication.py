"""Authentication with the real command: files, variables, reloads, workers, and upstreams."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.capability_text import capability
from tests.consumes.test_digest_credentials import PASSWORD, USER, DigestServer
from tests.end_to_end.test_serve_workers import moved
from tests.exposes.mcp.listener import ERAS
from tests.issuer import AUDIENCE, Issuer
from tests.recording_upstream import RecordingUpstream, reply_json
from tests.serving_process import Serving, serve

SECRET = "c4n4ry-of-the-caller"
BEARER = {"type": "bearer", "token": "{{SHIPS_TOKEN}}"}
GOOD = {"Authorization": f"Bearer {SECRET}"}
ENV = {"SHIPS_TOKEN": SECRET}


def write(
    folder: Path,
    upstream: RecordingUpstream,
    name: str = "ships",
    *,
    rest: object = None,
    mcp: object = None,
    consumes: object = None,
    mcp_port: int = 9090,
    **options: Any,
) -> Path:
    """A capability whose adapters ask for this, and whose upstream gets that."""
    document = yaml.safe_load(capability(name, upstream.url, mcp_port=mcp_port, **options))
    exposes = document["capability"]["exposes"]
    for adapter, asked in zip(exposes, (rest, mcp), strict=False):
        if asked is not None:
            adapter["authentication"] = asked
    if consumes is not None:
        document["capability"]["consumes"][0]["authentication"] = consumes
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def status(url: str, headers: dict[str, str] | None = None) -> int:
    return httpx2.get(url, headers=headers, timeout=60).status_code


async def listed(url: str, era: str, headers: dict[str, str]) -> list[str]:
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=era) as client:
            return [tool.name for tool in (await client.list_tools()).tools]


def test_nothing_on_guarded_ports_answers_without_the_secret(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, upstream, rest=BEARER, mcp=BEARER)
    with serve(folder, env=ENV) as serving:
        rest, mcp = serving.rest(), serving.mcp().removesuffix("/mcp")
        for base in (rest, mcp):
            for path in ("/ships/ping", "/docs", "/openapi.json", "/", "/mcp", "/nothing"):
                assert status(base + path) == 401, base + path
        assert upstream.requests == []
        assert status(rest + "/ships/ping", GOOD) == 200
        assert status(rest + "/docs", GOOD) == 200
        assert status(rest + "/nothing", GOOD) == 404
        assert SECRET not in serving.log
    (request,) = upstream.requests
    assert request.header("authorization") is None


@pytest.mark.parametrize("era", ERAS)
def test_mcp_clients_with_the_secret_work(
    folder: Path, upstream: RecordingUpstream, era: str
) -> None:
    write(folder, upstream, mcp=BEARER)
    with serve(folder, env=ENV) as serving:
        assert asyncio.run(listed(serving.mcp(), era, GOOD)) == ["ships-ping"]
        assert status(serving.rest() + "/ships/ping") == 200


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_adapter_whose_variable_has_no_value_is_not_served_at_all(
    folder: Path, upstream: RecordingUpstream, value: str | None
) -> None:
    write(folder, upstream, rest=BEARER)
    env = {} if value is None else {"SHIPS_TOKEN": value}
    with serve(folder, env=env) as serving:
        assert "SHIPS_TOKEN" in serving.wait_for_event("problem", rule="authentication")["problem"]
        assert serving.events_of("listening", protocol="REST") == []
        assert serving.events_of("listening", protocol="MCP")


def test_adapters_of_one_port_are_guarded_by_their_own_schemes(
    folder: Path, upstream: RecordingUpstream
) -> None:
    key = {"type": "apikey", "key": "X-Dock-Key", "value": "{{DOCK_KEY}}"}
    write(folder, upstream, "ships", rest=BEARER, mcp=BEARER, mcp_port=8080)
    write(folder, upstream, "docks", rest=key, mcp=key, mcp_port=8080)
    with serve(folder, env=ENV | {"DOCK_KEY": "d0ck"}, ports=[8080]) as serving:
        base, known = serving.rest(), {"X-Dock-Key": "d0ck"}
        assert status(base + "/ships/ping", GOOD) == 200
        assert status(base + "/ships/ping", known) == 401
        assert status(base + "/docks/ping", known) == 200
        assert status(base + "/docks/ping", GOOD) == 401
        assert status(base + "/docs") == 401
        described = httpx2.get(base + "/openapi.json", headers=known, timeout=60).json()["paths"]
        assert list(described) == ["/docks/ping"]
        assert asyncio.run(listed(base + "/mcp", ERAS[1], GOOD)) == ["ships-ping"]
        assert asyncio.run(listed(base + "/mcp", ERAS[1], known)) == ["docks-ping"]


def reloaded(serving: Serving, count: int = 1) -> None:
    serving.wait_for_event("changed", count)


def test_a_new_secret_counts_after_a_reload_and_the_old_one_no_longer(
    folder: Path, upstream: RecordingUpstream
) -> None:
    (folder / "secret.env").write_text(f"TOKEN={SECRET}\n")
    path = write(folder, upstream, rest=BEARER, mcp=BEARER)
    document = yaml.safe_load(path.read_text())
    bind = {"namespace": "s", "location": "file:///./secret.env", "keys": {"SHIPS_TOKEN": "TOKEN"}}
    document["binds"] = [bind]
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    with serve(folder) as serving:
        url = serving.rest() + "/ships/ping"
        assert status(url, GOOD) == 200
        (folder / "secret.env").write_text("TOKEN=rotated\n")
        reloaded(serving)
        assert status(url, GOOD) == 401
        assert status(url, {"Authorization": "Bearer rotated"}) == 200
        assert status(serving.mcp(), GOOD) == 401


def test_closing_an_open_adapter_never_leaves_it_open_for_a_fault(
    folder: Path, upstream: RecordingUpstream
) -> None:
    """The last good version goes on after a broken edit, but not where that would be open."""
    write(folder, upstream)
    with serve(folder) as serving:
        url = serving.rest() + "/ships/ping"
        assert status(url) == 200
        write(folder, upstream, rest=BEARER)
        serving.wait_for_event("problem", rule="authentication")
        serving.wait_for_event("closed")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url, timeout=60)


def test_a_guarded_adapter_goes_on_in_its_last_good_version(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, upstream, rest=BEARER, mcp=BEARER)
    with serve(folder, env=ENV) as serving:
        url = serving.rest() + "/ships/ping"
        broken = {"type": "bearer", "token": "{{NEVER_SET}}"}
        write(folder, upstream, rest=broken, mcp=BEARER)
        serving.wait_for_event("kept")
        assert status(url) == 401
        assert status(url, GOOD) == 200


def test_digest_works_whichever_worker_is_asked(folder: Path, upstream: RecordingUpstream) -> None:
    asked = {"type": "digest", "username": "mireille", "password": "{{SHIPS_TOKEN}}"}
    write(folder, upstream, rest=asked)
    options = ["--workers=2", *moved()]
    with serve(folder, env=ENV, options=options, ports=[]) as serving:
        serving.wait_for_event("workers")
        url = serving.rest() + "/ships/ping"
        for _ in range(12):
            # Every request comes on a connection of its own, so challenge and answer part ways.
            auth = httpx2.DigestAuth("mireille", SECRET)
            headers = {"connection": "close"}
            assert httpx2.get(url, auth=auth, headers=headers, timeout=60).status_code == 200
        wrong = httpx2.DigestAuth("mireille", "no")
        assert httpx2.get(url, auth=wrong, timeout=60).status_code == 401


def test_other_machines_are_not_warned_of_where_everything_is_guarded(
    folder: Path, upstream: RecordingUpstream
) -> None:
    write(folder, upstream, "ships", rest=BEARER, mcp=BEARER)
    with serve(folder, env=ENV, options=["--host=0.0.0.0"]) as serving:
        assert serving.events_of("problem", rule="open-to-others") == []
    write(folder, upstream, "ships", rest=BEARER)
    with serve(folder, env=ENV, options=["--host=0.0.0.0"]) as serving:
        assert len(serving.events_of("problem", rule="open-to-others")) == 1


# An authorization server


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer("ec") as running:
        yield running


def test_tokens_of_an_issuer_are_judged_by_its_keys(
    folder: Path, upstream: RecordingUpstream, issuer: Issuer
) -> None:
    asked = {
        "type": "oauth2",
        "authorizationServerUri": issuer.url,
        "resource": AUDIENCE,
        "scopes": ["ships:read"],
    }
    write(folder, upstream, rest=asked, mcp=asked, mcp_port=8080)
    with serve(folder, ports=[8080]) as serving:
        url = serving.rest() + "/ships/ping"
        refused = httpx2.get(url, timeout=60)
        assert refused.status_code == 401
        assert "/.well-known/oauth-protected-resource/mcp" in refused.headers["www-authenticate"]
        assert issuer.requests == []
        good = {"Authorization": f"Bearer {issuer.token()}"}
        assert status(url, good) == 200
        for era in ERAS:
            assert asyncio.run(listed(serving.rest() + "/mcp", era, good)) == ["ships-ping"]
        assert status(url, {"Authorization": f"Bearer {issuer.token(aud='other')}"}) == 401
        assert status(url, {"Authorization": f"Bearer {issuer.token(scope='x')}"}) == 403
        issuer.rotate()
        assert status(url, {"Authorization": f"Bearer {issuer.token()}"}) == 200
        for path in ("", "/mcp"):
            page = httpx2.get(
                f"{serving.rest()}/.well-known/oauth-protected-resource{path}", timeout=60
            )
            assert page.json()["authorization_servers"] == [issuer.url]
    assert {request.header("authorization") for request in upstream.requests} == {None}


def test_an_upstream_gets_tokens_of_client_credentials(
    folder: Path, upstream: RecordingUpstream, issuer: Issuer
) -> None:
    """U2: what the caller was let in with stays here; the upstream gets a token of our own."""
    upstream.answers(lambda request: reply_json({"seen": request.header("authorization")}))
    login = {
        "type": "oauth2",
        "authorizationServerUri": issuer.url,
        "resource": "https://ships.example.com",
        "clientId": "us",
        "clientSecret": "{{CLIENT_SECRET}}",
    }
    write(folder, upstream, rest=BEARER, consumes=login)
    issuer.hold = threading.Event()
    with serve(folder, env=ENV | {"CLIENT_SECRET": "pw"}) as serving:
        url = serving.rest() + "/ships/ping"
        answers: list[httpx2.Response] = []
        callers = [
            threading.Thread(
                target=lambda: answers.append(httpx2.get(url, headers=GOOD, timeout=60))
            )
            for _ in range(8)
        ]
        for caller in callers:
            caller.start()
        issuer.hold.set()
        for caller in callers:
            caller.join(60)
        assert [answer.json() for answer in answers] == [{"seen": "Bearer ***"}] * 8
        assert issuer.fetched("/token") == 1
    expected = {"Bearer token-1-of-the-issuer"}
    assert {request.header("authorization") for request in upstream.requests} == expected


def test_an_upstream_without_a_token_is_not_called(
    folder: Path, upstream: RecordingUpstream, issuer: Issuer
) -> None:
    login = {
        "type": "oauth2",
        "authorizationServerUri": issuer.url,
        "resource": "https://ships.example.com",
        "clientId": "us",
        "clientSecret": "wrong-secret",
    }
    write(folder, upstream, consumes=login)
    with serve(folder) as serving:
        answered = httpx2.get(serving.rest() + "/ships/ping", timeout=60)
        assert answered.status_code == 502
        problem = answered.json()
        assert problem["type"] == "urn:naftiko:problem:upstream-credentials"
        assert problem["executed"] is False
        assert "wrong-secret" not in answered.text + serving.log
    assert upstream.requests == []


def test_an_upstream_that_challenges_by_digest_is_answered(
    folder: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(DigestServer())
    login = {"type": "digest", "username": USER, "password": "{{DIGEST_PASSWORD}}"}
    write(folder, upstream, consumes=login)
    with serve(folder, env={"DIGEST_PASSWORD": PASSWORD}) as serving:
        assert status(serving.rest() + "/ships/ping") == 200
        assert status(serving.rest() + "/ships/ping") == 200
    assert len(upstream.requests) == 3
    given = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert not any(given in (r.header("authorization") or "") for r in upstream.requests)
