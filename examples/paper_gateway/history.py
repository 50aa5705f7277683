"""Historical bars: reading the period and bar size, and the gateway's document."""

from __future__ import annotations

import re
from decimal import Decimal

from examples.paper_gateway.clock import milliseconds, utc_text
from examples.paper_gateway.contracts import Contract
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.market import DAY, TICK_SECONDS, Bar, Market
from examples.paper_gateway.refusal import Refusal

MOST_POINTS = 1000

_HOUR = 3600.0
_PERIOD_UNITS = {
    "min": (60.0, 30),
    "h": (_HOUR, 8),
    "d": (DAY, 1000),
    "w": (7 * DAY, 792),
    "m": (30 * DAY, 182),
    "y": (365 * DAY, 15),
}
"""By unit of a period: its seconds, and how many of it may be asked for."""

_BAR_UNITS = {
    "min": (60.0, 30),
    "h": (_HOUR, 8),
    "d": (DAY, 1),
    "w": (7 * DAY, 1),
    "m": (30 * DAY, 1),
}


def history(contract: Contract, period: str, bar: str, market: Market, at: float) -> JsonObject:
    """The last `period` before `at` in bars of size `bar`; raises Refusal for other spellings.

    The market of the paper gateway never closes, so bars follow one another without gaps. A
    period that would need more than 1000 bars is cut to the latest 1000.
    """
    length = _seconds(period, "period", _PERIOD_UNITS)
    step = _seconds(bar, "bar", _BAR_UNITS)
    if step > length:
        raise Refusal(400, f"Bad Request: bar {bar} is longer than period {period}")
    points = min(MOST_POINTS, int(length // step))
    current = at - at % step
    bars = [market.bar(contract, current - step * back, step) for back in range(points - 1, 0, -1)]
    bars.append(market.bar(contract, current, max(at - current, TICK_SECONDS)))
    return _document(contract, bars, period, step)


def _seconds(text: str, name: str, units: dict[str, tuple[float, int]]) -> float:
    match = re.fullmatch(r"([0-9]{1,4})([a-z]{1,3})", text)
    if match is not None and match[2] in units:
        seconds, most = units[match[2]]
        if 1 <= int(match[1]) <= most:
            return seconds * int(match[1])
    raise Refusal(400, f"Bad Request: {name} is not valid: {text}")


def _document(contract: Contract, bars: list[Bar], period: str, step: float) -> JsonObject:
    highest = max(bars, key=lambda bar: bar.high)
    lowest = min(bars, key=lambda bar: bar.low)
    data: list[JsonValue] = [
        {
            "o": bar.open,
            "c": bar.close,
            "h": bar.high,
            "l": bar.low,
            "v": bar.volume,
            "t": milliseconds(bar.at),
        }
        for bar in bars
    ]
    return {
        "serverId": "20477",
        "symbol": contract.symbol,
        "text": contract.name,
        "priceFactor": 100,
        "startTime": utc_text(bars[0].at, "%Y%m%d-%H:%M:%S"),
        "high": _extreme(highest, highest.high, bars[0].at),
        "low": _extreme(lowest, lowest.low, bars[0].at),
        "timePeriod": period,
        "barLength": int(step),
        "mdAvailability": "S",
        "mktDataDelay": 0,
        "outsideRth": False,
        "volumeFactor": 1,
        "priceDisplayRule": 1,
        "priceDisplayValue": "2",
        "negativeCapable": False,
        "messageVersion": 2,
        "data": data,
        "points": len(bars),
        "travelTime": 1,
    }


def _extreme(bar: Bar, price: Decimal, began: float) -> str:
    """`price*100/volume/minutes since the start`, as the gateway packs it."""
    return f"{price * 100:.0f}/{bar.volume}/{int((bar.at - began) // 60)}"
