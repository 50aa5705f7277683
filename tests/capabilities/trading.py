"""The trading API, served over real sockets in front of a paper gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.orders import Order
from examples.paper_gateway.server import RunningGateway, running_gateway
from tests.capabilities.shipped import FOLDER
from tests.serving_process import Serving, serve

FILE = FOLDER / "trading.yaml"
AAPL = 265598
MSFT = 272093


@dataclass(frozen=True)
class Trading:
    """`http` calls the REST port; `gateway` is the truth behind it."""

    running: RunningGateway
    serving: Serving
    http: httpx2.Client

    @property
    def gateway(self) -> PaperGateway:
        return self.running.gateway

    def get(self, path: str, **query: str) -> httpx2.Response:
        return self.http.get(path, params=query or None)

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return self.http.post(path, json=body)

    def pin(self, price: str, conid: int = AAPL) -> None:
        self.gateway.market.pin(conid, Decimal(price), self.gateway.clock())

    def buy(self, conid: int = AAPL, shares: int = 10, price: str = "230.50") -> None:
        """Puts shares into the account, without an order."""
        contract = self.gateway.contracts.get(conid)
        self.gateway.portfolio.open_with(contract, Decimal(shares), Decimal(price))

    def placed(self) -> list[Order]:
        return self.gateway.book.orders()


@contextmanager
def trading(
    folder: Path,
    gateway: PaperGateway | None = None,
    *,
    accepted: str = "",
    ports: tuple[int, ...] = (8000, 9090),
) -> Iterator[Trading]:
    """`accepted` are the questions that the operator has confirmed; of `ports` those are moved to
    free ones. There are no settings."""
    settings = folder / "none.yaml"
    settings.touch()
    with running_gateway(gateway or PaperGateway(pacing=0), state=folder) as running:
        options = [
            f"--ca={running.certificate_path}",
            f"--base-uri=trading={running.base_uri}",
            f"--settings={settings}",
        ]
        env = {"ACCEPTED_QUESTIONS": accepted} if accepted else {}
        with (
            serve(FILE, options=options, env=env, ports=ports) as serving,
            httpx2.Client(base_url=serving.rest(8000), timeout=30) as http,
        ):
            yield Trading(running, serving, http)
