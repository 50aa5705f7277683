"""Reads the requests that the fast lane answers: those that are right in every respect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue

MODERN: Final = "2026-07-28"
VERSIONS: Final = frozenset({MODERN, "2025-06-18", "2025-11-25"})
"""Protocol versions whose answers are the same but for what is written here; older ones know no
structured content."""
META: Final = "io.modelcontextprotocol/"
LISTS: Final = frozenset({"tools/list", "server/discover"})

_JSON: Final = frozenset({b"application/json", b"application/json; charset=utf-8"})
_HEADERS: Final = frozenset(
    {b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"accept", b"content-type"}
)
_SESSION: Final = frozenset({b"mcp-session-id", b"last-event-id"})
_CAPABILITIES: Final = f"{META}clientCapabilities"
_HARMLESS_META: Final = frozenset({"traceparent", "tracestate", "baggage", f"{META}clientInfo"})


@dataclass(frozen=True, slots=True)
class FastRequest:
    """A request that is right in every respect."""

    version: str
    method: str
    id: bytes
    params: Mapping[str, JsonValue]

    @property
    def is_modern(self) -> bool:
        return self.version == MODERN

    @property
    def cursor(self) -> str | None:
        """Of the page that a list is to begin after."""
        cursor = self.params.get("cursor")
        return cursor if isinstance(cursor, str) else None

    @property
    def asks(self) -> bool:
        """Whether the client says that it can ask its user."""
        meta = self.params.get("_meta")
        declared = meta.get(_CAPABILITIES) if isinstance(meta, dict) else None
        return isinstance(declared, dict) and declared.get("elicitation") is not None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.version, self.method, self.cursor or ""


def read_request(message: Mapping[str, JsonValue], scope: Scope) -> FastRequest | None:
    """The request, None for one that the SDK has to judge."""
    method, params = message.get("method"), message.get("params", {})
    if "id" not in message or not isinstance(params, dict) or not isinstance(method, str):
        return None
    if method != "tools/call" and method not in LISTS:
        return None
    headers = _headers(scope["headers"])
    if headers is None or not _is_ordinary(headers):
        return None
    version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
    if version not in VERSIONS or not _fits(method, params, version, headers):
        return None
    return FastRequest(version, method, encode_json(message["id"]), params)


def _headers(given: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The headers that matter; None when one comes twice or belongs to a session."""
    found: dict[bytes, bytes] = {}
    for name, value in given:
        if name in _HEADERS:
            if name in found:
                return None
            found[name] = value
        elif name in _SESSION:
            return None
    return found


def _is_ordinary(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the client takes what the protocol asks it to take, and sends JSON."""
    accept = headers.get(b"accept", b"")
    return (
        b"application/json" in accept
        and b"text/event-stream" in accept
        and headers.get(b"content-type") in _JSON
    )


def _fits(
    method: str, params: Mapping[str, JsonValue], version: str, headers: Mapping[bytes, bytes]
) -> bool:
    known = {"name", "arguments", "_meta"} if method == "tools/call" else {"cursor", "_meta"}
    if not params.keys() <= known or not isinstance(params.get("cursor", ""), str):
        return False
    name = params.get("name")
    if method == "tools/call" and not (
        isinstance(name, str) and isinstance(params.get("arguments", {}), dict)
    ):
        return False
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        return False
    if version != MODERN:
        return not meta and method != "server/discover"
    return _fits_modern(method, name, meta, headers)


def _fits_modern(
    method: str, name: JsonValue, meta: Mapping[str, JsonValue], headers: Mapping[bytes, bytes]
) -> bool:
    """Whether headers and body of a 2026-07-28 request agree, in plain spelling."""
    required = {f"{META}protocolVersion", _CAPABILITIES}
    if meta.get(f"{META}protocolVersion") != MODERN or not required <= meta.keys():
        return False
    if not isinstance(meta[_CAPABILITIES], dict):
        return False
    if not meta.keys() <= required | _HARMLESS_META or any(
        not isinstance(meta.get(key, ""), str) for key in ("traceparent", "tracestate", "baggage")
    ):
        return False
    if not _is_client_info(meta.get(f"{META}clientInfo")):
        return False
    if headers.get(b"mcp-method") != method.encode():
        return False
    named = headers.get(b"mcp-name")
    if method != "tools/call":
        return named is None
    assert isinstance(name, str)
    return named == name.encode() and not named.startswith(b"=?") and name.strip() == name


def _is_client_info(info: JsonValue) -> bool:
    return info is None or (
        isinstance(info, dict)
        and info.keys() <= {"name", "version", "title"}
        and all(isinstance(value, str) for value in info.values())
        and {"name", "version"} <= info.keys()
    )
