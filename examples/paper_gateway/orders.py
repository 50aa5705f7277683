"""Orders: what a client asks for, how it is checked, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from examples.paper_gateway.contracts import Contract, ContractList
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.refusal import Refusal

MOST_SHARES = Decimal(10_000_000)
HIGHEST_PRICE = Decimal(10_000_000)


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    MARKET = "MKT"
    LIMIT = "LMT"
    STOP = "STP"
    STOP_LIMIT = "STOP_LIMIT"
    MIDPRICE = "MIDPRICE"
    TRAIL = "TRAIL"
    TRAIL_LIMIT = "TRAILLMT"

    @property
    def waits_for_trigger(self) -> bool:
        return self in (self.STOP, self.STOP_LIMIT, self.TRAIL, self.TRAIL_LIMIT)

    @property
    def trails(self) -> bool:
        return self in (self.TRAIL, self.TRAIL_LIMIT)


class TimeInForce(StrEnum):
    DAY = "DAY"
    GTC = "GTC"
    OPG = "OPG"
    IOC = "IOC"


class Status(StrEnum):
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    FILLED = "Filled"
    PENDING_CANCEL = "PendingCancel"
    CANCELLED = "Cancelled"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as asked for. `price` is the limit, or the trigger of a plain stop;
    `aux_price` the trigger of a stop limit, or the limit's offset of a trailing one."""

    contract: Contract
    side: Side
    order_type: OrderType
    quantity: Decimal
    time_in_force: TimeInForce
    price: Decimal | None = None
    aux_price: Decimal | None = None
    trailing_amount: Decimal | None = None
    trailing_in_percent: bool = False
    outside_hours: bool = False
    client_id: str | None = None
    parent: str | None = None
    """The `client_id` of the order that must fill before this one becomes active."""

    @property
    def limit(self) -> Decimal | None:
        limited = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.MIDPRICE)
        return self.price if self.order_type in limited else None

    @property
    def trigger(self) -> Decimal | None:
        """The fixed price at which a stop becomes active; trailing ones compute theirs."""
        if self.order_type is OrderType.STOP:
            return self.price
        return self.aux_price if self.order_type is OrderType.STOP_LIMIT else None

    def describe(self) -> str:
        """The order in the gateway's questions: `BUY 100 AAPL NASDAQ.NMS @ 165.0`."""
        at = self.price if self.price is not None else self.aux_price
        words = [self.side.value, f"{self.quantity.normalize():f}", self.contract.symbol]
        words.append(self.contract.order_exchange)
        return " ".join(words) + (f" @ {at:f}" if at is not None else "")


@dataclass(frozen=True, slots=True)
class Order:
    """An order in the book; times are seconds since the epoch."""

    order_id: int
    request: OrderRequest
    status: Status
    quantity: Decimal
    placed_at: float
    changed_at: float
    parent_id: int | None = None
    filled: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    triggered: bool = False
    stop: Decimal | None = None
    """Where a trailing stop stands now; None until it has seen a price."""
    filled_in_tick: int | None = None
    """The tick of the last execution: the displayed size is taken once per tick."""

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def live(self) -> bool:
        """Whether it can still execute or be cancelled."""
        return self.status in (Status.PRE_SUBMITTED, Status.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade of an order; `commission` is in dollars and lowers the cash."""

    execution_id: str
    order: Order
    quantity: Decimal
    price: Decimal
    commission: Decimal
    exchange: str
    at: float


def read_placement(
    body: JsonValue, account: str, contracts: ContractList
) -> tuple[OrderRequest, ...]:
    """The orders of `{"orders": [...]}`; raises Refusal for whatever the gateway would refuse."""
    orders = body.get("orders") if isinstance(body, Mapping) else None
    if not isinstance(orders, list) or not orders:
        raise Refusal(400, 'Bad Request: the body must hold a list "orders" with an order in it')
    return tuple(read_order(order, account, contracts) for order in orders)


def read_order(raw: JsonValue, account: str, contracts: ContractList) -> OrderRequest:
    """One order of a placement, or the body of a modification."""
    if not isinstance(raw, Mapping):
        raise Refusal(400, "Bad Request: an order must be an object")
    if raw.get("acctId", account) != account:
        raise Refusal(400, f"Invalid account id {raw['acctId']}")
    trailing_type = _choice(raw, "trailingType", ("amt", "%"), "amt")
    request = OrderRequest(
        contract=_contract(raw, contracts),
        side=Side(_choice(raw, "side", tuple(Side), None)),
        order_type=OrderType(_choice(raw, "orderType", tuple(OrderType), None)),
        quantity=_number(raw, "quantity", MOST_SHARES) or Decimal(0),
        time_in_force=TimeInForce(_choice(raw, "tif", tuple(TimeInForce), "DAY")),
        price=_number(raw, "price", HIGHEST_PRICE),
        aux_price=_number(raw, "auxPrice", HIGHEST_PRICE),
        trailing_amount=_number(raw, "trailingAmt", HIGHEST_PRICE),
        trailing_in_percent=trailing_type == "%",
        outside_hours=raw.get("outsideRTH") is True,
        client_id=_text(raw, "cOID"),
        parent=_text(raw, "parentId"),
    )
    _check(request)
    return request


def _check(request: OrderRequest) -> None:
    """The rules that tie an order's fields to its type."""
    if request.quantity <= 0:
        raise Refusal(400, "Order quantity must be greater than zero")
    if request.quantity % 1:
        raise Refusal(400, "Fractional quantities are not supported by this account")
    if not request.contract.tradable:
        raise Refusal(200, f"No trading permissions for {request.contract.exchange}.")
    needs_price = request.order_type in (
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.STOP_LIMIT,
    )
    if needs_price and request.price is None:
        raise Refusal(400, f"Order type {request.order_type} requires a price")
    if request.order_type is OrderType.STOP_LIMIT and request.aux_price is None:
        raise Refusal(400, f"Order type {request.order_type} requires auxPrice, the trigger")
    if request.order_type.trails and not request.trailing_amount:
        raise Refusal(400, f"Order type {request.order_type} requires trailingAmt")
    for price in (request.price, request.aux_price):
        if price is not None and price % request.contract.min_tick:
            raise Refusal(
                400, "The price does not conform to the minimum price variation for this contract."
            )


def _contract(raw: JsonObject, contracts: ContractList) -> Contract:
    conid = raw.get("conid", raw.get("conidex"))
    text = str(conid).partition("@")[0] if isinstance(conid, int | str) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refusal(400, "Bad Request: an order must name its contract by conid")
    return contracts.get(int(text))


def _choice(raw: JsonObject, key: str, known: tuple[str, ...], default: str | None) -> str:
    value = raw.get(key, default)
    text = value.upper() if isinstance(value, str) else value
    for choice in known:
        if choice.upper() == text:
            return choice
    raise Refusal(400, f"Bad Request: {key} must be one of {', '.join(known)}")


def _number(raw: JsonObject, key: str, most: Decimal) -> Decimal | None:
    """A number from 0 to `most`; None when it is absent, null, or an empty text."""
    value = raw.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Refusal(400, f"Bad Request: {key} must be a number")
    if not 0 <= value <= most:
        raise Refusal(400, f"Bad Request: {key} is out of range")
    return Decimal(value)


def _text(raw: JsonObject, key: str) -> str | None:
    value = raw.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refusal(400, f"Bad Request: {key} must be a text")
    return value
