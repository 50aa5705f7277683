"""Reads the one JSON-RPC message of an MCP request, stricter than the SDK does.

What two readers could take differently is refused before anybody acts on it: repeated keys, keys
that differ from the protocol's in case only, batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from naftiko_runtime.json_codec import JsonError, decode_request_json, encode_json
from naftiko_runtime.json_values import JsonValue

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600

_ENVELOPE: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_PARAMS: Final = frozenset(
    {"name", "arguments", "_meta", "cursor", "uri", "ref", "argument", "context"}
)


class BadMessage(Exception):
    """A body that is no message of the protocol; `body` is the JSON-RPC error to answer with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.body = encode_json(
            {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": reason}}
        )


def decode_message(body: bytes) -> Mapping[str, JsonValue]:
    """The message: a request, a notification or a response. Raises BadMessage."""
    try:
        message = decode_request_json(body)
    except JsonError as error:
        raise BadMessage(PARSE_ERROR, f"parse error: {error}") from None
    if isinstance(message, list):
        raise BadMessage(INVALID_REQUEST, "batches are not accepted - send one message at a time")
    if not isinstance(message, dict):
        raise BadMessage(INVALID_REQUEST, "the body is not a JSON-RPC message")
    _refuse_other_spellings(message, _ENVELOPE)
    if message.get("jsonrpc") != "2.0":
        raise BadMessage(INVALID_REQUEST, '"jsonrpc" is not "2.0"')
    if "id" in message and not _is_id(message["id"]):
        raise BadMessage(INVALID_REQUEST, '"id" is neither text nor a whole number')
    if "method" in message:
        if not isinstance(message["method"], str):
            raise BadMessage(INVALID_REQUEST, '"method" is not text')
        params = message.get("params", {})
        if not isinstance(params, dict):
            raise BadMessage(INVALID_REQUEST, '"params" is not an object')
        _refuse_other_spellings(params, _PARAMS)
    elif "id" not in message or ("result" in message) == ("error" in message):
        raise BadMessage(INVALID_REQUEST, "the message is neither a request nor a response")
    return message


def call_arguments(message: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The arguments of a `tools/call` that the SDK has accepted, with every digit."""
    params = message.get("params")
    arguments = params.get("arguments") if isinstance(params, dict) else None
    return arguments if isinstance(arguments, dict) else {}


def _refuse_other_spellings(members: Mapping[str, JsonValue], known: frozenset[str]) -> None:
    for key in members:
        if key not in known and key.lower() in known:
            raise BadMessage(INVALID_REQUEST, f'unknown member "{key}": names count case')


def _is_id(value: JsonValue) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
