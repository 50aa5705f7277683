"""The order book of one account: orders, their fills, and the ties between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from examples.paper_gateway.market import TICK_SECONDS, Quote
from examples.paper_gateway.matching import Fill, meet
from examples.paper_gateway.orders import Execution, Order, OrderRequest, Status, TimeInForce
from examples.paper_gateway.refusal import Refusal

CLIENT_ID_WINDOW = 86_400.0
"""For how many seconds a client's order id cannot be used again."""

CANCEL_SECONDS = 0.5
"""How long an order stays `PendingCancel`."""

_MOST_STEPS = 600
"""A longer absence is looked through in this many steps, not tick by tick."""

_VENUES = ("ISLAND", "ARCA", "NYSE", "BATS", "IEX")

QuoteAt = Callable[[OrderRequest, float], Quote]


def commission_on(quantity: Decimal) -> Decimal:
    """Half a cent for each share, and a dollar at the least."""
    return max(Decimal(1), (quantity * Decimal("0.005")).quantize(Decimal("0.01")))


class OrderBook:
    """All orders of one gateway; it belongs to the `PaperGateway` that created it.

    Nothing trades by itself: `settle` brings the book up to a moment, and whoever reads or
    changes the book settles it first. An order therefore meets the market for the first time
    in the settlement after the one in which it was placed.
    """

    def __init__(
        self,
        quote_at: QuoteAt,
        first_order_id: int,
        now: float,
        client_id_window: float = CLIENT_ID_WINDOW,
    ) -> None:
        self._client_id_window = client_id_window
        self._quote_at = quote_at
        self._next_id = first_order_id
        self._settled_at = now
        self._client_ids: dict[str, float] = {}
        self._orders: dict[int, Order] = {}
        self.executions: list[Execution] = []

    def orders(self) -> list[Order]:
        """All orders, the oldest first."""
        return list(self._orders.values())

    def find(self, order_id: int) -> Order:
        """The order with this id; raises Refusal when there is none."""
        order = self._orders.get(order_id)
        if order is None:
            raise Refusal(400, f"OrderID {order_id} doesn't exist")
        return order

    def check_references(self, requests: Sequence[OrderRequest], now: float) -> None:
        """Raise Refusal for a client id in use or a parent that is not there."""
        fresh: set[str] = set()
        for request in requests:
            used_at = self._client_ids.get(request.client_id or "")
            if request.client_id in fresh or (
                used_at is not None and now - used_at < self._client_id_window
            ):
                raise Refusal(400, f"Local order ID={request.client_id} is already registered.")
            if request.parent is not None and request.parent not in fresh:
                self._parent_order(request.parent)
            if request.client_id is not None:
                fresh.add(request.client_id)

    def place(self, requests: Sequence[OrderRequest], now: float) -> list[Order]:
        """Enter the orders, all or none; raises Refusal as `check_references` does."""
        self.check_references(requests, now)
        return [self._enter(request, now) for request in requests]

    def _enter(self, request: OrderRequest, now: float) -> Order:
        parent = None if request.parent is None else self._parent_order(request.parent)
        waits = request.order_type.waits_for_trigger or (
            parent is not None and parent.status is not Status.FILLED
        )
        order = Order(
            order_id=self._next_id,
            request=request,
            status=Status.PRE_SUBMITTED if waits else Status.SUBMITTED,
            quantity=request.quantity,
            placed_at=now,
            changed_at=now,
            parent_id=None if parent is None else parent.order_id,
        )
        self._next_id += 1
        self._orders[order.order_id] = order
        if request.client_id is not None:
            self._client_ids[request.client_id] = now
        return order

    def _parent_order(self, client_id: str) -> Order:
        for order in reversed(self._orders.values()):
            if order.request.client_id == client_id:
                if order.live or order.status is Status.FILLED:
                    return order
                break
        raise Refusal(400, f"Parent order {client_id} does not exist or is no longer active")

    def check_modification(self, order_id: int, request: OrderRequest) -> Order:
        """The order as it would be with the new terms; raises Refusal if it cannot have them."""
        order = self.find(order_id)
        if not order.live:
            raise Refusal(400, f"OrderID {order_id} is {order.status} and cannot be modified")
        before = order.request
        for name, old, new in (
            ("conid", before.contract.conid, request.contract.conid),
            ("side", before.side, request.side),
            ("orderType", before.order_type, request.order_type),
        ):
            if old != new:
                raise Refusal(400, f"{name} of an order cannot be modified")
        if request.quantity <= order.filled:
            raise Refusal(400, f"quantity must exceed the {order.filled} already filled")
        terms = replace(request, client_id=before.client_id, parent=before.parent)
        return replace(order, request=terms, quantity=request.quantity)

    def modify(self, order_id: int, request: OrderRequest, now: float) -> Order:
        modified = replace(self.check_modification(order_id, request), changed_at=now)
        self._orders[order_id] = modified
        return modified

    def cancel(self, order_id: int, now: float) -> Order:
        """Ask for the cancellation of an order and of the children that wait for it."""
        order = self.find(order_id)
        if not order.live:
            raise Refusal(400, f"OrderID {order_id} doesn't exist")
        for child in self._children(order_id):
            self._set_status(child, Status.PENDING_CANCEL, now)
        return self._set_status(order, Status.PENDING_CANCEL, now)

    def cancel_all(self, now: float) -> None:
        for order in self.orders():
            if order.live:
                self._set_status(order, Status.PENDING_CANCEL, now)

    def settle(self, now: float) -> list[Execution]:
        """Let every live order meet the quotes since the last settlement; the new executions."""
        first_new = len(self.executions)
        for order in self.orders():
            if order.status is Status.PENDING_CANCEL and now - order.changed_at >= CANCEL_SECONDS:
                self._set_status(order, Status.CANCELLED, order.changed_at + CANCEL_SECONDS)
        for at in self._moments(now):
            for order_id in [order.order_id for order in self._orders.values() if order.live]:
                self._face_market(self._orders[order_id], at)
        self._settled_at = now
        return self.executions[first_new:]

    def _moments(self, now: float) -> Iterator[float]:
        """The starts of the ticks since the last settlement, and then `now`."""
        if not any(order.live for order in self._orders.values()):
            return
        first = int(self._settled_at // TICK_SECONDS) + 1
        last = int(now // TICK_SECONDS)
        stride = max(1, (last - first) // _MOST_STEPS)
        for tick in range(first, last, stride):
            yield tick * TICK_SECONDS
        yield now

    def _face_market(self, order: Order, at: float) -> None:
        """One order, one moment; an order that another one's fill has ended is passed over."""
        if not order.live or not self._active(order):
            return
        tick = int(at // TICK_SECONDS)
        if order.filled_in_tick == tick:
            return
        order, fill = meet(order, self._quote_at(order.request, at))
        self._orders[order.order_id] = order
        if fill is not None:
            order = self._fill(order, fill, tick, at)
        if order.live and order.request.time_in_force is TimeInForce.IOC:
            self._set_status(order, Status.CANCELLED, at)

    def _active(self, order: Order) -> bool:
        return order.parent_id is None or (self._orders[order.parent_id].status is Status.FILLED)

    def _fill(self, order: Order, fill: Fill, tick: int, at: float) -> Order:
        filled = order.filled + fill.quantity
        paid = order.average_price * order.filled + fill.price * fill.quantity
        order = replace(
            order,
            filled=filled,
            average_price=(paid / filled).quantize(Decimal("0.0001")),
            status=Status.FILLED if filled == order.quantity else Status.SUBMITTED,
            changed_at=at,
            filled_in_tick=tick,
        )
        self._orders[order.order_id] = order
        number = len(self.executions) + 1
        self.executions.append(
            Execution(
                execution_id=f"0000e0d5.{number:08x}.01.01",
                order=order,
                quantity=fill.quantity,
                price=fill.price,
                commission=commission_on(fill.quantity),
                exchange=_VENUES[(order.order_id + number) % len(_VENUES)],
                at=at,
            )
        )
        self._after_fill(order, fill.quantity, at)
        return order

    def _after_fill(self, order: Order, quantity: Decimal, at: float) -> None:
        """Activate the children of a filled parent; shrink or cancel a filled child's siblings."""
        if order.status is Status.FILLED:
            for child in self._children(order.order_id):
                if not child.request.order_type.waits_for_trigger:
                    self._set_status(child, Status.SUBMITTED, at)
        if order.parent_id is None:
            return
        for sibling in self._children(order.parent_id):
            if sibling.order_id == order.order_id:
                continue
            if sibling.remaining <= quantity or order.status is Status.FILLED:
                self._set_status(sibling, Status.CANCELLED, at)
            else:
                shrunk = replace(sibling, quantity=sibling.quantity - quantity, changed_at=at)
                self._orders[sibling.order_id] = shrunk

    def _children(self, order_id: int) -> list[Order]:
        """The live orders that were tied to this one."""
        return [o for o in self._orders.values() if o.parent_id == order_id and o.live]

    def _set_status(self, order: Order, status: Status, at: float) -> Order:
        changed = replace(order, status=status, changed_at=at)
        self._orders[order.order_id] = changed
        return changed
