"""The whole state of one paper gateway."""

from __future__ import annotations

import random
from decimal import Decimal

from examples.paper_gateway.book import CLIENT_ID_WINDOW, OrderBook
from examples.paper_gateway.clock import AdjustableClock
from examples.paper_gateway.contracts import Contract, ContractList, filler_contract
from examples.paper_gateway.faults import FaultBoard
from examples.paper_gateway.market import Market, Quote
from examples.paper_gateway.orders import OrderRequest
from examples.paper_gateway.pacing import Pacing
from examples.paper_gateway.portfolio import Portfolio, Valuation
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import ACCOUNT, Session


class PaperGateway:
    """One simulated gateway with one paper account; everything it knows hangs here.

    With the same `seed`, the same clock readings and the same calls it gives the same answers.
    `pacing` scales the pacing limits (0: none), `fillers` is how many made-up stocks the
    account holds from the start, and `logged_in` whether a person is logged in already. Within
    `client_id_window` seconds a client's order id is refused; with 0 it can be used again at once.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: AdjustableClock | None = None,
        pacing: float = 1.0,
        logged_in: bool = True,
        fillers: int = 0,
        client_id_window: float = CLIENT_ID_WINDOW,
    ) -> None:
        self.clock = clock or AdjustableClock()
        self.contracts = ContractList(fillers)
        self.market = Market(seed)
        self.portfolio = Portfolio()
        self.faults = FaultBoard()
        self.pacing = Pacing(self.clock, pacing)
        self.tokens = random.Random(seed)
        """Where ids that nobody should guess come from: sessions and questions."""
        self.session = Session(self.clock, self.tokens)
        first_order_id = 1_000_000_000 + self.tokens.randrange(10**8)
        self.book = OrderBook(self._quote_for, first_order_id, self.clock(), client_id_window)
        for number in range(1, fillers + 1):
            stock = filler_contract(number)
            price = Decimal(f"{stock.base_price:.2f}")
            self.portfolio.open_with(stock, Decimal(number), price)
        if logged_in:
            self.session.log_in()

    def settle(self) -> None:
        """Bring orders, cash and holdings up to now; every call begins with this."""
        for execution in self.book.settle(self.clock()):
            self.portfolio.apply(execution)

    def price(self, contract: Contract) -> Decimal:
        return self.market.price(contract, self.clock())

    def quote(self, request: OrderRequest) -> Quote:
        return self._quote_for(request, self.clock())

    def valuation(self) -> Valuation:
        return self.portfolio.value(self.price)

    def check_account(self, account: str) -> None:
        """Raise Refusal unless this is the session's account."""
        if account != ACCOUNT:
            raise Refusal(400, f"Invalid account id {account}")

    def _quote_for(self, request: OrderRequest, at: float) -> Quote:
        return self.market.quote(request.contract, at)
