"""Tries to get around each guard, over real sockets: by other names, spellings, shapes, protocols
and ways in. Whatever the way, nothing that the guard is against reaches the upstream."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from naftiko_runtime.settings.model import (
    Approval,
    GuardRule,
    Idempotency,
    Limit,
    Mode,
)
from tests.guards.shop import BUY, SHOP, TWIN, Era, Shop, order, orders, shop

ANY: Final = ("*.place", "*.buy", "*.cancel")

GUARDS: Final = {
    "read-only": GuardRule(ANY, mode=Mode.READ_ONLY),
    "approval": GuardRule(ANY, approve=Approval()),
    "limit": GuardRule(ANY, limits=(Limit("$.body.orders[*].quantity", most=1),)),
    "optional-limit": GuardRule(
        ANY, limits=(Limit("$.body.orders[*].quantity", most=1, optional=True),)
    ),
    "allow-list": GuardRule(ANY, limits=(Limit("$.body.orders[*].side", allow=("SELL",)),)),
    "key": GuardRule(ANY, idempotency=Idempotency("$.body.orders[*].id", required=True)),
}
"""Guards that each keep an order for 5 from being placed; the key because it has been used."""

ERAS: Final[tuple[Era, ...]] = ("auto", "legacy")

JSON: Final = {"content-type": "application/json"}


def sent(shopping: Shop, body: bytes, **headers: str) -> None:
    named = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    shopping.files.call("POST", "/accounts/A1/orders", body, named)


def other_case(shopping: Shop) -> None:
    for path in ("/ACCOUNTS/A1/ORDERS", "/accounts/A1/Orders", "/Accounts/A1/orders/"):
        shopping.files.post(path, orders(order()))
    for name in ("BUY", "Buy", "shop-tools-buy"):
        call_tool(shopping, name)
    for era in ERAS:
        given = {"ACCOUNT": "A1", "Id": "first", "QUANTITY": 5, "Side": "BUY"}
        shopping.files.tool("buy", given, port=9090, mode=era)


def call_tool(shopping: Shop, name: str) -> None:
    body = {"method": "tools/call", "params": {"name": name, "arguments": BUY}}
    call = json.dumps({"jsonrpc": "2.0", "id": 1, **body}).encode()
    accept = {"accept": "application/json, text/event-stream", **JSON}
    shopping.files.call("POST", "/mcp", call, accept, port=9090)


def encoded_path(shopping: Shop) -> None:
    for path in (
        "/%61ccounts/A1/orders",
        "/accounts/A1/%6Frders",
        "/accounts/A1/orders/",
        "/accounts//A1/orders",
        "/accounts/A1%2Forders",
        "/accounts/./A1/orders",
        "/accounts/A1/orders?x=1",
        "/accounts/A1/orders;a=b",
    ):
        shopping.files.post(path, orders(order()))


def other_protocol(shopping: Shop) -> None:
    for era in ERAS:
        for name in ("buy", "purchase"):
            shopping.tool(name, era)
        shopping.files.tool(
            "place",
            {"account": "A1", "body": orders(order())},
            port=9090,
            mode=era,
        )


def batch(shopping: Shop) -> None:
    call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "buy", "arguments": BUY}}
    body = json.dumps([{**call, "id": number} for number in range(3)]).encode()
    accept = {"accept": "application/json, text/event-stream", **JSON}
    shopping.files.call("POST", "/mcp", body, accept, port=9090)


def in_steps(shopping: Shop) -> None:
    body = {name: value for name, value in BUY.items() if name != "account"}
    for path in ("look-and-buy", "buy-and-cancel"):
        shopping.files.post(f"/accounts/A1/{path}", body)


def other_shapes(shopping: Shop) -> None:
    sent(shopping, json.dumps([order()]).encode())
    sent(shopping, json.dumps(order()).encode())
    sent(shopping, json.dumps({"orders": order()}).encode())
    sent(shopping, json.dumps({"orders": {"first": order()}}).encode())
    sent(shopping, json.dumps({"orders": [[order()]]}).encode())
    sent(shopping, json.dumps({"Orders": [order()]}).encode())
    sent(shopping, json.dumps(orders({"ID": "first", "Quantity": 5, "SIDE": "BUY"})).encode())
    sent(shopping, json.dumps(orders({"id ": "first", "quantity ": 5, "side ": "BUY"})).encode())
    for quantity in ({"value": 5}, [5], True, "five"):
        sent(shopping, json.dumps(orders(order(quantity=quantity, side=[]))).encode())
    sent(shopping, json.dumps(json.dumps(orders(order()))).encode())


def repeated_members(shopping: Shop) -> None:
    for row in (
        '{"id": "new", "id": "first", "quantity": 1, "quantity": 5, "side": "SELL", "side": "BUY"}',
        '{"id": "first", "id": "new", "quantity": 5, "quantity": 1, "side": "BUY", "side": "SELL"}',
        '{"id": "first", "ID": "new", "quantity": 1, "Quantity": 5, "side": "SELL", "Side": "BUY"}',
        '{"id": "first", "\\u0069d": "new", "quantity": 1, "quan\\u0074ity": 5, "side": "BUY"}',
    ):
        sent(shopping, b'{"orders": [' + row.encode() + b"]}")
    sent(shopping, b'{"orders": [], "orders": ' + json.dumps([order()]).encode() + b"}")
    sent(shopping, b'{"orders": [], "ORDERS": ' + json.dumps([order()]).encode() + b"}")


def other_numbers(shopping: Shop) -> None:
    for quantity in (b'"5"', b"5e0", b"0.5E1", b"5.000", b'" 5 "', b'"+5"', b'"5e0"', b"50000e-4"):
        row = b'{"id": "first", "side": "BUY", "quantity": ' + quantity + b"}"
        sent(shopping, b'{"orders": [' + row + b"]}")
    for odd in (b"NaN", b"Infinity", b"0x5", b'"NaN"', b'"Infinity"', b'"0x5"', b'"\xef\xbc\x95"'):
        row = b'{"id": "first", "side": "BUY", "quantity": ' + odd + b"}"
        sent(shopping, b'{"orders": [' + row + b"]}")


def other_encodings(shopping: Shop) -> None:
    body = json.dumps(orders(order())).encode()
    sent(shopping, gzip.compress(body), content_encoding="gzip")
    sent(shopping, body, content_encoding="gzip")
    sent(shopping, json.dumps(orders(order())).encode("utf-16"))
    sent(shopping, b"\xef\xbb\xbf" + body)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/vnd.x+json"):
        sent(shopping, body, content_type=kind)
    sent(shopping, b"orders=1", content_type="application/x-www-form-urlencoded")


def other_methods(shopping: Shop) -> None:
    body = json.dumps(orders(order())).encode()
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for method in ("GET", "HEAD", "OPTIONS"):
            for path in ("/accounts/A1/orders", "/raw/accounts/A1/orders"):
                shopping.files.call(method, path, body, {**JSON, header: "POST"})
    for method in ("PUT", "PATCH", "post", "Post", "QUERY"):
        shopping.files.call(method, "/accounts/A1/orders", body, JSON)


def passed_on(shopping: Shop) -> None:
    body = json.dumps(orders(order())).encode()
    for path in (
        "/raw/accounts/A1/orders",
        "/raw/accounts/A1/orders/",
        "/raw//accounts/A1/orders",
        "/raw/accounts/A1/%6frders",
        "/raw/accounts/A1/orders;x",
        "/raw/ACCOUNTS/A1/orders?a=b",
    ):
        for method in ("POST", "PUT", "DELETE", "post"):
            shopping.files.call(method, path, body, JSON)


def other_operation_of_the_same_place(shopping: Shop) -> None:
    body = json.dumps(orders(order())).encode()
    for path in ("/anything/accounts/A1/orders", "/anything/Accounts/A1/orders"):
        shopping.files.call("POST", path, body, JSON)


def other_file(shopping: Shop) -> None:
    body = json.dumps(orders(order())).encode()
    for account in ("A1", "A1%2F", "."):
        shopping.files.call("POST", f"/look/{account}", body, JSON, port=8081)


WAYS: Final[list[Callable[[Shop], None]]] = [
    other_case,
    encoded_path,
    other_protocol,
    batch,
    in_steps,
    other_shapes,
    repeated_members,
    other_numbers,
    other_encodings,
    other_methods,
    passed_on,
    other_operation_of_the_same_place,
    other_file,
]


@contextmanager
def guarded(guard: str) -> Iterator[Shop]:
    """The shop under a guard. A key has been used by then, for another order."""
    with shop(GUARDS[guard], files=(SHOP, TWIN)) as shopping:
        if guard == "key":
            assert shopping.place(order(quantity=1, side="SELL")).status == 200
            shopping.upstream.requests.clear()
        yield shopping


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("way", WAYS)
def test_no_way_leads_around_a_guard(way: Callable[[Shop], None], guard: str) -> None:
    with guarded(guard) as shopping:
        way(shopping)
        assert [(each.target, each.body) for each in shopping.writes] == []


@pytest.mark.parametrize("way", WAYS)
def test_without_guards_the_ways_lead_somewhere(way: Callable[[Shop], None]) -> None:
    """Ways that the runtime itself closes prove nothing of its guards."""
    with shop(files=(SHOP, TWIN)) as shopping:
        way(shopping)
        closed = way in (batch,)
        assert bool(shopping.writes) is not closed
