"""Prices: a pure function of seed, contract and time.

The walk is value noise: for each of several periods, random numbers sit at whole multiples of
the period and are joined by smooth curves. Any moment can be asked for without computing the
ones before it, the same moment always gives the same price, and only additions and
multiplications are used, so that all platforms agree to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from examples.paper_gateway.contracts import Contract

TICK_SECONDS = 1.0
"""How long a quote stands."""

DAY = 86_400.0

_OCTAVES: tuple[tuple[float, float], ...] = (
    (5.0, 0.00015),
    (60.0, 0.0006),
    (3600.0, 0.004),
    (DAY, 0.012),
    (30 * DAY, 0.05),
    (365 * DAY, 0.12),
)
"""Period in seconds and the largest swing either way, as a share of the base price."""

_CENT = Decimal("0.01")
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Quote:
    """What the market shows at one tick; sizes are numbers of shares."""

    last: Decimal
    bid: Decimal
    ask: Decimal
    bid_size: int
    ask_size: int
    last_size: int

    @property
    def middle(self) -> Decimal:
        return ((self.bid + self.ask) / 2).quantize(_CENT)


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low and close of one stretch of time that starts at `at`."""

    at: float
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


class Market:
    """The market of one gateway. Its only state is the prices that someone pinned."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._pins: dict[int, list[tuple[float, Decimal | None]]] = {}

    def pin(self, conid: int, price: Decimal | None, at: float) -> None:
        """From `at` on, the contract trades at `price`; None lets it walk again."""
        self._pins.setdefault(conid, []).append((at, price))

    def price(self, contract: Contract, at: float) -> Decimal:
        """The last trade's price at `at`, to the cent, always positive."""
        for since, pinned in reversed(self._pins.get(contract.conid, ())):
            if since <= at:
                if pinned is not None:
                    return pinned
                break
        moment = at - at % TICK_SECONDS
        swing = sum(
            size * self._noise(contract.conid, octave, moment / period)
            for octave, (period, size) in enumerate(_OCTAVES)
        )
        return max(_CENT, Decimal(f"{contract.base_price * (1 + swing):.2f}"))

    def quote(self, contract: Contract, at: float) -> Quote:
        last = self.price(contract, at)
        half_spread = max(_CENT, (last / 20_000).quantize(_CENT))
        tick = int(at // TICK_SECONDS)
        sizes = [
            100 * (1 + self._random(contract.conid, 100 + side, tick) % 9) for side in range(3)
        ]
        return Quote(
            last,
            max(_CENT, last - half_spread),
            last + half_spread,
            sizes[0],
            sizes[1],
            sizes[2],
        )

    def bar(self, contract: Contract, start: float, seconds: float) -> Bar:
        """The bar of `[start, start + seconds)`; its extremes are those of nine samples."""
        prices = [self.price(contract, start + seconds * step / 8) for step in range(9)]
        share = 0.5 + self._random(contract.conid, 200, int(start)) % 1000 / 1000
        volume = max(1, int(contract.day_volume * min(1.0, seconds / DAY) * share))
        return Bar(start, prices[0], max(prices), min(prices), prices[-1], volume)

    def day(self, contract: Contract, at: float) -> Bar:
        """The bar of the day so far; days begin at midnight UTC."""
        start = at - at % DAY
        bar = self.bar(contract, start, max(at - start, TICK_SECONDS))
        now = self.price(contract, at)
        return Bar(start, bar.open, max(bar.high, now), min(bar.low, now), now, bar.volume)

    def _noise(self, conid: int, octave: int, position: float) -> float:
        index = int(position // 1)
        part = position - index
        left = self._random(conid, octave, index) / 2**63 - 1
        right = self._random(conid, octave, index + 1) / 2**63 - 1
        return left + (right - left) * part * part * (3 - 2 * part)

    def _random(self, conid: int, octave: int, index: int) -> int:
        """64 random bits for one lattice point: the finaliser of splitmix64, thrice over."""
        bits = self._seed & _MASK
        for part in (conid, octave, index):
            bits = (bits + part + 0x9E3779B97F4A7C15) & _MASK
            bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
            bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
            bits ^= bits >> 31
        return bits
