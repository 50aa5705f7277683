"""The instruments that the paper gateway knows, and how they are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from examples.paper_gateway.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Contract:
    """One listing of a stock; `conid` is the number by which every call names it.

    `primary` marks the listing that a search names first. Contracts that are not `tradable`
    (listings outside the United States) can be looked up and have frozen prices, but the
    account has no permission to trade them.
    """

    conid: int
    symbol: str
    name: str
    exchange: str
    base_price: float
    currency: str = "USD"
    primary: bool = True
    tradable: bool = True
    day_volume: int = 20_000_000
    min_tick: Decimal = Decimal("0.01")

    @property
    def order_exchange(self) -> str:
        """The exchange as order messages write it."""
        return "NASDAQ.NMS" if self.exchange == "NASDAQ" else self.exchange


_LISTED: tuple[Contract, ...] = (
    Contract(265598, "AAPL", "APPLE INC", "NASDAQ", 232.0, day_volume=48_000_000),
    Contract(272093, "MSFT", "MICROSOFT CORP", "NASDAQ", 428.0, day_volume=19_000_000),
    Contract(3691937, "AMZN", "AMAZON.COM INC", "NASDAQ", 201.0, day_volume=38_000_000),
    Contract(208813719, "GOOGL", "ALPHABET INC-CL A", "NASDAQ", 176.0, day_volume=24_000_000),
    Contract(208813720, "GOOG", "ALPHABET INC-CL C", "NASDAQ", 177.5, day_volume=17_000_000),
    Contract(107113386, "META", "META PLATFORMS INC-CLASS A", "NASDAQ", 575.0),
    Contract(4815747, "NVDA", "NVIDIA CORP", "NASDAQ", 138.0, day_volume=210_000_000),
    Contract(76792991, "TSLA", "TESLA INC", "NASDAQ", 331.0, day_volume=84_000_000),
    Contract(4391, "AMD", "ADVANCED MICRO DEVICES", "NASDAQ", 141.0, day_volume=37_000_000),
    Contract(270639, "INTC", "INTEL CORP", "NASDAQ", 24.5, day_volume=61_000_000),
    Contract(8314, "IBM", "INTL BUSINESS MACHINES CORP", "NYSE", 216.0, day_volume=4_000_000),
    Contract(1520593, "JPM", "JPMORGAN CHASE & CO", "NYSE", 243.0, day_volume=9_000_000),
    Contract(8894, "KO", "COCA-COLA CO/THE", "NYSE", 62.5, day_volume=14_000_000),
    Contract(6459, "DIS", "WALT DISNEY CO/THE", "NYSE", 113.0, day_volume=10_000_000),
    Contract(756733, "SPY", "SS SPDR S&P 500 ETF TRUST-US", "ARCA", 592.0),
    Contract(320227571, "QQQ", "INVESCO QQQ TRUST SERIES 1", "NASDAQ", 505.0),
)


def _abroad(conid: int, home: str, exchange: str, currency: str, rate: float) -> Contract:
    at_home = next(contract for contract in _LISTED if contract.symbol == home)
    return Contract(
        conid,
        home,
        at_home.name,
        exchange,
        round(at_home.base_price * rate, 2),
        currency,
        primary=False,
        tradable=False,
        day_volume=30_000,
    )


_ABROAD: tuple[Contract, ...] = (
    _abroad(38708077, "AAPL", "MEXI", "MXN", 20.2),
    _abroad(273982664, "AAPL", "EBS", "CHF", 0.88),
    _abroad(38708990, "MSFT", "MEXI", "MXN", 20.2),
    _abroad(274105022, "MSFT", "EBS", "CHF", 0.88),
    _abroad(38709113, "AMZN", "MEXI", "MXN", 20.2),
    _abroad(38709473, "IBM", "LSE", "GBP", 0.79),
    _abroad(78046366, "TSLA", "MEXI", "MXN", 20.2),
)


def filler_contract(number: int) -> Contract:
    """A made-up stock; accounts that open with many positions are filled with these."""
    return Contract(
        900_000_000 + number,
        f"PG{number:03d}",
        f"PAPER GATEWAY SAMPLE {number}",
        "NYSE",
        10.0 + number % 90,
        day_volume=1_000_000,
    )


class ContractList:
    """All contracts of one gateway; built once and never changed."""

    def __init__(self, fillers: int = 0) -> None:
        listed = (*_LISTED, *_ABROAD, *map(filler_contract, range(1, fillers + 1)))
        self._by_conid = {contract.conid: contract for contract in listed}

    def find(self, conid: int) -> Contract | None:
        return self._by_conid.get(conid)

    def get(self, conid: int) -> Contract:
        """The contract with this id; raises Refusal when there is none."""
        contract = self.find(conid)
        if contract is None:
            raise Refusal(400, f"No contract found for conid {conid}")
        return contract

    def with_symbol(self, symbol: str) -> list[Contract]:
        """Every listing of a symbol, the primary one first; case does not matter."""
        wanted = symbol.strip().upper()
        return _primary_first(c for c in self._by_conid.values() if c.symbol == wanted)

    def with_name(self, words: str) -> list[Contract]:
        """Every listing of the companies whose name holds `words`; case does not matter."""
        wanted = words.strip().upper()
        return _primary_first(c for c in self._by_conid.values() if wanted and wanted in c.name)


def _primary_first(contracts: Iterable[Contract]) -> list[Contract]:
    return sorted(contracts, key=lambda contract: (contract.symbol, not contract.primary))
