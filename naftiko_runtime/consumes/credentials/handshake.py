"""What every kind of login does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.plan.operation import UpstreamRequest

Send: TypeAlias = Callable[[UpstreamRequest], Awaitable[UpstreamResponse]]
"""Sends one request as it is. Raises CallFailed when there is no answer."""


class Handshake(Protocol):
    """Logs requests in, in one way.

    A request may be sent a second time, at most, and only after a 401 that says by its challenge
    that the credentials were the reason: such a request "has not been applied" (RFC 9110, section
    15.5.2), whatever its method. A 401 without such a challenge proves nothing of the kind.
    """

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """The answer to a logged-in request. Raises CallFailed."""
        ...

    async def authorized(self, request: UpstreamRequest) -> UpstreamRequest:
        """The request as it can be sent with credentials and once only, since its body goes through
        without being held. Raises CallFailed."""
        ...

    def note_refusal(self, request: UpstreamRequest, challenges: Sequence[str]) -> None:
        """Takes note that a request from `authorized` was answered with a 401 and these
        challenges, so that the next one fares better."""
        ...

    async def aclose(self) -> None: ...


def with_authorization(request: UpstreamRequest, value: str | None) -> UpstreamRequest:
    """The request with these credentials and nothing left to log in with."""
    headers = request.headers if value is None else [*request.headers, ("Authorization", value)]
    return replace(request, headers=headers, login=None)


def origin_of(url: str) -> str:
    """What credentials are bound to: they never go to another scheme, host or port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def challenges_of(response: UpstreamResponse) -> list[str]:
    return [value for name, value in response.headers if name == "www-authenticate"]
