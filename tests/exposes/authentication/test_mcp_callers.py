"""MCP callers see and call what they have passed for, in both eras of the protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import ToolListChangedNotification

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.mcp.table import McpTable, build_mcp_table
from naftiko_runtime.plan.inbound import InboundPlan
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from tests.exposes.authentication.guarded import (
    BASIC,
    BEARER,
    DIGEST,
    HEADER_KEY,
    TOKEN,
    USER,
    asking,
    basic,
    bearer,
)
from tests.exposes.mcp.listener import ERAS, HANDSHAKE, Listener, listening, modern
from tests.exposes.mcp.plans import a_tool, an_adapter, echoing, json_answer
from tests.issuer import AUDIENCE, Issuer

pytestmark = pytest.mark.anyio

KEY = {"X-Dock-Key": TOKEN}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
LISTING = {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}


def adapters_of(**asked: InboundPlan | None) -> McpTable:
    """A table of adapters, each with one tool of its own name; and each with a tool `shared`."""
    adapters = []
    for namespace, plan in asked.items():
        file, adapter = an_adapter(
            a_tool(namespace),
            a_tool("shared", description=f"Shared of {namespace}."),
            namespace=namespace,
            description=f"About {namespace}.",
        )
        adapters.append((file, replace(adapter, authentication=plan)))
    return build_mcp_table(adapters)[0]


@asynccontextmanager
async def connected(
    listener: Listener, era: str, headers: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[Client]:
    """The official client, sending these headers with each request."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
        transport = streamable_http_client(listener.url, http_client=http)
        yield await stack.enter_async_context(Client(transport, mode=era, **options))


async def tools(client: Client) -> list[str]:
    return [tool.name for tool in (await client.list_tools(cache_mode="refresh")).tools]


async def ask(listener: Listener, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """A bare tools/list of today's protocol."""
    message, own = modern({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
    return await listener.request(message=message, headers={**own, **(headers or {})})


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("plan", "headers"),
    [
        (BEARER, bearer(TOKEN)),
        (BASIC, basic(USER, TOKEN)),
        (HEADER_KEY, KEY),
    ],
)
async def test_the_official_client_works_with_the_right_headers(
    era: str, plan: InboundPlan, headers: dict[str, str]
) -> None:
    async with (
        listening(adapters_of(ships=plan), echoing()) as listener,
        connected(listener, era, headers) as client,
    ):
        assert await tools(client) == ["ships", "shared"]
        assert not (await client.call_tool("ships", {})).is_error


@pytest.mark.parametrize("era", ERAS)
async def test_the_official_client_works_with_digest(era: str) -> None:
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(listening(adapters_of(a=DIGEST), echoing()))
        auth = httpx2.DigestAuth(USER, TOKEN)
        http = await stack.enter_async_context(httpx2.AsyncClient(auth=auth, timeout=60))
        transport = streamable_http_client(listener.url, http_client=http)
        client = await stack.enter_async_context(Client(transport, mode=era))
        for _ in range(3):
            assert await tools(client) == ["a", "shared"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/mcp"),
        ("POST", "/"),
        ("GET", "/mcp"),
        ("GET", "/"),
        ("DELETE", "/mcp"),
        ("PUT", "/mcp"),
        ("OPTIONS", "/mcp"),
        ("GET", "/unknown"),
        ("GET", "/docs"),
        ("GET", "/.well-known/oauth-protected-resource"),
    ],
)
async def test_nothing_answers_a_stranger(method: str, path: str) -> None:
    async with listening(adapters_of(ships=BEARER), echoing()) as listener:
        for headers in ({}, {"accept": "text/html"}, bearer("wrong"), {"mcp-session-id": "x"}):
            answered = await listener.request(method, path, content="{}", headers=headers)
            assert answered.status_code == 401
            assert answered.headers["www-authenticate"].startswith("Bearer ")
            assert answered.headers["content-type"] == "application/problem+json"
            assert "ships" not in answered.text
            assert TOKEN not in answered.text


@pytest.mark.parametrize("era", ERAS)
async def test_each_caller_sees_and_calls_what_he_has_passed_for(era: str) -> None:
    """U3: what is not listed cannot be called, and not even names depend on it."""
    table = adapters_of(ships=BEARER, docks=HEADER_KEY)
    async with listening(table, echoing()) as listener:
        async with connected(listener, era, bearer(TOKEN)) as client:
            assert await tools(client) == ["ships", "shared"]
            assert not (await client.call_tool("ships", {})).is_error
            for hidden in ("docks", "docks_shared", "shared_docks"):
                with pytest.raises(MCPError, match="unknown tool") as caught:
                    await client.call_tool(hidden, {})
                assert "docks" not in str(caught.value).partition("did you mean")[2]
        async with connected(listener, era, KEY) as client:
            assert await tools(client) == ["docks", "shared"]
            shared = (await client.list_tools()).tools[1]
            assert shared.description == "Shared of docks."
        async with connected(listener, era, bearer(TOKEN) | KEY) as client:
            assert sorted(await tools(client)) == ["docks", "docks_shared", "shared", "ships"]


@pytest.mark.parametrize("era", ERAS)
async def test_strangers_see_the_open_adapters_of_a_mixed_port_only(era: str) -> None:
    table = adapters_of(weather=None, ships=BEARER)
    async with listening(table, echoing()) as listener:
        async with connected(listener, era) as client:
            assert await tools(client) == ["weather", "shared"]
            with pytest.raises(MCPError, match="unknown tool"):
                await client.call_tool("ships", {})
        async with connected(listener, era, bearer(TOKEN)) as client:
            assert "ships" in await tools(client)


@pytest.mark.parametrize("mode", [HANDSHAKE, "auto"])
async def test_the_server_describes_itself_by_what_the_caller_may_see(mode: str) -> None:
    table = adapters_of(weather=None, ships=BEARER)
    async with listening(table, echoing()) as listener:
        async with connected(listener, mode) as client:
            assert client.instructions == "weather: About weather."
        async with connected(listener, mode, bearer(TOKEN)) as client:
            assert "About ships." in (client.instructions or "")


async def test_the_page_for_browsers_tells_of_what_the_caller_may_see() -> None:
    async with listening(adapters_of(weather=None, ships=BEARER), echoing()) as listener:
        html = {"accept": "text/html"}
        assert "ships" not in (await listener.request("GET", headers=html)).text
        assert "ships" in (await listener.request("GET", headers=html | bearer(TOKEN))).text


async def test_wrong_credentials_are_told_even_where_strangers_may_look() -> None:
    async with listening(adapters_of(weather=None, ships=BEARER), echoing()) as listener:
        assert (await ask(listener)).status_code == 200
        assert (await ask(listener, bearer("wrong"))).status_code == 401


async def test_lists_are_never_shared_between_callers() -> None:
    """U10: the list is written once per view, not once for all."""
    async with listening(adapters_of(ships=BEARER, docks=HEADER_KEY), echoing()) as listener:
        answers = [
            (await ask(listener, headers)).json()["result"]
            for headers in (bearer(TOKEN), KEY, bearer(TOKEN), KEY)
        ]
    names = [[tool["name"] for tool in each["tools"]] for each in answers]
    assert names == [["ships", "shared"], ["docks", "shared"]] * 2
    assert {each["cacheScope"] for each in answers} == {"private"}


async def test_a_session_is_of_no_use_with_other_credentials() -> None:
    table = adapters_of(ships=BEARER, docks=HEADER_KEY)
    async with listening(table, echoing()) as listener:
        begun = await listener.request(message=INITIALIZE, headers=bearer(TOKEN))
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await listener.request(message=done, headers=session | bearer(TOKEN))
        assert (await listener.request(message=LISTING, headers=session)).status_code == 401
        stolen = await listener.request(message=LISTING, headers=session | KEY)
        assert stolen.status_code == 404
        closing = await listener.request("DELETE", headers=session | KEY)
        assert closing.status_code == 404
        own = await listener.request(message=LISTING, headers=session | bearer(TOKEN))
        assert [tool["name"] for tool in own.json()["result"]["tools"]] == ["ships", "shared"]


# OAuth 2


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture
async def gatekeeper(tmp_path: Path) -> AsyncIterator[Gatekeeper]:
    issuers = HttpUpstreams(UpstreamSettings(timeout=5.0, trust=TrustStore(tmp_path)))
    yield Gatekeeper(issuers)
    await issuers.aclose()


def resource(issuer: Issuer) -> InboundPlan:
    return asking(
        "oauth2",
        scopes=("ships:read",),
        authorizationServerUri=issuer.url,
        resource=AUDIENCE,
    )


@pytest.mark.parametrize("era", ERAS)
async def test_the_official_client_works_with_an_access_token(
    era: str, issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    table = adapters_of(ships=resource(issuer))
    async with listening(table, echoing(), gatekeeper=gatekeeper) as listener:
        async with connected(listener, era, bearer(issuer.token())) as client:
            assert await tools(client) == ["ships", "shared"]
        forbidden = await ask(listener, bearer(issuer.token(scope="x")))
        assert forbidden.status_code == 403
        assert 'error="insufficient_scope"' in forbidden.headers["www-authenticate"]
        expired = await ask(listener, bearer(issuer.token(exp=1)))
        assert expired.status_code == 401


async def test_strangers_are_led_to_the_metadata_and_find_it(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    table = adapters_of(ships=resource(issuer))
    async with listening(table, echoing(), gatekeeper=gatekeeper) as listener:
        challenge = (await ask(listener)).headers["www-authenticate"]
        where = "https://shipyard.example.com/.well-known/oauth-protected-resource/mcp"
        assert f'resource_metadata="{where}"' in challenge
        for path in ("", "/mcp"):
            path = f"/.well-known/oauth-protected-resource{path}"
            page = await listener.request("GET", path)
            assert page.status_code == 200
            assert page.json()["resource"] == AUDIENCE
            assert page.json()["authorization_servers"] == [issuer.url]
        assert (await listener.request("PUT", path)).status_code == 405
        assert (await listener.request("GET", path + "/x")).status_code == 401
        spoofed = await listener.request("GET", path, headers={"host": "evil.example"})
        assert spoofed.status_code == 403


async def test_a_session_is_for_the_subject_that_began_it(
    issuer: Issuer, gatekeeper: Gatekeeper
) -> None:
    ada, bob = (bearer(issuer.token(sub=name)) for name in ("ada", "bob"))
    async with listening(
        adapters_of(a=resource(issuer)), echoing(), gatekeeper=gatekeeper
    ) as listener:
        begun = await listener.request(message=INITIALIZE, headers=ada)
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        stolen = await listener.request(message=LISTING, headers=session | bob)
        assert stolen.status_code == 404
        again = bearer(issuer.token(sub="ada", jti="another"))
        own = await listener.request(message=LISTING, headers=session | again)
        assert own.status_code == 200


# Reload


class Ears:
    """Counts the notices that the tools have changed."""

    def __init__(self) -> None:
        self.heard = 0

    async def on_message(self, message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            self.heard += 1


async def test_only_those_are_told_of_a_change_who_can_see_it() -> None:
    before = adapters_of(ships=BEARER, docks=HEADER_KEY)
    after = adapters_of(ships=BEARER, docks=HEADER_KEY, piers=HEADER_KEY)
    ears = {"bearer": Ears(), "key": Ears()}
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(listening(before, echoing()))
        clients = {}
        for name, headers in (("bearer", bearer(TOKEN)), ("key", KEY)):
            opened = connected(listener, HANDSHAKE, headers, message_handler=ears[name].on_message)
            clients[name] = await stack.enter_async_context(opened)
            await tools(clients[name])
        while sum(len(v.view.transport.server._connections) for v in _views(listener)) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # the clients open their streams beside what they do
        await listener.app.replace(after)
        async with asyncio.timeout(20):
            while not ears["key"].heard:
                await asyncio.sleep(0.01)
        assert "piers" in await tools(clients["key"])
        assert await tools(clients["bearer"]) == ["ships", "shared"]
        assert ears["bearer"].heard == 0


def _views(listener: Listener) -> list[Any]:
    return list(listener.app._views._opened.values())


async def test_a_secret_that_is_taken_back_ends_its_view_but_not_the_calls_in_it() -> None:
    began, may_end = asyncio.Event(), asyncio.Event()

    async def slow(operation: OperationPlan, inputs: Inputs) -> Outcome:
        began.set()
        await may_end.wait()
        return json_answer({"done": True})

    new = asking("bearer", token="another-secret")
    async with listening(adapters_of(ships=BEARER), slow) as listener:
        message, own = modern(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "tools/call",
                "params": {"name": "ships", "arguments": {}},
            }
        )
        call = asyncio.create_task(
            listener.request(message=message, headers={**own, **bearer(TOKEN)})
        )
        await began.wait()
        await listener.app.replace(adapters_of(ships=new))
        assert (await ask(listener, bearer(TOKEN))).status_code == 401
        assert (await ask(listener, bearer("another-secret"))).status_code == 200
        may_end.set()
        answered = await call
        assert answered.status_code == 200
        assert '"done"' in answered.text


async def test_streams_that_were_opened_with_a_secret_end_with_it() -> None:
    new = asking("bearer", token="another-secret")
    async with listening(adapters_of(ships=BEARER), echoing()) as listener:
        begun = await listener.request(message=INITIALIZE, headers=bearer(TOKEN))
        session = {"mcp-session-id": begun.headers["mcp-session-id"], **bearer(TOKEN)}
        stream = listener.http.stream(
            "GET", listener.url, headers={**session, "accept": "text/event-stream"}
        )
        async with stream as opened:
            assert opened.status_code == 200
            await listener.app.replace(adapters_of(ships=new))
            async with asyncio.timeout(20):
                await opened.aread()


async def test_an_adapter_that_is_closed_by_a_reload_is_closed_at_once() -> None:
    async with listening(adapters_of(ships=None), echoing()) as listener:
        assert (await ask(listener)).status_code == 200
        await listener.app.replace(adapters_of(ships=BEARER))
        assert (await ask(listener)).status_code == 401
        listed = json.loads((await ask(listener, bearer(TOKEN))).text)
        assert [tool["name"] for tool in listed["result"]["tools"]] == ["ships", "shared"]
        await listener.app.replace(adapters_of(ships=None))
        assert (await ask(listener)).status_code == 200


async def test_U11_many_callers_at_the_same_time_get_their_own_answers() -> None:
    async def tell(operation: OperationPlan, inputs: Inputs) -> Outcome:
        await asyncio.sleep(0)
        return json_answer({"operation": operation.name})

    table = adapters_of(ships=BEARER, docks=HEADER_KEY)
    async with listening(table, tell) as listener:

        async def call(name: str, headers: dict[str, str]) -> None:
            message, own = modern(
                {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/call",
                    "params": {"name": name, "arguments": {}},
                }
            )
            answered = await listener.request(message=message, headers={**own, **headers})
            assert f'"operation":"{name}"' in answered.text.replace(" ", "").replace("\\", "")

        calls = [("ships", bearer(TOKEN)), ("docks", KEY)] * 100
        await asyncio.gather(*(call(*each) for each in calls))
