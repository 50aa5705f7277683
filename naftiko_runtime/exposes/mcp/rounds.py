"""What a client of 2026-07-28 carries from one round of a call to the next.

The server keeps nothing between rounds: the question that was put goes to the client as
`requestState` and comes back with the answer. The SDK's boundary seals it (AES-256-GCM) and binds
it to the method, the tool, its arguments, the caller and a time; that each is used once is for us
to see to.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import mcp_types as types
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from naftiko_runtime.exposes.mcp.protocol import principal_of
from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.state.store import StateStore


@dataclass(frozen=True, slots=True)
class Round:
    """A question that waits for its answer, the `number`th of a call: that of the `failure` in
    which `tool` (a listed name) ended with `arguments`. It need not be the tool that the client
    has called. `version` tells the tool from one of the same name elsewhere, or after a change."""

    number: int
    tool: str
    version: str
    arguments: Mapping[str, JsonValue]
    failure: Failure


def boundary(key: bytes, seconds: float, audience: str) -> RequestStateBoundary:
    """The SDK's middleware that seals states under `key` and opens them for `seconds`. Processes
    that share a port have to share the key: the next round may reach another one."""
    security = RequestStateSecurity(keys=[key], ttl=seconds, bind_principal=principal_of)
    return RequestStateBoundary(security, default_audience=audience)


def write_state(asked: Round) -> str:
    """The round with a name of its own, to be sealed by the boundary."""
    failure, question = asked.failure, asked.failure.question
    assert question is not None, "a round has a question"
    value: JsonValue = {
        "nonce": secrets.token_hex(16),
        "number": asked.number,
        "tool": asked.tool,
        "version": asked.version,
        "arguments": dict(asked.arguments),
        "kind": failure.kind.name,
        "detail": failure.detail,
        "details": dict(failure.details),
        "executed": failure.executed,
        "id": question.id,
        "message": question.message,
        "url": question.url,
        "operation": question.operation,
        "accept": dict(question.accept),
        "decline": dict(question.decline),
    }
    return encode_json(value).decode()


async def take_state(state: str, store: StateStore, seconds: float) -> Round:
    """The round of a state that the boundary has opened. Raises MCPError for one that was taken
    before, StateUnavailable where nobody can know."""
    try:
        value = decode_json(state)
    except JsonError:
        raise invalid_state() from None
    if not isinstance(value, dict):
        raise invalid_state()
    if not await store.replace(f"round/{value['nonce']}", None, b"taken", seconds):
        raise invalid_state()
    return _round(value)


def invalid_state() -> MCPError:
    """The error that the SDK's boundary answers with, too: a client learns no more."""
    data = {"reason": "invalid_request_state"}
    return MCPError(types.INVALID_PARAMS, "Invalid or expired requestState", data)


def _round(value: Mapping[str, JsonValue]) -> Round:
    """Of what `write_state` has written; the seal says that it is."""
    number, url = value["number"], value["url"]
    assert isinstance(number, int)
    assert url is None or isinstance(url, str)
    question = Question(
        str(value["id"]),
        str(value["message"]),
        url,
        str(value["operation"]),
        _members(value["accept"]),
        _members(value["decline"]),
    )
    failure = Failure(
        FailureKind[str(value["kind"])],
        str(value["detail"]),
        executed=value["executed"] is True,
        details=_members(value["details"]),
        question=question,
    )
    tool, version = str(value["tool"]), str(value["version"])
    return Round(number, tool, version, _members(value["arguments"]), failure)


def _members(value: JsonValue) -> Mapping[str, JsonValue]:
    assert isinstance(value, dict)
    return value
