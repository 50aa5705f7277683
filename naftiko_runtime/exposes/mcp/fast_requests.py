"""Reads the requests that the fast lane answers: those that are right in every respect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.types import Scope

from naftiko_runtime.exposes.mcp.sessions import SESSION_ID, Session
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

MODERN: Final = "2026-07-28"
VERSIONS: Final = frozenset({MODERN, "2025-06-18", "2025-11-25"})
"""Protocol versions whose answers are the same but for what is written here; older ones know no
structured content."""
META: Final = "io.modelcontextprotocol/"
LISTS: Final = frozenset({"tools/list", "server/discover", "ping"})
"""Methods whose answers only depend on what is served."""
DRY_RUN: Final = "naftiko/dry-run"
"""The member of `_meta` with which a client asks what a tool would send."""

_JSON: Final = frozenset({b"application/json", b"application/json; charset=utf-8"})
_HEADERS: Final = frozenset(
    {b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"accept", b"content-type", SESSION_ID}
)
_HANDSHAKE_HEADERS: Final = frozenset(
    {None, b"2024-11-05", b"2025-03-26", b"2025-06-18", b"2025-11-25"}
)
"""What the requests of a session may say of their version, which was agreed on before."""
_VERSION: Final = f"{META}protocolVersion"
_CAPABILITIES: Final = f"{META}clientCapabilities"
_CLIENT: Final = f"{META}clientInfo"
_TRACE: Final = ("traceparent", "tracestate", "baggage")
_MODERN_META: Final = frozenset({_VERSION, _CAPABILITIES, _CLIENT, *_TRACE})
_OF_CALL: Final = frozenset({"name", "arguments", "_meta"})
_OF_LIST: Final = frozenset({"cursor", "_meta"})
_OF_CLIENT: Final = frozenset({"name", "version", "title"})


@dataclass(frozen=True, slots=True)
class FastRequest:
    """A request that is right in every respect."""

    version: str
    method: str
    id: JsonValue
    params: Mapping[str, JsonValue]
    session: Session | None = None

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
        if self.session is not None:
            return self.session.asks
        meta = self.params.get("_meta")
        declared = meta.get(_CAPABILITIES) if isinstance(meta, dict) else None
        return isinstance(declared, dict) and declared.get("elicitation") is not None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.version, self.method, self.cursor or ""


def read_request(
    message: Mapping[str, JsonValue], scope: Scope, session: Session | None = None
) -> FastRequest | None:
    """The request, None for one that the SDK has to judge. `session` is the one that it names."""
    method, params = message.get("method"), message.get("params", {})
    if "id" not in message or not isinstance(params, dict) or not isinstance(method, str):
        return None
    if method != "tools/call" and method not in LISTS:
        return None
    headers = _headers(scope["headers"])
    if headers is None or not _is_ordinary(headers):
        return None
    version = _version(headers, session)
    if version is None or not _fits(method, params, version, headers):
        return None
    return FastRequest(version, method, message["id"], params, session)


def _version(headers: Mapping[bytes, bytes], session: Session | None) -> str | None:
    """The version that an answer has to be in; None where that is not known here."""
    named = headers.get(b"mcp-protocol-version")
    if session is not None:
        version = session.version if named in _HANDSHAKE_HEADERS else ""
    else:
        version = "" if named is None or SESSION_ID in headers else named.decode("latin-1")
    return version if version in VERSIONS else None


def _headers(given: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """The headers that matter; None when one comes twice, or a stream is to be resumed."""
    found: dict[bytes, bytes] = {}
    for name, value in given:
        if name in _HEADERS:
            if name in found:
                return None
            found[name] = value
        elif name == b"last-event-id":
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
    name = params.get("name")
    if method == "tools/call":
        if not _OF_CALL.issuperset(params) or not isinstance(name, str):
            return False
        if not isinstance(params.get("arguments", {}), dict):
            return False
    elif not _OF_LIST.issuperset(params) or not isinstance(params.get("cursor", ""), str):
        return False
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        return False
    if version != MODERN:
        return method != "server/discover" and _fits_handshake(meta)
    return method != "ping" and _fits_modern(method, name, meta, headers)


def _fits_handshake(meta: Mapping[str, JsonValue]) -> bool:
    """Whether all that `_meta` says can be passed over: nobody is told of a call's progress."""
    token = meta.get("progressToken", "")
    if not isinstance(token, str | int) or isinstance(token, bool):
        return False
    return not any(key == DRY_RUN or key.startswith(META) for key in meta)


def _fits_modern(
    method: str, name: JsonValue, meta: Mapping[str, JsonValue], headers: Mapping[bytes, bytes]
) -> bool:
    """Whether headers and body of a 2026-07-28 request agree, in plain spelling."""
    if meta.get(_VERSION) != MODERN or not isinstance(meta.get(_CAPABILITIES), dict):
        return False
    if not _MODERN_META.issuperset(meta) or not _is_client_info(meta.get(_CLIENT)):
        return False
    for key in _TRACE:
        if not isinstance(meta.get(key, ""), str):
            return False
    if headers.get(b"mcp-method") != method.encode():
        return False
    named = headers.get(b"mcp-name")
    if method != "tools/call":
        return named is None
    assert isinstance(name, str)
    return named == name.encode() and not named.startswith(b"=?") and name.strip() == name


def _is_client_info(info: JsonValue) -> bool:
    if info is None:
        return True
    return (
        isinstance(info, dict)
        and _OF_CLIENT.issuperset(info)
        and isinstance(info.get("name"), str)
        and isinstance(info.get("version"), str)
        and isinstance(info.get("title", ""), str)
    )
