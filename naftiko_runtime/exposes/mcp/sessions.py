"""The sessions of handshake clients, as far as they concern calls that the fast lane answers.

A session is the SDK's: it opens and ends it, and sends what is not the answer to a request. What is
answered beside the SDK counts as use of it all the same, and ends where the SDK's calls would: when
the client cancels it, and with the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import field
from math import inf
from typing import TYPE_CHECKING, Final

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from mcp.server.streamable_http import StreamableHTTPServerTransport

SESSION_ID: Final = b"mcp-session-id"
JSON: Final = (b"content-type", b"application/json")

_CANCELLED: Final = b',"error":{"code":-32800,"message":"Request cancelled"}}'
_ENDED: Final = (
    b'{"jsonrpc":"2.0","id":null,"error":'
    b'{"code":-32603,"message":"Session terminated before the request completed"}}'
)
_under_way: Final[set[asyncio.Future[Outcome]]] = set()


@dataclass(slots=True, eq=False)
class _Call:
    task: asyncio.Task[object]
    is_given_up: bool = False


@dataclass(slots=True, eq=False)
class Session:
    """One session of a client that is ready for requests. `version` is what it has agreed on,
    `asks`: it can ask its user. Entered while a request in it is answered, so that it does not run
    out. Made by the HttpTransport, forgotten with the SDK's own."""

    id: bytes
    version: str
    asks: bool
    sdk: StreamableHTTPServerTransport
    _calls: dict[str | int, _Call] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        idle = self.sdk.idle_scope
        return not self.sdk.is_terminated and idle is not None and not idle.cancel_called

    def __enter__(self) -> None:
        self.sdk._requests_in_flight += 1
        if self.sdk.idle_scope is not None:
            self.sdk.idle_scope.deadline = inf

    def __exit__(self, *_: object) -> None:
        sdk = self.sdk
        sdk._requests_in_flight -= 1
        if not sdk._requests_in_flight and sdk.idle_scope is not None and sdk._idle_timeout:
            now = asyncio.get_running_loop().time()
            sdk.idle_scope.deadline = now + sdk._idle_timeout

    async def run(
        self, id: JsonValue, work: Awaitable[Outcome], *, is_safe: bool
    ) -> Outcome | None:
        """The outcome of a call that goes by this id; None when it was given up before. Work that
        is not safe, and may have been done by then, goes on to its end."""
        task = asyncio.current_task()
        assert task is not None
        key, call = _key(id), _Call(task)
        self._calls[key] = call
        try:
            return await (work if is_safe else _to_its_end(work))
        except asyncio.CancelledError:
            if call.is_given_up and task.uncancel() == 0:
                return None
            raise
        finally:
            if self._calls.get(key) is call:
                del self._calls[key]

    def cancel(self, notification: Mapping[str, JsonValue]) -> None:
        """Gives up the call that a `notifications/cancelled` names, if it is under way here."""
        params = notification.get("params")
        named = params.get("requestId") if isinstance(params, dict) else None
        if isinstance(named, str | int) and not isinstance(named, bool):
            _give_up(self._calls.get(_key(named)))

    def cancel_all(self) -> None:
        """Gives up all calls, as the session has ended."""
        for call in list(self._calls.values()):
            _give_up(call)

    def given_up(self, id: bytes) -> Reply:
        """What the client of a call that was given up is told: every request has an answer."""
        if self.sdk.is_terminated:
            return Reply(500, self.headers(_ENDED), _ENDED)
        body = b'{"jsonrpc":"2.0","id":' + id + _CANCELLED
        return Reply(200, self.headers(body), body)

    def headers(self, body: bytes) -> list[tuple[bytes, bytes]]:
        """Those of an answer."""
        return [JSON, (b"content-length", b"%d" % len(body)), (SESSION_ID, self.id)]


def _key(id: JsonValue) -> str | int:
    """The SDK takes "7" and 7 for one id where it looks for calls."""
    if isinstance(id, int):
        return id
    text = str(id)
    try:
        return int(text)
    except ValueError:
        return text


def _give_up(call: _Call | None) -> None:
    if call is not None and not call.is_given_up:
        call.is_given_up = True
        call.task.cancel()


async def _to_its_end(work: Awaitable[Outcome]) -> Outcome:
    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)
