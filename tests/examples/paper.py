"""The calls that tests make of a paper gateway."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import RunningGateway

NOON = 1_771_934_400.0
"""2026-02-24 12:00:00 UTC, where the frozen clock starts."""

AAPL = 265598
ACCOUNT = "DU1234567"
ORDERS = f"/iserver/account/{ACCOUNT}/orders"


@dataclass(frozen=True)
class Paper:
    """A running gateway and the calls that tests make of it; paths are below `/v1/api`."""

    running: RunningGateway
    http: httpx2.Client

    @property
    def gateway(self) -> PaperGateway:
        return self.running.gateway

    def get(self, path: str, **query: str | int) -> httpx2.Response:
        return self.http.get(self.running.base_uri + path, params=query or None)

    def post(self, path: str, body: Any = None) -> httpx2.Response:
        return self.http.post(self.running.base_uri + path, json=body)

    def delete(self, path: str) -> httpx2.Response:
        return self.http.delete(self.running.base_uri + path)

    def control(self, path: str, body: Any = None) -> httpx2.Response:
        return self.http.post(f"{self.running.url}/paper{path}", json=body)

    def open_account(self) -> None:
        """The calls that a session starts with, so that all others are allowed."""
        assert self.get("/iserver/accounts").status_code == 200
        assert self.get("/portfolio/accounts").status_code == 200
        assert self.get("/iserver/account/orders").json() == {"orders": [], "snapshot": False}

    def pin(self, price: str, conid: int = AAPL) -> None:
        self.gateway.market.pin(conid, Decimal(price), self.gateway.clock())

    def pass_time(self, seconds: float) -> None:
        self.gateway.clock.advance(seconds)

    def ask(self, *orders: dict[str, Any]) -> Any:
        """Place orders; the answer, question or not."""
        return self.post(ORDERS, {"orders": [{"conid": AAPL, **order} for order in orders]}).json()

    def place(self, *orders: dict[str, Any]) -> list[dict[str, Any]]:
        """Place orders and confirm every question; the entries of the final answer."""
        answer = self.ask(*orders)
        while "messageIds" in answer[0]:
            answer = self.post(f"/iserver/reply/{answer[0]['id']}", {"confirmed": True}).json()
        assert all("order_id" in entry for entry in answer)
        entries: list[dict[str, Any]] = answer
        return entries

    def order(self, order_id: str | int) -> dict[str, Any]:
        """The order as the list of live orders has it."""
        listed = self.get("/iserver/account/orders").json()["orders"]
        return next(entry for entry in listed if str(entry["orderId"]) == str(order_id))

    def positions(self) -> dict[str, float]:
        page = self.get(f"/portfolio/{ACCOUNT}/positions/0").json()
        return {entry["contractDesc"]: entry["position"] for entry in page}
