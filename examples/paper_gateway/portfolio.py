"""Cash and holdings, as executions change them, and what they are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from examples.paper_gateway.contracts import Contract
from examples.paper_gateway.orders import Execution, OrderRequest, Side

OPENING_CASH = Decimal("1000000.00")
MARGIN_RATE = Decimal("0.25")
"""The share of a holding's value that must be covered by the account's equity."""

_CENT = Decimal("0.01")

PriceOf = Callable[[Contract], Decimal]


@dataclass(frozen=True, slots=True)
class Holding:
    """A position: negative when short; `average_price` is what its shares cost, fees aside."""

    contract: Contract
    quantity: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)

    def trade(self, quantity: Decimal, price: Decimal) -> Holding:
        """The holding after buying `quantity` (negative: selling) at `price`.

        Shares that reduce the position realise their gain; those that extend it, or open the
        opposite one, enter the average.
        """
        after = self.quantity + quantity
        if self.quantity * quantity >= 0:
            cost = self.average_price * self.quantity + price * quantity
            return replace(self, quantity=after, average_price=cost / after)
        closed = min(abs(quantity), abs(self.quantity))
        gain = (price - self.average_price) * (closed if self.quantity > 0 else -closed)
        realized = self.realized + gain
        if after == 0:
            return replace(self, quantity=after, average_price=Decimal(0), realized=realized)
        crossed = (after > 0) != (self.quantity > 0)
        average = price if crossed else self.average_price
        return replace(self, quantity=after, average_price=average, realized=realized)


@dataclass(frozen=True, slots=True)
class Valuation:
    """The account at current prices, in dollars."""

    cash: Decimal
    long_value: Decimal
    short_value: Decimal
    unrealized: Decimal
    realized: Decimal

    @property
    def stock_value(self) -> Decimal:
        return self.long_value + self.short_value

    @property
    def gross_value(self) -> Decimal:
        return self.long_value - self.short_value

    @property
    def net_liquidation(self) -> Decimal:
        return self.cash + self.stock_value

    @property
    def margin(self) -> Decimal:
        return (self.gross_value * MARGIN_RATE).quantize(_CENT)

    @property
    def maintenance(self) -> Decimal:
        """What must stay covered once the shares are held."""
        return (self.margin * Decimal("0.8")).quantize(_CENT)

    @property
    def available(self) -> Decimal:
        """What is free to back new positions."""
        return self.net_liquidation - self.margin

    @property
    def buying_power(self) -> Decimal:
        return (max(Decimal(0), self.available) / MARGIN_RATE).quantize(_CENT)


def signed(request: OrderRequest, quantity: Decimal) -> Decimal:
    """The change of the position that an order's `quantity` makes."""
    return quantity if request.side is Side.BUY else -quantity


class Portfolio:
    """The money and the shares of one gateway; it belongs to its `PaperGateway`."""

    def __init__(self, cash: Decimal = OPENING_CASH) -> None:
        self.cash = cash
        self._holdings: dict[int, Holding] = {}

    def open_with(self, contract: Contract, quantity: Decimal, price: Decimal) -> None:
        """Hold shares from the beginning, as if they had been paid for earlier."""
        self._holdings[contract.conid] = Holding(contract, quantity, price)

    def apply(self, execution: Execution) -> None:
        """Enter one trade: the shares, the money and the commission."""
        request = execution.order.request
        change = signed(request, execution.quantity)
        holding = self.holding(request.contract)
        self._holdings[request.contract.conid] = holding.trade(change, execution.price)
        self.cash -= change * execution.price + execution.commission

    def holding(self, contract: Contract) -> Holding:
        return self._holdings.get(contract.conid, Holding(contract))

    def positions(self) -> list[Holding]:
        """The holdings that are not flat, by conid."""
        held = sorted(self._holdings.items())
        return [holding for _, holding in held if holding.quantity]

    def value(self, price_of: PriceOf) -> Valuation:
        long_value = short_value = unrealized = Decimal(0)
        for holding in self.positions():
            price = price_of(holding.contract)
            worth = holding.quantity * price
            unrealized += holding.quantity * (price - holding.average_price)
            if worth >= 0:
                long_value += worth
            else:
                short_value += worth
        realized = sum((h.realized for h in self._holdings.values()), Decimal(0))
        return Valuation(self.cash, long_value, short_value, unrealized, realized)

    def value_after(self, request: OrderRequest, price: Decimal, price_of: PriceOf) -> Valuation:
        """The account as it would be if the whole order traded at `price`, commission aside."""
        trial = Portfolio(self.cash)
        trial._holdings = dict(self._holdings)
        change = signed(request, request.quantity)
        holding = trial.holding(request.contract)
        trial._holdings[request.contract.conid] = holding.trade(change, price)
        trial.cash -= change * price
        return trial.value(price_of)
