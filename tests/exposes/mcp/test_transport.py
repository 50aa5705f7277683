"""The HTTP side of the adapter: who is answered, and what is refused before the SDK sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.exposes.mcp.listener import MODERN, Listener, call_message, listening, modern
from tests.exposes.mcp.plans import a_table, a_tool, an_input, echoing

pytestmark = pytest.mark.anyio

CALL = call_message("get-orders", {})
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
SECRET_BEARING = ("traceback", "Traceback", 'File "')


@pytest.fixture(scope="module")
async def listener() -> AsyncIterator[Listener]:
    table = a_table(
        a_tool("get-orders", an_input("acct")), a_tool("place-order", accepts_body=True)
    )
    async with listening(table, echoing()) as running:
        yield running


@pytest.mark.parametrize("path", ["/mcp", "/", "/mcp/"])
async def test_both_paths_answer_both_eras(listener: Listener, path: str) -> None:
    message, headers = modern(CALL)
    assert (await listener.request(path=path, message=CALL)).status_code == 200
    response = await listener.request(path=path, message=message, headers=headers)
    assert response.json()["result"]["resultType"] == "complete"


@pytest.mark.parametrize("message", [CALL, LIST, INITIALIZE], ids=["call", "list", "initialize"])
async def test_a_client_that_does_not_say_what_it_accepts_is_answered(
    listener: Listener, message: dict[str, Any]
) -> None:
    body = json.dumps(message).encode()
    head = (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(head.encode() + body)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"result":' in answer


async def test_any_other_path_says_where_mcp_is(listener: Listener) -> None:
    response = await listener.request(path="/tools", message=CALL)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:naftiko:problem:unknown-path"
    assert '"/mcp"' in response.json()["detail"]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:80", "localhost.evil", "169.254.169.254"]
)
@pytest.mark.parametrize("path", ["/mcp", "/", "/other"])
async def test_T1_a_foreign_host_is_refused(listener: Listener, host: str, path: str) -> None:
    response = await listener.request(path=path, message=CALL, headers={"host": host})
    assert response.status_code == 403
    assert response.json()["type"] == "urn:naftiko:problem:forbidden-host"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost.evil",
        "http://127.0.0.1:1",
        "http://xn--e1a",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "OPTIONS"])
async def test_T2_a_page_of_another_origin_is_refused(
    listener: Listener, origin: str, method: str
) -> None:
    response = await listener.request(method, message=CALL, headers={"origin": origin})
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_a_page_of_our_own_origin_is_answered(listener: Listener) -> None:
    origin = f"http://127.0.0.1:{listener.port}"
    response = await listener.request(message=CALL, headers={"origin": origin})
    assert response.status_code == 200


async def test_T3_a_preflight_gives_nothing_away(listener: Listener) -> None:
    origin = f"http://127.0.0.1:{listener.port}"
    response = await listener.request("OPTIONS", headers={"origin": origin})
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "QUERY"])
@pytest.mark.parametrize("path", ["/mcp", "/"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"mcp-protocol-version": MODERN},
        {"mcp-protocol-version": MODERN, "mcp-session-id": "0123"},
        {"mcp-protocol-version": "2025-06-18"},
    ],
)
async def test_T4_other_methods_are_not_allowed(
    listener: Listener, method: str, path: str, headers: dict[str, str]
) -> None:
    response = await listener.request(method, path, headers=headers)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


async def test_a_browser_is_told_what_this_is(listener: Listener) -> None:
    response = await listener.request("GET", headers={"accept": "text/html,*/*"})
    assert response.status_code == 405
    assert response.headers["content-type"].startswith("text/html")
    assert "MCP endpoint" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_C9_names_of_a_file_cannot_break_out_of_the_page() -> None:
    table = a_table(a_tool(), namespace="<script>alert(1)</script>")
    async with listening(table, echoing()) as listener:
        response = await listener.request("GET", headers={"accept": "text/html"})
    assert "<script" not in response.text


@pytest.mark.parametrize("era", ["handshake", "modern"])
@pytest.mark.parametrize("batch", [[CALL], [CALL, LIST], []])
async def test_T5_a_batch_is_refused(listener: Listener, era: str, batch: list[Any]) -> None:
    headers = modern(CALL)[1] if era == "modern" else {}
    response = await listener.request(content=json.dumps(batch), headers=headers)
    assert response.status_code == 400
    assert response.json()["id"] is None
    assert response.json()["error"]["code"] == -32600


AMBIGUOUS = [
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1,"Method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get-orders","Name":"x"}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get-orders","name":"x"}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call",'
    b'"params":{"name":"get-orders","arguments":{"acct":"1","acct":"2"}}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call",'
    b'"params":{"name":"get-orders","arguments":{"acct":"\\ud800"}}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call",'
    b'"params":{"name":"get-orders","arguments":{"acct":NaN}}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call",'
    b'"params":{"name":"get-orders","arguments":{"acct":-Infinity}}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list"} {}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list",}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list"\xff}',
    b"",
    b"null",
    b'"tools/list"',
    b"{}",
    b'{"id":1,"method":"tools/list"}',
    b'{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":true,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1,"method":7}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}',
    b'{"jsonrpc":"2.0","id":1}',
    b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}',
]


@pytest.mark.parametrize("era", ["handshake", "modern"])
@pytest.mark.parametrize("body", AMBIGUOUS)
async def test_T6_what_two_readers_could_take_differently_is_refused(
    listener: Listener, era: str, body: bytes
) -> None:
    headers = {**modern(LIST)[1], "content-type": "application/json"} if era == "modern" else {}
    response = await listener.request(
        content=body, headers={"content-type": "application/json", **headers}
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] in (-32700, -32600)
    assert response.json()["id"] is None


@pytest.mark.parametrize("era", ["handshake", "modern"])
@pytest.mark.parametrize(
    "arguments",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"acct":' + b"9" * 1_000_000 + b"}",
        b'{"acct":1e999999999}',
    ],
)
async def test_T7_bombs_are_refused(listener: Listener, era: str, arguments: bytes) -> None:
    headers = modern(CALL)[1] if era == "modern" else {}
    body = json.dumps(call_message("get-orders", {"@": 1})).encode()
    response = await listener.request(content=body.replace(b'{"@": 1}', arguments), headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32700


async def test_a_body_beyond_the_limit_is_refused(listener: Listener) -> None:
    response = await listener.request(content=b" " * (4 * 2**20 + 1))
    assert response.status_code == 413
    assert response.json()["type"] == "urn:naftiko:problem:body-too-large"


async def test_a_body_beyond_the_limit_is_refused_though_its_length_is_not_announced(
    listener: Listener,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )
    for _ in range(5):
        writer.write(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
    status = await reader.readline()
    writer.close()
    assert b" 413 " in status


async def test_T14_a_compressed_body_is_refused(listener: Listener) -> None:
    response = await listener.request(content=b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert response.status_code == 415


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_T2_what_a_page_can_post_without_asking_is_refused(
    listener: Listener, content_type: str
) -> None:
    response = await listener.request(message=CALL, headers={"content-type": content_type})
    assert response.status_code == 415


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"mcp-method": "tools/list"}, 400, -32020),
        ({"mcp-name": "place-order"}, 400, -32020),
        ({"mcp-name": "=?base64?Z2V0LW9yZGVycw==?="}, 200, None),
        ({"mcp-name": "=?base64?wK8=?="}, 400, -32020),
        ({"mcp-protocol-version": "2099-01-01"}, 400, -32020),
    ],
)
async def test_T10_headers_that_contradict_the_body_are_refused(
    listener: Listener, changed: dict[str, str], status: int, code: int | None
) -> None:
    message, headers = modern(CALL)
    response = await listener.request(message=message, headers={**headers, **changed})
    assert response.status_code == status
    assert response.json().get("error", {}).get("code") == code


async def test_an_unknown_method_is_not_found(listener: Listener) -> None:
    message, headers = modern({"jsonrpc": "2.0", "id": 1, "method": "tools/destroy"})
    response = await listener.request(message=message, headers=headers)
    assert response.status_code == 404
    assert response.json()["error"]["code"] == -32601


async def test_a_request_without_its_envelope_is_refused(listener: Listener) -> None:
    _, headers = modern(CALL)
    response = await listener.request(message=CALL, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32602


@pytest.mark.parametrize("headers", [{}, {"mcp-protocol-version": "2025-06-18"}])
async def test_a_client_without_a_session_is_served(
    listener: Listener, headers: dict[str, str]
) -> None:
    listed = await listener.request(message=LIST, headers=headers)
    called = await listener.request(message=CALL, headers=headers)
    assert len(listed.json()["result"]["tools"]) == 2
    assert called.json()["result"]["isError"] is False
    assert "mcp-session-id" not in called.headers


async def test_a_client_that_forgets_its_session_is_served(listener: Listener) -> None:
    opened = await listener.request(message=INITIALIZE)
    assert opened.headers["mcp-session-id"]
    called = await listener.request(message=CALL, headers={"mcp-protocol-version": "2025-06-18"})
    assert called.json()["result"]["isError"] is False


async def test_a_session_lasts_until_its_client_ends_it(listener: Listener) -> None:
    session = (await listener.request(message=INITIALIZE)).headers["mcp-session-id"]
    headers = {"mcp-session-id": session, "mcp-protocol-version": "2025-06-18"}
    accepted = await listener.request(
        message={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=headers
    )
    assert accepted.status_code == 202
    assert (await listener.request(message=CALL, headers=headers)).status_code == 200
    assert (await listener.request("DELETE", headers=headers)).status_code == 200
    assert (await listener.request(message=CALL, headers=headers)).status_code == 404
    assert (await listener.request("DELETE", headers=headers)).status_code == 404


async def test_no_sessions_are_kept_where_processes_share_the_port() -> None:
    async with listening(a_table(a_tool()), echoing(), keep_sessions=False) as listener:
        opened = await listener.request(message=INITIALIZE)
        called = await listener.request(message=CALL, headers={"mcp-session-id": "of-another"})
        stream = await listener.request("GET", headers={"mcp-session-id": "of-another"})
    assert opened.json()["result"]["protocolVersion"] == "2025-06-18"
    assert "mcp-session-id" not in opened.headers
    assert called.status_code == 200
    assert stream.status_code == 405


async def test_requests_that_come_while_the_sdk_is_imported_wait_for_it() -> None:
    async with listening(a_table(a_tool()), echoing()) as listener:
        responses = await asyncio.gather(*(listener.request(message=CALL) for _ in range(5)))
    assert [response.status_code for response in responses] == [200] * 5


async def test_no_refusal_shows_how_the_program_is_made(listener: Listener) -> None:
    _, headers = modern(CALL)
    for response in (
        await listener.request(content=b"{"),
        await listener.request(message={"jsonrpc": "2.0", "id": 1, "method": "tools/call"}),
        await listener.request(message=call_message("get-orders", {"acct": []})),
        await listener.request(message=CALL, headers=headers),
        await listener.request(path="/x"),
    ):
        assert not [mark for mark in SECRET_BEARING if mark in response.text]
        assert "pydantic" not in response.text
