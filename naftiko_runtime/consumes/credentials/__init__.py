"""Credentials that take an exchange while a call runs: one module per kind of login."""

from __future__ import annotations

from collections.abc import Sequence

from naftiko_runtime.consumes.credentials.client_tokens import ClientTokens
from naftiko_runtime.consumes.credentials.digest import DigestChallenges
from naftiko_runtime.consumes.credentials.handshake import Handshake, Send
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.plan.logins import ClientLogin, DigestLogin, Login
from naftiko_runtime.plan.operation import UpstreamRequest

__all__ = ["Logins"]


class Logins:
    """Sends requests that log in, and keeps what logging in has given: challenges and tokens.

    Owned by the client that sends for it, and closed with it.
    """

    def __init__(self, send: Send) -> None:
        self._handshakes: dict[type[Login], Handshake] = {
            DigestLogin: DigestChallenges(send),
            ClientLogin: ClientTokens(send),
        }

    async def send(self, request: UpstreamRequest, login: Login) -> UpstreamResponse:
        """The answer to a request whose `login` is this one. Raises CallFailed when there is none,
        or no way to log in."""
        return await self._handshakes[type(login)].send(request)

    async def authorized(self, request: UpstreamRequest, login: Login) -> UpstreamRequest:
        """A request whose body is streamed, with credentials: it can be sent once. Where it is
        answered with a 401, `note_refusal` is to be told. Raises CallFailed."""
        return await self._handshakes[type(login)].authorized(request)

    def note_refusal(
        self, request: UpstreamRequest, login: Login, challenges: Sequence[str]
    ) -> None:
        """`request` is the one given to `authorized`, `challenges` the answer's
        `WWW-Authenticate` fields."""
        self._handshakes[type(login)].note_refusal(request, challenges)

    async def aclose(self) -> None:
        for handshake in self._handshakes.values():
            await handshake.aclose()
