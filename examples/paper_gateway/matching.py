"""How one order meets one quote; pure, and the same for every order type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from examples.paper_gateway.market import Quote
from examples.paper_gateway.orders import Order, OrderRequest, OrderType, Side, Status

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Fill:
    quantity: Decimal
    price: Decimal


def meet(order: Order, quote: Quote) -> tuple[Order, Fill | None]:
    """The order after it saw the quote, and what of it trades there.

    At most the displayed size of the other side trades. The returned order carries a moved or
    triggered stop, not the fill: recording that is the book's work.
    """
    if order.request.order_type.waits_for_trigger and not order.triggered:
        order = _watch_stop(order, quote)
        if not order.triggered:
            return order, None
    price = _trade_price(order, quote)
    if price is None:
        return order, None
    shown = quote.ask_size if order.request.side is Side.BUY else quote.bid_size
    return order, Fill(min(order.remaining, Decimal(shown)), price)


def would_trigger(request: OrderRequest, quote: Quote) -> bool:
    """Whether a stop with a fixed trigger is already beyond it."""
    trigger = request.trigger
    return trigger is not None and _reached(request.side, quote.last, trigger)


def _watch_stop(order: Order, quote: Quote) -> Order:
    request = order.request
    stop = _trailed(order, quote) if request.order_type.trails else request.trigger
    if stop is None:
        return order
    triggered = _reached(request.side, quote.last, stop)
    status = Status.SUBMITTED if triggered else order.status
    return replace(order, stop=stop, triggered=triggered, status=status)


def _trailed(order: Order, quote: Quote) -> Decimal:
    """The trailing stop: it follows the price and never moves away from it."""
    request = order.request
    distance = request.trailing_amount or Decimal(0)
    if request.trailing_in_percent:
        distance = (quote.last * distance / 100).quantize(_CENT)
    if request.side is Side.SELL:
        stop = quote.last - distance
        return stop if order.stop is None else max(stop, order.stop)
    stop = quote.last + distance
    return stop if order.stop is None else min(stop, order.stop)


def _reached(side: Side, last: Decimal, stop: Decimal) -> bool:
    return last >= stop if side is Side.BUY else last <= stop


def _trade_price(order: Order, quote: Quote) -> Decimal | None:
    """Where the order trades against this quote; None when its limit forbids it."""
    request = order.request
    buying = request.side is Side.BUY
    limit = request.limit
    if request.order_type is OrderType.TRAIL_LIMIT and order.stop is not None:
        offset = request.aux_price or Decimal(0)
        limit = order.stop + offset if buying else order.stop - offset
    if request.order_type is OrderType.MIDPRICE:
        price = quote.middle
    else:
        price = quote.ask if buying else quote.bid
    if limit is not None and (price > limit if buying else price < limit):
        return None
    return price
