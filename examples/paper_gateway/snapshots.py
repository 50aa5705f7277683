"""Market data snapshots: which fields a call answers, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from examples.paper_gateway.clock import milliseconds
from examples.paper_gateway.contracts import Contract
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.market import DAY, Bar, Market, Quote
from examples.paper_gateway.portfolio import Holding

MOST_CONIDS = 100
MOST_FIELDS = 50

DEFAULT_FIELDS = ("31", "84", "86")

_QUICK_FIELDS = frozenset({"31", "84", "85", "86", "88", "55", "7059"})
"""What the first answer with data holds; the rest follows one call later."""


class _View:
    """Everything that a field may be made of, looked up once per contract and call."""

    def __init__(self, contract: Contract, market: Market, holding: Holding, at: float) -> None:
        self.contract = contract
        self.quote: Quote = market.quote(contract, at)
        self.day: Bar = market.day(contract, at)
        self.prior_close = market.price(contract, at - at % DAY - 1)
        self.holding = holding

    @property
    def change(self) -> Decimal:
        return self.quote.last - self.prior_close

    @property
    def last(self) -> str:
        """The last price; `C` marks the previous close, where there is no live data."""
        return f"{self.quote.last}" if self.contract.tradable else f"C{self.prior_close}"

    @property
    def gain(self) -> Decimal:
        return self.holding.quantity * (self.quote.last - self.holding.average_price)


_FIELDS: dict[str, Callable[[_View], str]] = {
    "31": lambda view: view.last,
    "55": lambda view: view.contract.symbol,
    "70": lambda view: str(view.day.high),
    "71": lambda view: str(view.day.low),
    "73": lambda view: f"{view.holding.quantity * view.quote.last:.2f}",
    "75": lambda view: f"{view.gain:.2f}",
    "82": lambda view: f"{view.change:+.2f}",
    "83": lambda view: f"{view.change / view.prior_close * 100:.2f}",
    "84": lambda view: str(view.quote.bid),
    "85": lambda view: str(view.quote.ask_size),
    "86": lambda view: str(view.quote.ask),
    "87": lambda view: _short(view.day.volume),
    "88": lambda view: str(view.quote.bid_size),
    "6509": lambda view: "RpB" if view.contract.tradable else "ZB",
    "7051": lambda view: view.contract.name,
    "7059": lambda view: str(view.quote.last_size),
    "7221": lambda view: view.contract.exchange,
    "7295": lambda view: str(view.day.open),
    "7296": lambda view: str(view.prior_close),
    "7741": lambda view: str(view.prior_close),
    "7762": lambda view: str(view.day.volume),
}
"""Field ids as clients ask for them; an id that is not listed here is left out of the answer."""


def snapshot(
    contract: Contract,
    fields: Sequence[str],
    answered: int,
    market: Market,
    holding: Holding,
    at: float,
) -> JsonObject:
    """The answer for one contract.

    `answered` counts the snapshots since the contract was subscribed: the first only
    subscribes, the second has the quick fields, and from the third on all that were asked for.
    """
    entry: dict[str, JsonValue] = {
        "conid": contract.conid,
        "conidEx": str(contract.conid),
        "_updated": milliseconds(at),
        "server_id": "q0",
        "6119": "q0",
    }
    if answered == 0:
        return entry
    view = _View(contract, market, holding, at)
    entry["6509"] = _FIELDS["6509"](view)
    for field in fields:
        if field in _FIELDS and (answered > 1 or field in _QUICK_FIELDS):
            entry[field] = _FIELDS[field](view)
    return entry


def _short(volume: int) -> str:
    """A volume as the gateway abbreviates it: `1.2M`, `85.3K`, `912`."""
    for size, letter in ((1_000_000, "M"), (1_000, "K")):
        if volume >= size:
            return f"{volume / size:.1f}{letter}"
    return str(volume)
