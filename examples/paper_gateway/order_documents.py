"""Orders and trades as the gateway writes them."""

from __future__ import annotations

from decimal import Decimal

from examples.paper_gateway.clock import milliseconds, utc_text
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.orders import Execution, Order, OrderType, Side, Status, TimeInForce
from examples.paper_gateway.session import ACCOUNT

_ORIGINAL_TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP",
    OrderType.STOP_LIMIT: "STOP_LIMIT",
    OrderType.MIDPRICE: "MIDPRICE",
    OrderType.TRAIL: "TRAILING_STOP",
    OrderType.TRAIL_LIMIT: "TRAILING_STOP_LIMIT",
}


def live_order(order: Order) -> JsonObject:
    """The order as a list of live orders has it; numbers that are prices are written as text."""
    request = order.request
    contract = request.contract
    entry: dict[str, JsonValue] = {
        "acct": ACCOUNT,
        "account": ACCOUNT,
        "conid": contract.conid,
        "conidex": str(contract.conid),
        "orderId": order.order_id,
        "cashCcy": contract.currency,
        "sizeAndFills": _size_and_fills(order),
        "orderDesc": describe(order),
        "description1": contract.symbol,
        "ticker": contract.symbol,
        "secType": "STK",
        "listingExchange": contract.order_exchange,
        "remainingQuantity": order.remaining,
        "filledQuantity": order.filled,
        "totalSize": order.quantity,
        "companyName": contract.name,
        "status": order.status.value,
        "order_ccp_status": order.status.value,
        "outsideRTH": request.outside_hours,
        "origOrderType": _ORIGINAL_TYPES[request.order_type],
        "supportsTaxOpt": "1",
        "lastExecutionTime": utc_text(order.changed_at, "%y%m%d%H%M%S"),
        "lastExecutionTime_r": milliseconds(order.changed_at),
        "orderType": type_name(request.order_type),
        "side": request.side.value,
        "timeInForce": time_in_force(request.time_in_force),
        "bgColor": "#FFFFFF",
        "fgColor": "#0000CC",
    }
    if request.limit is not None:
        entry["price"] = _price(request.limit)
    trigger = request.trigger if request.trigger is not None else order.stop
    if trigger is not None:
        entry["auxPrice"] = _price(trigger)
    if request.client_id is not None:
        entry["order_ref"] = request.client_id
    if order.parent_id is not None:
        entry["parentId"] = order.parent_id
    if order.filled:
        entry["avgPrice"] = _price(order.average_price)
    return entry


def order_status(order: Order) -> JsonObject:
    """The document of `/iserver/account/order/status/{orderId}`."""
    request = order.request
    contract = request.contract
    entry: dict[str, JsonValue] = {
        "sub_type": None,
        "request_id": str(order.order_id % 1000),
        "order_id": order.order_id,
        "conidex": str(contract.conid),
        "conid": contract.conid,
        "symbol": contract.symbol,
        "side": request.side.value[0],
        "contract_description_1": contract.symbol,
        "listing_exchange": contract.order_exchange,
        "company_name": contract.name,
        "size": order.remaining,
        "total_size": order.quantity,
        "currency": contract.currency,
        "account": ACCOUNT,
        "order_type": _ORIGINAL_TYPES[request.order_type],
        "cum_fill": order.filled,
        "order_status": order.status.value,
        "order_ccp_status": order.status.value,
        "order_status_description": _status_description(order),
        "tif": request.time_in_force.value,
        "order_not_editable": not order.live,
        "cannot_cancel_order": not order.live,
        "deactivate_order": False,
        "sec_type": "STK",
        "order_description": describe(order),
        "order_description_with_contract": f"{describe(order)}, {contract.symbol}",
        "alert_active": 1,
        "size_and_fills": _size_and_fills(order),
        "order_time": utc_text(order.placed_at, "%y%m%d%H%M%S"),
    }
    if request.limit is not None:
        entry["limit_price"] = _price(request.limit)
    trigger = request.trigger if request.trigger is not None else order.stop
    if trigger is not None:
        entry["stop_price"] = _price(trigger)
    if request.client_id is not None:
        entry["order_ref"] = request.client_id
    if order.filled:
        entry["average_price"] = _price(order.average_price)
    return entry


def trade(execution: Execution) -> JsonObject:
    request = execution.order.request
    contract = request.contract
    buying = request.side is Side.BUY
    verb = "Bot" if buying else "Sold"
    size = f"{execution.quantity.normalize():f}"
    return {
        "execution_id": execution.execution_id,
        "symbol": contract.symbol,
        "supports_tax_opt": "1",
        "side": "B" if buying else "S",
        "order_description": f"{verb} {size} @ {execution.price} on {execution.exchange}",
        "order_ref": request.client_id,
        "order_id": execution.order.order_id,
        "trade_time": utc_text(execution.at, "%Y%m%d-%H:%M:%S"),
        "trade_time_r": milliseconds(execution.at),
        "size": execution.quantity,
        "price": str(execution.price),
        "submitter": "paper1234",
        "exchange": execution.exchange,
        "commission": str(execution.commission),
        "net_amount": execution.quantity * execution.price,
        "account": ACCOUNT,
        "accountCode": ACCOUNT,
        "account_allocation_name": ACCOUNT,
        "company_name": contract.name,
        "contract_description_1": contract.symbol,
        "sec_type": "STK",
        "listing_exchange": contract.order_exchange,
        "conid": contract.conid,
        "conidEx": str(contract.conid),
        "clearing_id": "IB",
        "clearing_name": "IB",
        "liquidation_trade": "0",
    }


def type_name(order_type: OrderType) -> str:
    return {
        OrderType.MARKET: "Market",
        OrderType.LIMIT: "Limit",
        OrderType.STOP: "Stop",
        OrderType.STOP_LIMIT: "Stop Limit",
        OrderType.MIDPRICE: "MidPrice",
        OrderType.TRAIL: "Trailing Stop",
        OrderType.TRAIL_LIMIT: "Trailing Stop Limit",
    }[order_type]


def time_in_force(value: TimeInForce) -> str:
    """As a list of live orders has it, where a day order is one until the close."""
    return "CLOSE" if value is TimeInForce.DAY else value.value


def describe(order: Order) -> str:
    """`Bought 5 Market, Day`; an order that has not filled yet says `Buy`."""
    request = order.request
    done = order.status is Status.FILLED
    verbs = ("Bought", "Buy") if request.side is Side.BUY else ("Sold", "Sell")
    words = [verbs[0] if done else verbs[1], f"{order.quantity.normalize():f}"]
    words.append(type_name(request.order_type))
    if request.price is not None:
        words.append(_price(request.price))
    tif = request.time_in_force
    return f"{' '.join(words)}, {'Day' if tif is TimeInForce.DAY else tif.value}"


def _price(price: Decimal) -> str:
    """A price with two decimals at the least; an average can have four."""
    cents = price.quantize(Decimal("0.01"))
    return str(cents) if cents == price else f"{price.normalize():f}"


def _status_description(order: Order) -> str:
    if order.status is Status.FILLED:
        return "Order Filled"
    if order.status in (Status.CANCELLED, Status.PENDING_CANCEL):
        return "Order Cancelled"
    return "Order Submitted"


def _size_and_fills(order: Order) -> str:
    """`5` for an order that filled as a whole or not at all, else `filled/total`."""
    total = f"{order.quantity.normalize():f}"
    if order.filled in (Decimal(0), order.quantity):
        return total
    return f"{order.filled.normalize():f}/{total}"
