"""What a client of 2026-07-28 brings back with an answer is its server's own, once, and in time;
and who is asked at all."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp_types import ElicitResult
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.table import build_mcp_table
from tests.exposes.authentication.guarded import asking, bearer
from tests.exposes.mcp.gateway_that_asks import PAGE, Gateway, a_trading_table
from tests.exposes.mcp.listener import HANDSHAKE, Listener, call_message, listening, modern
from tests.issuer import AUDIENCE, Issuer

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "AAPL", "quantity": 5}
BOTH: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}}
YES: dict[str, Any] = {"question": {"action": "accept", "content": {"answer": True}}}
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


async def place(
    listener: Listener,
    capabilities: Mapping[str, Any] = BOTH,
    *,
    tool: str = "place-order",
    arguments: Mapping[str, Any] = ORDER,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The answer to a bare tools/call of today's protocol, with `more` members."""
    message, own = modern(call_message(tool, arguments))
    message["params"]["_meta"][CAPABILITIES] = dict(capabilities)
    message["params"].update(more)
    response = await listener.request(message=message, headers={**own, **(headers or {})})
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


@asynccontextmanager
async def trading(gateway: Gateway, asking: Asking | None = None) -> AsyncIterator[Listener]:
    async with listening(a_trading_table(), gateway.execute, asking=asking) as listener:
        yield listener


async def state_of(listener: Listener, **options: Any) -> str:
    """The state that comes with a question about an order."""
    result = (await place(listener, **options))["result"]
    assert result["resultType"] == "input_required"
    assert set(result["inputRequests"]) == {"question"}
    state = result["requestState"]
    assert isinstance(state, str)
    return state


def is_refused(answer: Mapping[str, Any]) -> bool:
    error = answer.get("error", {})
    return bool(error.get("code") == -32602 and "requestState" in error.get("message", ""))


async def test_a_state_serves_once() -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        state = await state_of(listener)
        first = await place(listener, requestState=state, inputResponses=YES)
        second = await place(listener, requestState=state, inputResponses=YES)
    assert first["result"]["structuredContent"] == {"order": 1}
    assert is_refused(second)
    assert gateway.placed == 1


async def test_of_two_who_bring_a_state_at_once_one_is_served() -> None:
    gateway = Gateway(frozenset({"answer"}))
    answers: list[dict[str, Any]] = []
    async with trading(gateway) as listener:
        state = await state_of(listener)

        async def bring() -> None:
            answers.append(await place(listener, requestState=state, inputResponses=YES))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(bring)
    assert sum(is_refused(answer) for answer in answers) == 4
    assert gateway.placed == 1


async def test_a_state_with_any_bit_changed_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        state = await state_of(listener)
        prefix, _, body = state.partition(".")
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        for place_of_bit in range(0, 8 * len(raw), 97):
            changed = bytearray(raw)
            changed[place_of_bit // 8] ^= 1 << place_of_bit % 8
            forged = f"{prefix}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}"
            assert is_refused(await place(listener, requestState=forged, inputResponses=YES))
    assert gateway.placed == 0


@pytest.mark.parametrize("forged", ["", "x", "v1.", "v1.AAAA", "v2.AAAA", "{}", "ä", "v1." * 9999])
async def test_what_is_no_state_is_refused(forged: str) -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        assert is_refused(await place(listener, requestState=forged, inputResponses=YES))
    assert gateway.calls == []


async def test_a_state_is_for_its_tool_and_arguments() -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        state = await state_of(listener)
        given: dict[str, Any] = {"requestState": state, "inputResponses": YES}
        more = {**ORDER, "quantity": 500}
        assert is_refused(await place(listener, arguments=more, **given))
        assert is_refused(await place(listener, arguments={}, **given))
        reply = {"id": "q-1", "confirmed": True}
        assert is_refused(await place(listener, tool="reply", arguments=reply, **given))
        again = dict(reversed(ORDER.items()))
        answer = await place(listener, arguments=again, **given)
    assert answer["result"]["structuredContent"] == {"order": 1}


async def test_a_state_is_over_after_a_while() -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway, Asking(patience=0.05)) as listener:
        state = await state_of(listener)
        await anyio.sleep(0.1)
        assert is_refused(await place(listener, requestState=state, inputResponses=YES))
    assert gateway.placed == 0


async def test_a_state_of_another_server_is_refused_and_of_one_with_the_same_key_is_not() -> None:
    gateway = Gateway(frozenset({"answer"}))
    key = b"k" * 32
    async with trading(gateway, Asking(key)) as mine, trading(gateway, Asking(key)) as worker:
        async with trading(gateway) as other:
            state = await state_of(mine)
            assert is_refused(await place(other, requestState=state, inputResponses=YES))
        answer = await place(worker, requestState=state, inputResponses=YES)
    assert answer["result"]["structuredContent"] == {"order": 1}


async def test_a_state_is_over_with_its_version_of_the_file() -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        state = await state_of(listener)
        file, adapter = a_trading_table().adapters[0]
        tools = tuple(
            replace(tool, operation=replace(tool.operation, version="another"))
            for tool in adapter.tools
        )
        await listener.app.replace(build_mcp_table([(file, replace(adapter, tools=tools))])[0])
        assert is_refused(await place(listener, requestState=state, inputResponses=YES))
        fresh = await state_of(listener)
        answer = await place(listener, requestState=fresh, inputResponses=YES)
    assert answer["result"]["structuredContent"] == {"order": 1}
    assert gateway.placed == 1


async def test_a_state_shows_nothing_to_the_model_that_carries_it() -> None:
    async with trading(Gateway(frozenset({"answer"}))) as listener:
        body = (await state_of(listener)).partition(".")[2]
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    assert b"confirmed" not in raw
    assert b"q-1" not in raw


async def test_a_state_is_for_its_caller(tmp_path: Path) -> None:
    gateway = Gateway(frozenset({"answer"}))
    issuers = HttpUpstreams(UpstreamSettings(timeout=5.0, trust=TrustStore(tmp_path)))
    with Issuer() as issuer:
        plan = asking(
            "oauth2",
            authorizationServerUri=issuer.url,
            resource=AUDIENCE,
            scopes=("ships:read",),
        )
        file, adapter = a_trading_table().adapters[0]
        table, _ = build_mcp_table([(file, replace(adapter, authentication=plan))])
        ada, again, bob = (
            bearer(issuer.token(sub=name, jti=id))
            for name, id in (("ada", "1"), ("ada", "2"), ("bob", "3"))
        )
        gatekeeper = Gatekeeper(issuers)
        async with listening(table, gateway.execute, gatekeeper=gatekeeper) as listener:
            state = await state_of(listener, headers=ada)
            given: dict[str, Any] = {"requestState": state, "inputResponses": YES}
            assert is_refused(await place(listener, headers=bob, **given))
            assert gateway.placed == 0
            answer = await place(listener, headers=again, **given)
    await issuers.aclose()
    assert answer["result"]["structuredContent"] == {"order": 1}


@pytest.mark.parametrize(
    "responses",
    [
        None,
        {},
        {"other": {"action": "accept", "content": {"answer": True}}},
        {"question": {"roots": []}},
    ],
    ids=["none", "empty", "other key", "other kind"],
)
async def test_a_missing_answer_is_asked_for_again(responses: Any) -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        state = await state_of(listener)
        more = {} if responses is None else {"inputResponses": responses}
        again = (await place(listener, requestState=state, **more))["result"]
        assert again["resultType"] == "input_required"
        assert len(gateway.calls) == 1
        answer = await place(listener, requestState=again["requestState"], inputResponses=YES)
    assert answer["result"]["structuredContent"] == {"order": 1}


async def test_an_answer_without_a_state_begins_anew() -> None:
    gateway = Gateway(frozenset({"answer"}))
    async with trading(gateway) as listener:
        result = (await place(listener, inputResponses=YES))["result"]
    assert result["resultType"] == "input_required"
    assert gateway.placed == 0


@pytest.mark.parametrize(
    ("offered", "needs", "is_asked"),
    [
        ({}, "answer", False),
        ({"elicitation": {}}, "answer", True),
        ({"elicitation": {"form": {}}}, "answer", True),
        ({"elicitation": {"url": {}}}, "answer", False),
        ({}, "approval", False),
        ({"elicitation": {}}, "approval", False),
        ({"elicitation": {"form": {}}}, "approval", False),
        ({"elicitation": {"url": {}}}, "approval", True),
        (BOTH, "approval", True),
        ({"sampling": {}}, "answer", False),
    ],
)
async def test_a_client_is_asked_in_a_mode_that_it_offers_and_called_once(
    offered: Mapping[str, Any], needs: str, is_asked: bool
) -> None:
    gateway = Gateway(frozenset({needs}))
    async with trading(gateway) as listener:
        result = (await place(listener, offered))["result"]
    assert (result["resultType"] == "input_required") is is_asked
    if not is_asked:
        assert result["isError"] is True
        assert (PAGE if needs == "approval" else '"reply"') in result["content"][0]["text"]
    assert len(gateway.calls) == 1


async def test_a_handshake_client_that_does_not_answer_in_time_has_not_answered() -> None:
    gateway = Gateway(frozenset({"answer"}))

    async def sleep(context: Any, params: Any) -> ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    async with (
        trading(gateway, Asking(patience=0.2)) as listener,
        listener.client(HANDSHAKE, elicitation_callback=sleep) as client,
    ):
        result = await client.call_tool("place-order", ORDER)
    assert "The user did not answer." in str(result.content)
    assert len(gateway.calls) == 1


@asynccontextmanager
async def session(
    listener: Listener, version: str, capabilities: Mapping[str, Any]
) -> AsyncIterator[dict[str, str]]:
    """The headers of a session of a handshake version."""
    params = {
        "protocolVersion": version,
        "capabilities": dict(capabilities),
        "clientInfo": {"name": "t", "version": "1"},
    }
    opening = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    response = await listener.request(message=opening)
    headers = {
        "mcp-session-id": response.headers["mcp-session-id"],
        "mcp-protocol-version": version,
    }
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    await listener.request(message=ready, headers=headers)
    yield headers
    ended = await listener.request("DELETE", headers=headers)
    assert ended.status_code == 200


@pytest.mark.parametrize("version", sorted(HANDSHAKE_PROTOCOL_VERSIONS))
@pytest.mark.parametrize("needs", ["answer", "approval"])
async def test_older_versions_are_asked_nothing_that_they_do_not_know(
    version: str, needs: str
) -> None:
    gateway = Gateway(frozenset({needs}))
    first = "2025-06-18" if needs == "answer" else "2025-11-25"
    async with trading(gateway) as listener, session(listener, version, BOTH) as headers:
        message = call_message("place-order", ORDER, id=5)
        async with listener.http.stream(
            "POST",
            listener.url,
            json=message,
            headers={**headers, "accept": "application/json, text/event-stream"},
        ) as response:
            sent = ""
            async for line in response.aiter_lines():
                sent += line
                if "elicitation/create" in line or "isError" in line:
                    break
    assert ("elicitation/create" in sent) is (version >= first)
    assert ("isError" in sent) is (version < first)
    assert len(gateway.calls) == 1


async def test_a_handshake_client_without_a_session_is_told_what_to_do() -> None:
    gateway = Gateway(frozenset({"approval"}))
    async with trading(gateway) as listener:
        headers = {"mcp-protocol-version": "2025-11-25"}
        message = call_message("place-order", ORDER)
        response: httpx2.Response = await listener.request(message=message, headers=headers)
    assert PAGE in response.json()["result"]["content"][0]["text"]
    assert len(gateway.calls) == 1
