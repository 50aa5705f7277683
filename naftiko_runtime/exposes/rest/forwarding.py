"""Passes requests on to an upstream as they come, and its answers back, holding neither."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final

from starlette.types import Message, Receive, Send

from naftiko_runtime.consumes.echoes import EchoFilter, spellings_of, without
from naftiko_runtime.consumes.messages import RequestStream, StreamedResponse, Streams
from naftiko_runtime.engine.answers import PASSED_HEADERS
from naftiko_runtime.engine.execute import bind_inputs
from naftiko_runtime.exposes.rest.disconnect import run_while_connected
from naftiko_runtime.exposes.rest.dry_run import wants_dry_run
from naftiko_runtime.exposes.rest.forwards import Found, ServedForward
from naftiko_runtime.exposes.rest.inputs import RequestInputs
from naftiko_runtime.exposes.rest.percent import decode_percent
from naftiko_runtime.exposes.rest.reply import INERT
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import Passage, Scope
from naftiko_runtime.telemetry.spans import current_span

_log = logging.getLogger("naftiko.rest")

_OF_CONTENT: Final = frozenset(
    "accept-ranges allow content-encoding content-length content-range content-type".split()
)
_BODILESS: Final = frozenset({204, 304})
_UNSPOKEN: Final = frozenset({"CONNECT", "TRACE"})
"""Methods that are about connections rather than resources (RFC 9110, sections 9.3.6, 9.3.8)."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request on its way through: method, raw query, headers and how to receive the body. The
    caller's credentials for this adapter are taken out of query and headers."""

    method: str
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    receive: Receive


async def forward(found: Found, incoming: Incoming, streams: Streams, send: Send) -> None:
    """Answers a request with what the upstream answers. Where the caller hangs up, the exchange
    with the upstream ends.

    Raises CallFailed as long as nothing has been sent to the caller.
    """
    plan = found.target.plan
    if incoming.method in _UNSPOKEN:
        detail = f"{incoming.method} is not passed on"
        raise fail(FailureKind.METHOD_NOT_ALLOWED, detail)
    if wants_dry_run(incoming.headers):
        detail = "nothing was sent: what is passed on as it comes cannot be shown beforehand"
        raise fail(FailureKind.INVALID_INPUT, detail, field="Naftiko-Dry-Run")
    _note(found.target)
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in incoming.headers
    ]
    query = incoming.query.decode("latin-1")
    if not query.isascii():
        raise fail(FailureKind.INVALID_INPUT, "the query holds characters that are not encoded")
    given = RequestInputs(_variables(found), incoming.query, incoming.headers, b"")
    scope = Scope(bind_inputs(plan.inputs, given))
    request = plan.build(scope, Passage(incoming.method, found.rest, query, headers))
    caller = _Caller(incoming.receive)
    body = caller.body(headers)

    async def pass_on() -> None:
        with suppress(_CallerGone):
            async with streams.stream(request, body) as response:
                await _answer(response, plan.trusted, send)

    await run_while_connected(pass_on(), caller.after_body)


def _variables(found: Found) -> dict[str, str]:
    """The variables of the path. Raises CallFailed for a rest that has a name and is no text."""
    name = found.target.plan.rest
    if name is None:
        return found.variables
    try:
        return {**found.variables, name: decode_percent(found.rest.removeprefix("/"))}
    except ValueError as error:
        raise fail(FailureKind.INVALID_INPUT, f'"{name}": {error}', field=name) from None


class _CallerGone(Exception):
    """The caller hung up before all of the body was there."""


@dataclass(slots=True)
class _Caller:
    """Whoever sends the request: first the body, then nothing but the end of the connection."""

    receive: Receive
    is_done: asyncio.Event = field(default_factory=asyncio.Event)

    def body(self, headers: Sequence[tuple[str, str]]) -> RequestStream | None:
        """None where the request has no body."""
        length = next((value for name, value in headers if name == "content-length"), None)
        if length is None and all(name != "transfer-encoding" for name, _ in headers):
            self.is_done.set()
            return None
        return RequestStream(None if length is None else int(length), self._chunks())

    async def after_body(self) -> Message:
        """Waits for what comes after the body."""
        await self.is_done.wait()
        return await self.receive()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise _CallerGone
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                self.is_done.set()
                return


async def _answer(response: StreamedResponse, trusted: frozenset[str], send: Send) -> None:
    spellings = spellings_of(response.secrets)
    headers = _headers(response, trusted, spellings)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    readable = all(
        name != "content-encoding" or value.lower() == "identity"
        for name, value in response.headers
    )
    echoes = EchoFilter(spellings if readable else ())
    try:
        async for chunk in response.chunks:
            shown = echoes.feed(chunk)
            if shown:
                await send({"type": "http.response.body", "body": shown, "more_body": True})
    except CallFailed as failed:
        # All that can be done now is to end the connection in the middle of the answer: the server
        # does, as the last piece is never sent.
        _log.warning("an answer broke off while it was passed on: %s", failed.failure.detail)
        return
    await send({"type": "http.response.body", "body": echoes.finish()})


def _headers(
    response: StreamedResponse, trusted: frozenset[str], spellings: Sequence[bytes]
) -> list[tuple[bytes, bytes]]:
    """The headers that matter, without credentials that the upstream echoes in them. Cookies are
    set where the file says that they are passed on."""
    passed = PASSED_HEADERS | _OF_CONTENT | ({"set-cookie"} if "cookie" in trusted else set())
    headers = [
        (name.encode("latin-1"), without(value.encode("latin-1"), spellings))
        for name, value in response.headers
        if name in passed and not (name == "content-length" and response.status == 204)
    ]
    given = {name for name, _ in headers}
    content_type = next((value for name, value in headers if name == b"content-type"), b"")
    if response.status not in _BODILESS and not content_type.startswith(b"application/json"):
        headers.extend(INERT)
    if b"cache-control" not in given:
        headers.append((b"cache-control", b"no-store"))
    return headers


def _note(target: ServedForward) -> None:
    """Says in the request's span, if there is one, where it goes."""
    span = current_span()
    if span is not None:
        span.attributes |= {
            "http.route": target.plan.route,
            "naftiko.capability": target.label,
            "naftiko.namespace": target.adapter.namespace,
            "naftiko.operation.id": f"{target.plan.upstream}.forward",
        }
