"""A capability with which orders can be placed, for tests that try to place them all the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mcp_types import CallToolResult

from naftiko_runtime.settings.model import GuardRule, RuntimeSettings
from naftiko_runtime.state.store import StateStore
from tests.guards.journals import MemoryJournal
from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json
from tests.served_files import Answered, ServedFiles, served

Era: TypeAlias = Literal["auto", "legacy"]

SHOP = """\
naftiko: 1.0.0-alpha2
info: {label: Shop, description: A shop.}
capability:
  consumes:
    - namespace: shop
      type: http
      baseUri: UPSTREAM/v1/api
      authentication: {type: bearer, token: of-the-shop-alone}
      resources:
        - name: orders
          path: /accounts/{account}/orders
          operations:
            - {name: list-orders, method: GET}
            - {name: place, method: POST}
        - name: check
          path: /accounts/{account}/orders/check
          operations:
            - {name: check, method: POST}
        - name: order
          path: /accounts/{account}/orders/{order}
          operations:
            - {name: cancel, method: DELETE}
        - name: one-order
          path: /accounts/{account}/orders
          operations:
            - name: buy
              method: POST
              body:
                type: json
                data: {orders: [{id: "{{id}}", quantity: "{{quantity}}", side: "{{side}}"}]}
        - name: search
          path: /search
          operations:
            - {name: search, method: POST}
        - name: anything
          path: /{first}/{second}/{third}
          operations:
            - {name: anything, method: POST}
  exposes:
    - type: rest
      port: 8080
      namespace: shop-rest
      resources:
        - path: /accounts/{account}/orders
          operations:
            - {method: GET, name: list-orders, call: shop.list-orders}
            - {method: POST, name: place, call: shop.place}
        - path: /accounts/{account}/orders/{order}
          operations:
            - {method: DELETE, name: cancel, call: shop.cancel}
        - path: /accounts/{account}/buy
          operations:
            - {method: POST, name: buy, call: shop.buy}
        - path: /search
          operations:
            - {method: POST, name: search, call: shop.search}
        - path: /anything/{first}/{second}/{third}
          operations:
            - {method: POST, name: anything, call: shop.anything}
        - path: /accounts/{account}/look-and-buy
          operations:
            - method: POST
              name: look-and-buy
              steps:
                - {type: call, name: look, call: shop.list-orders}
                - {type: call, name: buy, call: shop.buy}
        - path: /accounts/{account}/buy-and-cancel
          operations:
            - method: POST
              name: buy-and-cancel
              steps:
                - {type: call, name: buy, call: shop.buy}
                - {type: call, name: cancel, call: shop.cancel, with: {order: "1"}}
        - path: /raw/{path}
          forward: {targetNamespace: shop, trustedHeaders: [X-HTTP-Method-Override]}
    - type: mcp
      port: 9090
      namespace: shop-tools
      tools:
        - {name: list-orders, description: Lists orders., call: shop.list-orders}
        - {name: place, description: Places orders., call: shop.place}
        - {name: buy, description: Buys., call: shop.buy}
        - {name: purchase, description: Buys too., call: shop.buy}
        - {name: cancel, description: Cancels., call: shop.cancel}
        - {name: search, description: Finds., call: shop.search, hints: {readOnly: true}}
"""

TWIN = """\
naftiko: 1.0.0-alpha2
info: {label: Twin, description: Another file for the same API.}
capability:
  consumes:
    - namespace: harmless
      type: http
      baseUri: UPSTREAM/v1
      resources:
        - name: orders
          path: /api/Accounts/{a}/orders/
          operations:
            - {name: look, method: POST}
  exposes:
    - type: rest
      port: 8081
      namespace: twin
      resources:
        - path: /look/{a}
          operations:
            - {method: POST, name: look, call: harmless.look}
"""

BUY = {"account": "A1", "id": "first", "quantity": 5, "side": "BUY"}
"""The arguments of a purchase."""


def orders(*rows: object) -> dict[str, object]:
    return {"orders": list(rows)}


def order(id_: object = "first", quantity: object = 5, side: object = "BUY") -> dict[str, object]:
    return {"id": id_, "quantity": quantity, "side": side}


def answer(request: RecordedRequest) -> Reply:
    if request.path.endswith("/check"):
        return reply_json({"commission": "1.50"})
    if request.method == "POST":
        return reply_json({"placed": json.loads(request.body or b"null")})
    return reply_json([])


@dataclass(frozen=True)
class Shop:
    """The files being served, and the upstream that they call."""

    files: ServedFiles
    upstream: RecordingUpstream
    journal: MemoryJournal

    @property
    def writes(self) -> list[RecordedRequest]:
        """What reached the upstream that changes something."""
        return [
            request
            for request in self.upstream.requests
            if (
                request.method not in ("GET", "HEAD", "OPTIONS")
                or any("method" in name.lower() for name, _ in request.headers)
            )
            and not request.path.endswith(("/check", "/search"))
        ]

    def place(self, *rows: object, **headers: str) -> Answered:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.files.post("/accounts/A1/orders", orders(*rows), named)

    def buy(self, **changes: object) -> Answered:
        body = {name: value for name, value in {**BUY, **changes}.items() if name != "account"}
        return self.files.post("/accounts/A1/buy", body)

    def tool(self, name: str, era: Era = "auto", **changes: object) -> CallToolResult:
        """What a tool answers to the arguments of a purchase."""
        given = BUY if name in ("buy", "purchase") else {}
        return self.files.tool(name, {**given, **changes}, port=9090, mode=era)

    def approve(self, approved: bool = True) -> None:
        """A person decides about everything that waits."""

        async def decide() -> None:
            approvals = self.files.guards.approvals
            for call in await approvals.pending():
                assert await approvals.decide(call.id, approved, "a person")

        self.files.run(decide())

    def wait_until_parked(self) -> None:
        """Until a call waits for a person."""

        async def wait() -> None:
            while not await self.files.guards.approvals.pending():
                await asyncio.sleep(0.02)

        self.files.run(wait())


def problem(answered: Answered) -> tuple[int, str]:
    """The status and the slug of a problem document."""
    document: Any = answered.json()
    assert document["status"] == answered.status
    return answered.status, document["type"].rpartition(":")[2]


@contextmanager
def shop(
    *rules: GuardRule,
    store: StateStore | None = None,
    files: tuple[str, ...] = (SHOP,),
    upstream: RecordingUpstream | None = None,
    **more: Any,
) -> Iterator[Shop]:
    """The shop, served under these guards. An `upstream` that is given has its own answers."""
    journal = MemoryJournal()
    with ExitStack() as stack:
        if upstream is None:
            upstream = stack.enter_context(RecordingUpstream())
            upstream.answers(answer)
        texts = [text.replace("UPSTREAM", upstream.url) for text in files]
        settings = RuntimeSettings(guards=rules, **more)
        running = stack.enter_context(
            served(*texts, settings=settings, store=store, journal=journal)
        )
        assert not running.errors, running.errors
        yield Shop(running, upstream, journal)
