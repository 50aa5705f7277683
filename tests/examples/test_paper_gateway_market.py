"""The market, the matching and the accounting of the paper gateway, as properties."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from examples.paper_gateway.clock import AdjustableClock
from examples.paper_gateway.contracts import ContractList
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.market import Market
from examples.paper_gateway.orders import (
    Order,
    OrderRequest,
    OrderType,
    Side,
    Status,
    TimeInForce,
)
from examples.paper_gateway.portfolio import OPENING_CASH, Holding
from tests.examples.paper import AAPL, NOON

CONTRACTS = ContractList()
APPLE = CONTRACTS.get(AAPL)

seeds = st.integers(0, 2**63)
times = st.floats(0, 4e9, allow_nan=False)


@given(seeds, times)
def test_the_same_seed_and_time_give_the_same_quote(seed: int, at: float) -> None:
    assert Market(seed).quote(APPLE, at) == Market(seed).quote(APPLE, at)


def test_the_first_prices_of_seed_one_are_always_these() -> None:
    prices = [str(Market(1).price(APPLE, NOON + tick)) for tick in range(0, 50, 10)]
    assert prices == ["261.32", "261.36", "261.36", "261.37", "261.47"]


def test_other_seeds_give_other_prices() -> None:
    assert len({Market(seed).price(APPLE, NOON) for seed in range(20)}) > 15


@given(seeds, times)
def test_a_quote_is_positive_whole_cents_with_the_last_price_between(seed: int, at: float) -> None:
    quote = Market(seed).quote(APPLE, at)
    assert Decimal(0) < quote.bid < quote.last < quote.ask
    assert all(price % Decimal("0.01") == 0 for price in (quote.bid, quote.last, quote.ask))
    assert {quote.bid_size % 100, quote.ask_size % 100} == {0}


@given(seeds, times)
def test_prices_move_little_from_tick_to_tick(seed: int, at: float) -> None:
    market = Market(seed)
    now, then = market.price(APPLE, at), market.price(APPLE, at + 1)
    assert abs(then - now) < now / 500


@given(seeds, times, st.floats(1, 1e6))
def test_a_bar_s_extremes_enclose_its_open_and_close(seed: int, at: float, length: float) -> None:
    bar = Market(seed).bar(APPLE, at, length)
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high


@given(
    st.lists(
        st.tuples(
            st.integers(-500, 500).filter(bool),
            st.decimals(1, 999, places=2, allow_nan=False),
        ),
        max_size=12,
    ),
    st.decimals(1, 999, places=2, allow_nan=False),
)
def test_realised_and_unrealised_profit_add_up_to_the_money_that_flowed(
    trades: list[tuple[int, Decimal]], price: Decimal
) -> None:
    holding, paid = Holding(APPLE), Decimal(0)
    for quantity, at in trades:
        holding = holding.trade(Decimal(quantity), at)
        paid += quantity * at
    unrealised = holding.quantity * (price - holding.average_price)
    profit = holding.quantity * price - paid
    assert abs(holding.realized + unrealised - profit) < Decimal("0.000001")
    assert holding.quantity == sum(quantity for quantity, _ in trades)


orders = st.builds(
    OrderRequest,
    contract=st.just(APPLE),
    side=st.sampled_from(Side),
    order_type=st.sampled_from(OrderType),
    quantity=st.integers(1, 2000).map(Decimal),
    time_in_force=st.sampled_from([TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC]),
    price=st.integers(21_000, 25_000).map(lambda cents: Decimal(cents) / 100),
    aux_price=st.integers(21_000, 25_000).map(lambda cents: Decimal(cents) / 100),
    trailing_amount=st.integers(1, 500).map(lambda cents: Decimal(cents) / 100),
    trailing_in_percent=st.booleans(),
)


class Trading(RuleBasedStateMachine):
    """Random orders, brackets, cancellations, modifications, prices and pauses."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway = PaperGateway(clock=AdjustableClock(frozen_at=NOON), pacing=0)
        self.book = self.gateway.book
        self.count = 0

    def now(self) -> float:
        return self.gateway.clock()

    @rule(request=orders)
    def place(self, request: OrderRequest) -> None:
        self.gateway.settle()
        self.book.place([request], self.now())

    @rule(entry=orders, exits=st.tuples(orders, orders))
    def place_bracket(self, entry: OrderRequest, exits: tuple[OrderRequest, OrderRequest]) -> None:
        self.count += 1
        name = f"bracket-{self.count}"
        other = Side.SELL if entry.side is Side.BUY else Side.BUY
        children = [
            replace(exit, side=other, quantity=entry.quantity, parent=name) for exit in exits
        ]
        self.gateway.settle()
        self.book.place([replace(entry, client_id=name), *children], self.now())

    @rule(cents=st.integers(21_000, 25_000))
    def pin(self, cents: int) -> None:
        self.gateway.settle()
        self.gateway.market.pin(AAPL, Decimal(cents) / 100, self.now())

    @rule(seconds=st.sampled_from([0.3, 1, 7, 90]))
    def wait(self, seconds: float) -> None:
        self.gateway.clock.advance(seconds)
        self.gateway.settle()

    @precondition(lambda self: any(order.live for order in self.book.orders()))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        live = [order.order_id for order in self.book.orders() if order.live]
        self.book.cancel(data.draw(st.sampled_from(live)), self.now())

    @precondition(lambda self: any(order.live for order in self.book.orders()))
    @rule(data=st.data(), extra=st.integers(1, 300))
    def enlarge(self, data: st.DataObject, extra: int) -> None:
        order = data.draw(st.sampled_from([o for o in self.book.orders() if o.live]))
        assume(order.parent_id is None)
        terms = replace(order.request, quantity=order.quantity + extra)
        self.book.modify(order.order_id, terms, self.now())

    @invariant()
    def every_order_s_fills_are_its_executions(self) -> None:
        for order in self.book.orders():
            traded = sum(
                (e.quantity for e in self.book.executions if e.order.order_id == order.order_id),
                Decimal(0),
            )
            assert traded == order.filled <= order.quantity
            assert (order.status is Status.FILLED) == (order.remaining == 0)

    @invariant()
    def money_and_shares_are_conserved(self) -> None:
        cash, shares = OPENING_CASH, Decimal(0)
        for execution in self.book.executions:
            sign = 1 if execution.order.request.side is Side.BUY else -1
            shares += sign * execution.quantity
            cash -= sign * execution.quantity * execution.price + execution.commission
        assert self.gateway.portfolio.holding(APPLE).quantity == shares
        assert self.gateway.portfolio.cash == cash

    @invariant()
    def no_limit_is_broken(self) -> None:
        for execution in self.book.executions:
            request = execution.order.request
            if request.order_type is OrderType.LIMIT and request.price is not None:
                if request.side is Side.BUY:
                    assert execution.price <= request.price
                else:
                    assert execution.price >= request.price

    @invariant()
    def exits_wait_for_their_entry_and_never_exceed_it(self) -> None:
        for parent in self.book.orders():
            children = [o for o in self.book.orders() if o.parent_id == parent.order_id]
            exited = sum((child.filled for child in children), Decimal(0))
            assert exited <= parent.filled
            if parent.status is not Status.FILLED:
                assert exited == 0

    @invariant()
    def at_most_one_exit_of_a_bracket_is_left_when_one_has_filled(self) -> None:
        by_parent: dict[int, list[Order]] = {}
        for order in self.book.orders():
            if order.parent_id is not None:
                by_parent.setdefault(order.parent_id, []).append(order)
        for children in by_parent.values():
            if any(child.status is Status.FILLED for child in children):
                assert not any(child.live for child in children)


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=40, stateful_step_count=25)


@given(st.lists(orders, min_size=1, max_size=6), seeds)
@settings(max_examples=30)
def test_the_same_orders_at_the_same_times_trade_alike(
    placed: list[OrderRequest], seed: int
) -> None:
    def executions() -> list[tuple[str, Decimal, Decimal, float]]:
        gateway = PaperGateway(seed=seed, clock=AdjustableClock(frozen_at=NOON), pacing=0)
        for request in placed:
            gateway.book.place([request], gateway.clock())
            gateway.clock.advance(30)
            gateway.settle()
        return [(e.execution_id, e.quantity, e.price, e.at) for e in gateway.book.executions]

    assert executions() == executions()
