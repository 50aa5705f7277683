"""Serves endpoints that the runtime itself defines: those of skill and control adapters.

Host and Origin are checked, callers judged, methods and errors answered in one place; what is
served is a Site, replaced whole by a reload.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from starlette.types import Receive, Scope, Send

from naftiko_runtime.exposes.authentication import Admission, Caller, Door, Gatekeeper, caller_of
from naftiko_runtime.exposes.host_check import HostPolicy, check_page
from naftiko_runtime.exposes.rest.percent import decode_percent, decode_utf8
from naftiko_runtime.exposes.rest.problem_details import (
    internal_error_reply,
    problem_reply,
    refusal_reply,
)
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.surroundings import metadata_reply, raw_path
from naftiko_runtime.failures import CallFailed, Failure, FailureKind, fail
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

_log = logging.getLogger("naftiko.endpoints")
_PATIENCE: Final = 30.0
"""Seconds for a caller to take a piece of a stream; one that reads nothing must not keep it."""
_NO_STORE: Final = (b"cache-control", b"no-store")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an endpoint. `segments` are those of its path, decoded one by one, so that a
    decoded one may hold any character; `query` is the query string as it came."""

    method: str
    segments: tuple[str, ...]
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    receive: Receive
    caller: Caller
    admitted: Admission


class Stream(Protocol):
    """An answer that goes on until it ends by itself or the caller hangs up."""

    content_type: bytes

    async def next(self) -> bytes | None:
        """The next piece, None at the end; soon after `close` in any case."""
        ...

    def close(self) -> None:
        """Called once or more, when nobody takes pieces any more."""
        ...


Handler: TypeAlias = Callable[[Request], Awaitable[Reply | Stream]]
"""Answers a request; HEAD comes as GET. May raise CallFailed."""


class Site(Protocol):
    """What one listener serves of one kind."""

    @property
    def door(self) -> Door:
        """What callers have to pass before they learn anything."""
        ...

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        """The handlers of a path by method; None where nothing is."""
        ...

    def unknown(self, path: str) -> str:
        """What to tell the caller of a path where nothing is."""
        ...


class EndpointApplication:
    """The ASGI application of a Site on one listener. A request ends on the site that it began
    with."""

    __slots__ = ("_gatekeeper", "_hosts", "_streams", "site")

    def __init__(self, site: Site, hosts: HostPolicy, gatekeeper: Gatekeeper) -> None:
        self.site = site
        self._hosts = hosts
        self._gatekeeper = gatekeeper
        self._streams: set[Stream] = set()

    def close_streams(self) -> None:
        """Ends all answers that would go on until their callers hang up."""
        for stream in list(self._streams):
            stream.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except CallFailed as failed:
            answer = problem_reply(failed.failure)
        except Exception:
            incident = secrets.token_hex(8)
            _log.exception("internal error %s", incident)
            answer = internal_error_reply(incident)
        if isinstance(answer, Reply):
            await _send(answer, scope, send)
            return
        self._streams.add(answer)
        try:
            await _send_stream(answer, scope, receive, send)
        finally:
            self._streams.discard(answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Reply | Stream:
        site, method = self.site, scope["method"]
        refusal = self._hosts.check(scope["headers"])
        if refusal is None and method not in ("GET", "HEAD"):
            refusal = check_page(scope["headers"])
        if refusal is not None:
            return problem_reply(refusal)
        metadata = site.door.metadata.get(scope["path"])
        if metadata is not None:
            return metadata_reply(method, metadata)
        caller = caller_of(scope)
        verdict = await self._gatekeeper.admit(site.door, caller)
        if not isinstance(verdict, Admission):
            return refusal_reply(verdict)
        segments = _segments(scope)
        handlers = site.find(segments)
        if handlers is None:
            shown = "/" + "/".join(segments)
            return problem_reply(Failure(FailureKind.UNKNOWN_PATH, site.unknown(shown[:200])))
        handler = handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            return _other_method(method, handlers)
        request = Request(
            method, segments, scope["query_string"], scope["headers"], receive, caller, verdict
        )
        return await handler(request)


def json_reply(value: JsonValue, status: int = 200) -> Reply:
    """A JSON document that nobody is to keep."""
    return content_reply(encode_json(value), b"application/json", status=status)


def content_reply(
    body: bytes, content_type: bytes, *headers: tuple[bytes, bytes], status: int = 200
) -> Reply:
    length = (b"content-length", b"%d" % len(body))
    return Reply(status, [(b"content-type", content_type), length, _NO_STORE, *headers], body)


def _segments(scope: Scope) -> tuple[str, ...]:
    try:
        path = decode_utf8(raw_path(scope)).removeprefix("/")
        return tuple(decode_percent(segment) for segment in path.split("/"))
    except ValueError as error:
        raise fail(FailureKind.INVALID_INPUT, f"the path cannot be read: {error}") from None


def _other_method(method: str, handlers: Mapping[str, Handler]) -> Reply:
    methods = sorted(handlers)
    implied = {*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())}
    allow = (b"allow", ", ".join(sorted(implied)).encode())
    if method == "OPTIONS":
        return Reply(204, [allow], b"")
    detail = f"this path does not answer {method[:20]} - it answers {', '.join(methods)}"
    return problem_reply(Failure(FailureKind.METHOD_NOT_ALLOWED, detail), allow)


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
    body = b"" if scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.body", "body": body})


async def _send_stream(stream: Stream, scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", stream.content_type), _NO_STORE]
    watcher: asyncio.Task[None] | None = None
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] != "HEAD":
            watcher = asyncio.create_task(_close_when_gone(stream, receive))
            while (piece := await stream.next()) is not None:
                message = {"type": "http.response.body", "body": piece, "more_body": True}
                async with asyncio.timeout(_PATIENCE):
                    await send(message)
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        pass  # the server closes the connection of an unfinished answer
    finally:
        stream.close()
        if watcher is not None:
            watcher.cancel()


async def _close_when_gone(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close()
