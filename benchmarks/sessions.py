"""Opens MCP sessions, as clients of the handshake versions do before anything else."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.wrk import NUMBER, Request


def in_session(port: int, request: Request) -> Request:
    """The request, in a session that is opened for it, with another id each time: no two calls of
    a session may go by one id. Raises RuntimeError where no session is given."""
    version = request.headers["MCP-Protocol-Version"]
    client = {"name": "wrk", "version": "4"}
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
    first = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    session = _send(port, request, request.headers, first)
    if session is None:
        raise RuntimeError(f"port {port} opens no session")
    headers = {**request.headers, "Mcp-Session-Id": session}
    _send(port, request, headers, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    body = request.body.replace('"id": 1,', f'"id": "{NUMBER}",')
    return replace(request, headers=headers, body=body)


def _send(
    port: int, request: Request, headers: Mapping[str, str], message: Mapping[str, object]
) -> str | None:
    """The session that the answer names."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", request.path, json.dumps(message), dict(headers))
        response = connection.getresponse()
        response.read()
        return response.getheader("mcp-session-id")
    finally:
        connection.close()
