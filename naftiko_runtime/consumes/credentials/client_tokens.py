"""Access tokens of the client credentials grant (RFC 6749, section 4.4), kept while they last."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from naftiko_runtime.consumes.authorization_server import (
    AuthorizationServerError,
    Client,
    discover,
    post_form,
)
from naftiko_runtime.consumes.credentials.handshake import (
    Send,
    challenges_of,
    origin_of,
    with_authorization,
)
from naftiko_runtime.consumes.echoes import spellings_of, without
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.http_authentication import parse_challenges
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.logins import ClientLogin
from naftiko_runtime.plan.operation import SAFE_METHODS, UpstreamRequest

_MOST: Final = 256
"""Logins whose token is kept."""

_UNSAID_SECONDS: Final = 300.0
"""How long a token is used whose server does not say (`expires_in` is only recommended)."""

_EARLY_SECONDS: Final = 30.0
"""A token is renewed so long before its end, or a tenth of its lifetime if that is shorter: it has
to be good still when the upstream looks at it."""

_YOUNG_SECONDS: Final = 5.0
"""A token younger than this is not replaced because of a 401, nor is one asked for again that
could not be had: an upstream that refuses them all would have each call ask for one."""

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_ERROR: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, slots=True)
class _Token:
    """All times are by the monotonic clock."""

    text: str
    issued_at: float
    renew_at: float
    ends_at: float


class ClientTokens:
    """Implements Handshake for ClientLogin. Each login has one token, which one request at a time
    fetches for all calls that wait for it."""

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send = send
        self._clock = clock
        self._sources: OrderedDict[tuple[str, str, ClientLogin], _Source] = OrderedDict()

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        source = self._source(request, _login(request))
        token = await source.token(request)
        answer = await self._send_with(token, request)
        if answer.status != 401 or not source.gives_up(token) or not _may_repeat(request, answer):
            return answer
        return await self._send_with(await source.token(request), request)

    async def authorized(self, request: UpstreamRequest) -> UpstreamRequest:
        token = await self._source(request, _login(request)).token(request)
        authorized = with_authorization(request, f"Bearer {token.text}")
        return replace(authorized, secrets=(*request.secrets, token.text))

    def note_refusal(self, request: UpstreamRequest, challenges: Sequence[str]) -> None:
        self._source(request, _login(request)).gives_up()

    async def aclose(self) -> None:
        for source in self._sources.values():
            source.close()

    async def _send_with(self, token: _Token, request: UpstreamRequest) -> UpstreamResponse:
        """The answer, without the token should the upstream echo it."""
        answer = await self._send(with_authorization(request, f"Bearer {token.text}"))
        spellings = spellings_of((token.text,))
        headers = [
            (name, without(value.encode(), spellings).decode()) for name, value in answer.headers
        ]
        return replace(answer, headers=headers, body=without(answer.body, spellings))

    def _source(self, request: UpstreamRequest, login: ClientLogin) -> _Source:
        key = (request.upstream, origin_of(request.url), login)
        source = self._sources.get(key)
        if source is None:
            source = self._sources[key] = _Source(login, self._send, self._clock)
            if len(self._sources) > _MOST:
                self._sources.popitem(last=False)
        self._sources.move_to_end(key)
        return source


def _login(request: UpstreamRequest) -> ClientLogin:
    assert isinstance(request.login, ClientLogin)
    return request.login


class _Source:
    """The token of one login: there, being fetched, or neither."""

    def __init__(self, login: ClientLogin, send: Send, clock: Callable[[], float]) -> None:
        self._login = login
        self._upstreams = _Sender(send)
        self._clock = clock
        self._token: _Token | None = None
        self._fetching: asyncio.Task[_Token] | None = None

    async def token(self, request: UpstreamRequest) -> _Token:
        """A token that is good by the clock. One that ends soon is still used while a new one is
        on its way. Raises CallFailed."""
        token, now = self._token, self._clock()
        if token is not None and now < token.renew_at:
            return token
        fetching = self._fetch(request)
        if token is not None and now < token.ends_at:
            return token
        # Whoever hangs up must not take the token from those who wait for it, too.
        return await asyncio.shield(fetching)

    def gives_up(self, token: _Token | None = None) -> bool:
        """Whether to try another token after a 401 to this one, or to the present one: not when it
        has only just been issued, which says that the upstream wants something else than a newer
        one."""
        token = token or self._token
        if token is None:
            return True
        if self._clock() - token.issued_at < _YOUNG_SECONDS:
            return False
        if self._token is token:
            self._token = None
        return True

    def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    def _fetch(self, request: UpstreamRequest) -> asyncio.Task[_Token]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetched(request.upstream, request.operation))
            self._fetching.add_done_callback(self._fetched_one)
        return self._fetching

    def _fetched_one(self, task: asyncio.Task[_Token]) -> None:
        self._fetching = None
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()
        elif self._token is not None:
            # It goes on while it lasts; the next try is not due with the very next call.
            self._token = replace(self._token, renew_at=self._clock() + _YOUNG_SECONDS)

    async def _fetched(self, upstream: str, operation: str) -> _Token:
        try:
            return await self._ask(upstream)
        except AuthorizationServerError as error:
            raise fail(
                FailureKind.UPSTREAM_CREDENTIALS,
                f'"{operation}": there is no access token for it, so it was not called: {error}',
            ) from None

    async def _ask(self, upstream: str) -> _Token:
        login, endpoint, post_secret = self._login, self._login.token_endpoint, False
        if not endpoint:
            metadata = await discover(self._upstreams, login.issuer, upstream)
            endpoint, post_secret = metadata.token_endpoint, metadata.post_secrets
            if not endpoint:
                raise AuthorizationServerError(
                    f'the metadata of {login.issuer} name no "token_endpoint"'
                )
        client = Client(login.client_id, login.client_secret.reveal())
        asked_at = self._clock()
        status, grant = await post_form(
            self._upstreams, upstream, endpoint, _form(login), client, post_secret=post_secret
        )
        if status != 200:
            raise AuthorizationServerError(_refusal(endpoint, status, grant))
        return _read_token(endpoint, grant, asked_at)


@dataclass(frozen=True, slots=True)
class _Sender:
    """The client that sends for us, as what the authorization server's module wants."""

    _send: Send

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        return await self._send(request)

    async def aclose(self) -> None:
        """Its owner closes it."""


def _form(login: ClientLogin) -> list[tuple[str, str]]:
    """The request of RFC 6749, section 4.4.2. What the token is for goes under `audience` where
    the file has that, for servers that do not know `resource` (RFC 8707)."""
    form = [("grant_type", "client_credentials")]
    if login.scopes:
        form.append(("scope", " ".join(login.scopes)))
    if login.audience:
        form.append(("audience", login.audience))
    elif login.resource:
        form.append(("resource", login.resource))
    return form


def _read_token(endpoint: str, grant: Mapping[str, JsonValue], asked_at: float) -> _Token:
    """The token of RFC 6749, section 5.1. Its time counts from when it was asked for."""
    text, kind = grant.get("access_token"), grant.get("token_type", "Bearer")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise AuthorizationServerError(f"{endpoint} gave no access token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise AuthorizationServerError(f"{endpoint} gave a token of another type than Bearer")
    seconds = _lifetime(grant.get("expires_in"))
    early = min(_EARLY_SECONDS, seconds / 10)
    return _Token(text, asked_at, asked_at + seconds - early, asked_at + seconds)


def _lifetime(value: JsonValue) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float | Decimal) else None
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None or isinstance(value, bool) or not 0 <= seconds < float("inf"):
        return _UNSAID_SECONDS
    return seconds


def _refusal(endpoint: str, status: int, grant: Mapping[str, JsonValue]) -> str:
    error = grant.get("error")
    said = f' "{error}"' if isinstance(error, str) and _ERROR.fullmatch(error) else ""
    return f"{endpoint} answered {status}{said} - check clientId, clientSecret and scopes"


def _may_repeat(request: UpstreamRequest, answer: UpstreamResponse) -> bool:
    """Whether a request can be sent again with a new token. A Bearer challenge says that the token
    was refused before anything was done with the request (RFC 6750, section 3); a 401 without one
    may come from behind the upstream, after it has acted."""
    challenged = any(each.scheme == "bearer" for each in parse_challenges(challenges_of(answer)))
    return challenged or request.method in SAFE_METHODS
