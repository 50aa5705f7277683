"""Makes the MCP calls of examples, as a client of the protocol's version 2026-07-28."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from tests.docs.examples import Message
from tests.docs.matching import Given

_VERSION = "2026-07-28"
_LISTS = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}


def call_mcp(url: str, call: Message, *, raw: bool) -> Given:
    """What a call gives; with `raw` its HTTP answer as it is.

    The body of a list is the list, that of `tools/call` the content, of `resources/read` the
    text read, of `prompts/get` the messages as `{role, text}`.
    """
    _, method, *name = call.start.split(maxsplit=2)
    params = _params(method, name[0] if name else "", call.body)
    headers = {"mcp-protocol-version": _VERSION, "mcp-method": method, **dict(call.headers)}
    if "name" in params or "uri" in params:
        headers["mcp-name"] = str(params.get("name") or params["uri"])
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    accepted = {"accept": "application/json, text/event-stream"}
    response = httpx2.post(url, json=message, headers=headers | accepted, timeout=30)
    if raw:
        return Given(str(response.status_code), list(response.headers.items()), response.text)
    reply = _reply(response)
    if "error" in reply:
        return Given("error", body=str(reply["error"]["message"]))
    outcome = "error" if reply["result"].get("isError") else ""
    return Given(outcome, body=_shown(method, reply["result"]))


def _params(method: str, name: str, body: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": _VERSION,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    }
    given = json.loads(body) if body else {}
    if method in ("tools/call", "prompts/get"):
        params |= {"name": name, "arguments": given}
    elif method == "resources/read":
        params["uri"] = name
    else:
        params |= given
    return params


def _reply(response: httpx2.Response) -> dict[str, Any]:
    """The JSON-RPC answer, out of a stream of events or a plain body."""
    if response.headers["content-type"].startswith("text/event-stream"):
        lines = response.text.splitlines()
        messages = [json.loads(line[5:]) for line in lines if line.startswith("data:")]
        return next(message for message in messages if message.get("id") == 1)
    reply: dict[str, Any] = response.json()
    return reply


def _shown(method: str, result: dict[str, Any]) -> str:
    if method in _LISTS:
        return json.dumps(result[_LISTS[method]])
    if method == "tools/call":
        return "\n".join(str(part.get("text", part)) for part in result["content"])
    if method == "resources/read":
        return "\n".join(str(part.get("text", part)) for part in result["contents"])
    if method == "prompts/get":
        messages = [
            {"role": each["role"], "text": each["content"]["text"]} for each in result["messages"]
        ]
        return json.dumps(messages)
    return json.dumps({key: value for key, value in result.items() if not key.startswith("_")})
