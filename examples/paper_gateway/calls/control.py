"""The simulator's own calls, below `/paper`: what a test or a demonstration sets and sees."""

from __future__ import annotations

from decimal import Decimal

from examples.paper_gateway.call import Call, CallRoute, whole_number
from examples.paper_gateway.clock import milliseconds
from examples.paper_gateway.contracts import Contract
from examples.paper_gateway.faults import FaultError, parse_faults
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.order_documents import live_order, trade
from examples.paper_gateway.orders import HIGHEST_PRICE
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import Brokerage


def state(gateway: PaperGateway, call: Call) -> JsonValue:
    """The truth about the gateway, whoever is logged in."""
    return {
        "session": gateway.session.state,
        "time": milliseconds(gateway.clock()),
        "pacing": gateway.pacing.scale,
        "faults": [str(fault) for fault in gateway.faults.faults],
        "questionOpen": gateway.session.memory.placement is not None,
        "cash": gateway.portfolio.cash,
        "orders": [live_order(order) for order in gateway.book.orders()],
        "executions": [trade(execution) for execution in gateway.book.executions],
    }


def set_session(gateway: PaperGateway, call: Call) -> JsonValue:
    """Log in (`open`), log out, or lose the brokerage session (`lapsed`, `taken`)."""
    match call.field("state"):
        case "open":
            gateway.session.log_in()
        case "logged-out":
            gateway.session.log_out()
        case "lapsed":
            gateway.session.lose_brokerage(Brokerage.LAPSED)
        case "taken":
            gateway.session.lose_brokerage(Brokerage.TAKEN)
        case _:
            raise Refusal(400, "state must be open, lapsed, taken or logged-out")
    return {"session": gateway.session.state}


def list_faults(gateway: PaperGateway, call: Call) -> JsonValue:
    return {"faults": [str(fault) for fault in gateway.faults.faults]}


def add_faults(gateway: PaperGateway, call: Call) -> JsonValue:
    """Switch on the faults of `{"faults": "503*2,slow=1@/portfolio/*"}`."""
    text = call.field("faults")
    if not isinstance(text, str):
        raise Refusal(400, 'the body must be {"faults": "NAME,NAME"}')
    try:
        faults = parse_faults(text)
    except FaultError as error:
        raise Refusal(400, str(error)) from None
    for fault in faults:
        gateway.faults.add(fault)
    return list_faults(gateway, call)


def clear_faults(gateway: PaperGateway, call: Call) -> JsonValue:
    gateway.faults.clear()
    return list_faults(gateway, call)


def pin_price(gateway: PaperGateway, call: Call) -> JsonValue:
    """Let a contract trade at a price from now on; a price of null lets it walk again."""
    contract = _contract(gateway, call)
    price = call.field("price")
    if price is not None:
        if isinstance(price, bool) or not isinstance(price, int | Decimal):
            raise Refusal(400, "price must be a number or null")
        if not contract.min_tick <= price <= HIGHEST_PRICE or price % contract.min_tick:
            raise Refusal(400, f"price must be a positive multiple of {contract.min_tick}")
        price = Decimal(price).quantize(contract.min_tick)
    gateway.market.pin(contract.conid, price, gateway.clock())
    return {"conid": contract.conid, "price": gateway.price(contract)}


def advance_clock(gateway: PaperGateway, call: Call) -> JsonValue:
    """Move the gateway's time forward by `{"advance": SECONDS}`."""
    seconds = call.field("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, int | Decimal) or seconds < 0:
        raise Refusal(400, "advance must be a number of seconds, not negative")
    gateway.clock.advance(float(seconds))
    gateway.settle()
    return {"time": milliseconds(gateway.clock())}


def set_pacing(gateway: PaperGateway, call: Call) -> JsonValue:
    """Make the limits `scale` times as generous; 0 switches them off."""
    scale = call.field("scale")
    if isinstance(scale, bool) or not isinstance(scale, int | Decimal) or scale < 0:
        raise Refusal(400, "scale must be a number, not negative")
    gateway.pacing.scale = float(scale)
    return {"scale": scale}


def _contract(gateway: PaperGateway, call: Call) -> Contract:
    symbol = call.field("symbol")
    if isinstance(symbol, str):
        listed = gateway.contracts.with_symbol(symbol)
        if not listed:
            raise Refusal(400, f"there is no symbol {symbol}")
        return listed[0]
    return gateway.contracts.get(whole_number(call.field("conid"), "conid"))


CALLS = (
    CallRoute(("GET",), "/state", state),
    CallRoute(("POST",), "/session", set_session),
    CallRoute(("GET",), "/faults", list_faults),
    CallRoute(("POST",), "/faults", add_faults),
    CallRoute(("DELETE",), "/faults", clear_faults),
    CallRoute(("POST",), "/market", pin_price),
    CallRoute(("POST",), "/clock", advance_clock),
    CallRoute(("POST",), "/pacing", set_pacing),
)
