"""Each way by which an operation can be reached is judged: references to functions, resources of
MCP, steps that are repeated or kept, and the preview that a guard itself asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from naftiko_runtime.settings.model import Approval, GuardRule, Idempotency, Limit, Mode
from tests.guards.shop import SHOP, Era, Shop, shop

BODY = {"id": "first", "quantity": 5, "side": "BUY"}

MANY = (
    SHOP.replace(
        "  exposes:\n",
        """\
  aggregates:
    - label: Orders
      namespace: orders
      functions:
        - name: buy
          description: Buys.
          inputParameters:
            - {name: account, type: string, description: A.}
            - {name: id, type: string, description: I.}
            - {name: quantity, type: number, description: Q.}
            - {name: side, type: string, description: S.}
          call: shop.buy
          with:
            account: orders.account
            id: orders.id
            quantity: orders.quantity
            side: orders.side
  exposes:
""",
    )
    .replace(
        "        - path: /raw/{path}\n",
        """\
        - path: /accounts/{account}/by-reference
          operations:
            - method: POST
              ref: orders.buy
              inputParameters:
                - {name: account, in: path, type: string}
                - {name: id, in: body, type: string}
                - {name: quantity, in: body, type: number}
                - {name: side, in: body, type: string}
        - path: /accounts/{account}/in-steps
          operations:
            - method: POST
              name: in-steps
              steps:
                - {type: call, name: look, call: shop.list-orders}
                - {type: call, name: buy, call: shop.buy}
        - path: /accounts/{account}/repeated
          operations:
            - method: POST
              name: repeated
              steps:
                - type: call
                  name: buy
                  call: shop.buy
                  repeat: {until: "!@.buy.more", limit: 2}
        - path: /raw/{path}
""",
    )
    .replace(
        "      tools:\n",
        """\
      resources:
        - name: bought
          label: Bought
          uri: "shop://buy/{account}/{id}/{quantity}/{side}"
          description: Buys when it is read.
          mimeType: application/json
          call: shop.buy
      tools:
        - {ref: orders.buy, name: referred, description: Buys.}
""",
    )
)


def by_reference(shopping: Shop) -> None:
    shopping.files.post("/accounts/A1/by-reference", BODY)


def by_referring_tool(shopping: Shop) -> None:
    eras: tuple[Era, ...] = ("auto", "legacy")
    for era in eras:
        shopping.files.tool("referred", {"account": "A1", **BODY}, port=9090, mode=era)


def by_resource(shopping: Shop) -> None:
    uri = "shop://buy/A1/first/5/BUY"
    body = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}}
    headers = {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
    }
    shopping.files.call("POST", "/mcp", json.dumps(body).encode(), headers, port=9090)


def in_steps(shopping: Shop) -> None:
    shopping.files.post("/accounts/A1/in-steps", BODY)


def in_repeated_steps(shopping: Shop) -> None:
    shopping.files.post("/accounts/A1/repeated", BODY)


WAYS: list[Callable[[Shop], None]] = [
    by_reference,
    by_referring_tool,
    by_resource,
    in_steps,
    in_repeated_steps,
]
GUARDS = {
    "read-only": GuardRule(("*",), mode=Mode.READ_ONLY),
    "approval": GuardRule(("*.buy",), approve=Approval()),
    "limit": GuardRule(("*.buy",), limits=(Limit("$.body.orders[*].quantity", most=1),)),
    "key": GuardRule(("*.buy",), idempotency=Idempotency("$.body.no", required=True)),
}


@contextmanager
def guarded(*rules: GuardRule) -> Iterator[Shop]:
    with shop(*rules, files=(MANY,)) as shopping:
        yield shopping


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("way", WAYS)
def test_each_way_in_is_judged(way: Callable[[Shop], None], guard: str) -> None:
    with guarded(GUARDS[guard]) as shopping:
        way(shopping)
        assert shopping.writes == []


@pytest.mark.parametrize("way", WAYS)
def test_without_guards_each_way_leads_to_the_upstream_and_is_recorded(
    way: Callable[[Shop], None],
) -> None:
    with guarded() as shopping:
        way(shopping)
        assert shopping.writes
        assert len(shopping.journal.begun) == len(shopping.writes)
