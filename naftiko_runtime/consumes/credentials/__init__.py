"""Credentials that take an exchange while a call runs: one module per kind of login."""

from __future__ import annotations

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

    async def aclose(self) -> None:
        for handshake in self._handshakes.values():
            await handshake.aclose()
