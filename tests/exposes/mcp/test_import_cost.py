"""The SDK is imported when a client asks for what only the SDK answers."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import naftiko_runtime.exposes.mcp
import naftiko_runtime.exposes.mcp.application
from tests.exposes.mcp.plans import a_table, a_tool, an_input
a_table(a_tool("t", an_input("x"), output={"type": "object"}))
heavy = {"mcp", "mcp_types", "pydantic", "jsonschema"} & set(sys.modules)
sys.exit(f"imported: {sorted(heavy)}" if heavy else 0)
"""


SERVING = """
import asyncio, json, sys
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.mcp.application import McpApplication
from tests.exposes.mcp.plans import a_table, a_tool, answering

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}

async def ask(app, method, **params):
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    headers = {
        "host": "127.0.0.1", "accept": "application/json, text/event-stream",
        "content-type": "application/json", "mcp-protocol-version": "2026-07-28",
        "mcp-method": method, **({"mcp-name": params["name"]} if params else {}),
    }
    body = json.dumps(message).encode()
    scope = {
        "type": "http", "method": "POST", "path": "/mcp", "raw_path": b"/mcp",
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
        "client": ("127.0.0.1", 5), "query_string": b"",
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return json.loads(sent[-1]["body"])["result"]

async def main():
    execute = answering(Answer(200, "application/json", b'{"a":1}'))
    app = McpApplication(a_table(a_tool("t")), execute, HostPolicy.for_address("127.0.0.1"))
    async with app.running():
        assert (await ask(app, "server/discover"))["supportedVersions"] == ["2026-07-28"]
        assert [tool["name"] for tool in (await ask(app, "tools/list"))["tools"]] == ["t"]
        assert (await ask(app, "tools/call", name="t"))["structuredContent"] == {"a": 1}

asyncio.run(main())
heavy = {"mcp", "mcp_types", "pydantic", "jsonschema"} & set(sys.modules)
sys.exit(f"imported: {sorted(heavy)}" if heavy else 0)
"""


def test_a_client_that_lists_and_calls_tools_needs_no_sdk() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVING], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_a_table_is_built_without_the_sdk() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
