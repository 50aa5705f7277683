"""The approval page on a real socket, over real approvals."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import uvicorn

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.exposes.approvals.login import Login
from naftiko_runtime.exposes.approvals.remote import Remote
from naftiko_runtime.exposes.approvals.site import ApprovalSite
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.endpoints import EndpointApplication
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.guards.approval import Effect, ParkedCall
from naftiko_runtime.guards.approvals import Approvals
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.origin import Origin
from naftiko_runtime.state.memory import MemoryStore

REMOTE_KEY = "key of the commands"
PASSWORD = "correct horse battery"
ORDER: dict[str, JsonValue] = {"orders": [{"conid": 265598, "side": "BUY", "quantity": 5}]}
PREVIEW: dict[str, JsonValue] = {"commission": "1.02 USD", "total": "938.02 USD"}


def a_call(id_: str = "a-1", **changes: Any) -> ParkedCall:
    call = ParkedCall(
        id=id_,
        origin=Origin("mcp", "alice"),
        capability="trading",
        name="place-order",
        operation="web-orders.placeorder",
        request={
            "method": "POST",
            "url": "https://localhost:5000/v1/api/iserver/account/U1/orders",
            "headers": {"content-type": "application/json"},
            "body": ORDER,
        },
        arguments={"symbol": "AAPL", "quantity": 5},
        until=0.0,
        expires=60.0,
        preview=PREVIEW,
    )
    return replace(call, **changes)


@dataclass
class Desk:
    """A Desk over approvals in memory."""

    store: MemoryStore = field(default_factory=MemoryStore)
    halted: bool | None = False
    acts: list[tuple[bool, str]] = field(default_factory=list)

    @property
    def approvals(self) -> Approvals:
        return Approvals(self.store)

    async def park(self, call: ParkedCall) -> Effect:
        """As the call's caller does, each time that it makes the call."""
        effect, _ = await self.approvals.ask(f"hash of {call.id}", call)
        return effect

    async def now(self) -> float:
        return await self.store.now()

    async def pending(self) -> list[ParkedCall]:
        return await self.approvals.pending()

    async def get(self, id_: str) -> ParkedCall | None:
        return await self.approvals.get(id_)

    async def decide(self, id_: str, approve: bool, by: str) -> bool:
        return await self.approvals.decide(id_, approve, by)

    async def is_halted(self) -> bool | None:
        return self.halted

    async def halt(self, on: bool, by: str) -> None:
        self.halted = on
        self.acts.append((on, by))


@dataclass
class Page:
    """`http` keeps cookies, as a browser does; redirects are not followed."""

    desk: Desk
    login: Login
    url: str
    http: httpx2.AsyncClient

    async def get(self, path: str = "/", **options: Any) -> httpx2.Response:
        return await self.http.get(self.url + path, **options)

    async def post(self, path: str, fields: dict[str, str], **options: Any) -> httpx2.Response:
        headers = {"origin": self.url, **options.pop("headers", {})}
        return await self.http.post(self.url + path, data=fields, headers=headers, **options)

    async def log_in(self) -> None:
        response = await self.post("/login", {"secret": PASSWORD})
        assert response.status_code == 303

    async def form_token(self) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', (await self.get()).text)
        assert found is not None
        return found[1]


@asynccontextmanager
async def a_page(
    desk: Desk | None = None, login: Login | None = None, *, is_secure: bool = False
) -> AsyncIterator[Page]:
    desk = desk or Desk()
    shown = desk
    login = login or Login(b"k" * 32, Secret(PASSWORD))
    site = ApprovalSite(
        lambda: shown, login, Remote(lambda: shown, REMOTE_KEY), is_secure=is_secure
    )
    app = EndpointApplication(site, HostPolicy.for_address("127.0.0.1"), Gatekeeper())
    config = uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=5)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx2.AsyncClient(timeout=60) as http:
            await server.startup([listener])
            try:
                yield Page(desk, login, url, http)
            finally:
                await server.shutdown([listener])
