"""The preview of an order: `/orders/whatif`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from examples.paper_gateway.book import commission_on
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.orders import read_placement
from examples.paper_gateway.placing import lack_of_funds, lacks_funds
from examples.paper_gateway.questions import questions_about
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import ACCOUNT


def preview(gateway: PaperGateway, body: JsonValue) -> JsonObject:
    """What the first order of a placement would cost, without entering anything.

    The gateway computes with the market data that the session has subscribed to, so a snapshot
    of the contract must have been asked for. `warn` holds the first question that placing the
    orders would raise, `error` why they would be refused.
    """
    requests = read_placement(body, ACCOUNT, gateway.contracts)
    request = requests[0]
    conid = request.contract.conid
    if conid not in gateway.session.memory.snapshots:
        raise Refusal(400, f"No market data: request a snapshot of conid {conid} first")
    price = gateway.quote(request).last if request.price is None else request.price
    commission = commission_on(request.quantity)
    before = gateway.valuation()
    traded = gateway.portfolio.value_after(request, price, gateway.price)
    after = replace(traded, cash=traded.cash - commission)
    questions = questions_about(requests, gateway.quote)
    amount = (request.quantity * price).quantize(Decimal("0.01"))
    shares = f"{request.quantity.normalize():f}"
    refused = lacks_funds(before, after)
    return {
        "amount": {
            "amount": f"{amount:,} USD ({shares} Shares)",
            "commission": f"{commission.normalize():f} USD",
            "total": f"{amount + commission:,} USD",
        },
        "equity": _change(before.net_liquidation, after.net_liquidation),
        "initial": _change(before.margin, after.margin),
        "maintenance": _change(before.maintenance, after.maintenance),
        "warn": "\n".join(questions[0].texts) if questions else None,
        "error": lack_of_funds(request, before, after) if refused else None,
    }


def _change(before: Decimal, after: Decimal) -> JsonObject:
    return {
        "current": f"{before:,.2f}",
        "change": f"{after - before:,.2f}",
        "after": f"{after:,.2f}",
    }
