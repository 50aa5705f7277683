"""Positions, summary and ledger as the gateway writes them."""

from __future__ import annotations

from decimal import Decimal

from examples.paper_gateway.clock import milliseconds
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.portfolio import Holding, Valuation
from examples.paper_gateway.session import ACCOUNT

_CENT = Decimal("0.01")

_SEGMENTS = ("", "-c", "-s")
"""Suffixes of summary keys: the whole account, its commodities and its securities."""


def position(holding: Holding, price: Decimal) -> JsonObject:
    contract = holding.contract
    value = holding.quantity * price
    cost = holding.quantity * holding.average_price
    return {
        "acctId": ACCOUNT,
        "conid": contract.conid,
        "contractDesc": contract.symbol,
        "position": holding.quantity,
        "mktPrice": price,
        "mktValue": value.quantize(_CENT),
        "currency": contract.currency,
        "avgCost": holding.average_price.quantize(Decimal("0.0001")),
        "avgPrice": holding.average_price.quantize(Decimal("0.0001")),
        "realizedPnl": holding.realized.quantize(_CENT),
        "unrealizedPnl": (value - cost).quantize(_CENT),
        "exchs": None,
        "expiry": None,
        "putOrCall": None,
        "multiplier": None,
        "strike": 0.0,
        "exerciseStyle": None,
        "conExchMap": [],
        "assetClass": "STK",
        "undConid": 0,
        "model": "",
        "isUS": True,
        "ticker": contract.symbol,
        "listingExchange": contract.exchange,
        "countryCode": "US",
        "name": contract.name,
        "fullName": contract.symbol,
        "type": "COMMON",
        "hasOptions": True,
        "pageSize": 100,
    }


def summary(value: Valuation, at: float) -> JsonObject:
    """Some 70 amounts, each for the account and its segments, and a few texts."""
    amounts: dict[str, Decimal] = {
        "accruedcash": Decimal(0),
        "accrueddividend": Decimal(0),
        "availablefunds": value.available,
        "billable": Decimal(0),
        "buyingpower": value.buying_power,
        "cushion": _cushion(value),
        "equitywithloanvalue": value.net_liquidation,
        "excessliquidity": value.net_liquidation - value.maintenance,
        "fullavailablefunds": value.available,
        "fullexcessliquidity": value.net_liquidation - value.maintenance,
        "fullinitmarginreq": value.margin,
        "fullmaintmarginreq": value.maintenance,
        "grosspositionvalue": value.gross_value,
        "guarantee": Decimal(0),
        "incentivecoupons": Decimal(0),
        "indianstockhaircut": Decimal(0),
        "initmarginreq": value.margin,
        "leverage": _leverage(value),
        "lookaheadavailablefunds": value.available,
        "lookaheadexcessliquidity": value.net_liquidation - value.maintenance,
        "lookaheadinitmarginreq": value.margin,
        "lookaheadmaintmarginreq": value.maintenance,
        "maintmarginreq": value.maintenance,
        "netliquidation": value.net_liquidation,
        "netliquidationuncertainty": Decimal(0),
        "nlvandmargininreview": Decimal(0),
        "pasharesvalue": Decimal(0),
        "physicalcertificatevalue": Decimal(0),
        "postexpirationexcess": Decimal(0),
        "postexpirationmargin": Decimal(0),
        "previousdayequitywithloanvalue": value.net_liquidation,
        "regtequity": value.net_liquidation,
        "regtmargin": value.margin,
        "sma": value.available,
        "totalcashvalue": value.cash,
        "totaldebitcardpendingcharges": Decimal(0),
    }
    texts = {
        "accountcode": ACCOUNT,
        "accountready": "true",
        "accounttype": "INDIVIDUAL",
        "daytradesremaining": "-1",
        "segmenttitle-s": "US Securities",
        "segmenttitle-c": "US Commodities",
    }
    document: dict[str, JsonValue] = {key: _entry(None, text, at) for key, text in texts.items()}
    for key, amount in amounts.items():
        for segment in _SEGMENTS:
            shown = Decimal(0) if segment == "-c" else amount
            document[key + segment] = _entry(shown.quantize(_CENT), None, at)
    return dict(sorted(document.items()))


def ledger(value: Valuation, at: float) -> JsonObject:
    """The balances by currency; this account has dollars only, which are also its base."""
    return {key: _balances(value, key, at) for key in ("USD", "BASE")}


def _balances(value: Valuation, currency: str, at: float) -> JsonObject:
    nothing = Decimal(0)
    return {
        "commoditymarketvalue": nothing,
        "futuremarketvalue": nothing,
        "settledcash": value.cash,
        "exchangerate": 1,
        "sessionid": 1,
        "cashbalance": value.cash,
        "corporatebondsmarketvalue": nothing,
        "warrantsmarketvalue": nothing,
        "netliquidationvalue": value.net_liquidation.quantize(_CENT),
        "interest": nothing,
        "unrealizedpnl": value.unrealized.quantize(_CENT),
        "stockmarketvalue": value.stock_value.quantize(_CENT),
        "moneyfunds": nothing,
        "currency": currency,
        "realizedpnl": value.realized.quantize(_CENT),
        "funds": nothing,
        "acctcode": ACCOUNT,
        "issueroptionsmarketvalue": nothing,
        "key": "LedgerList",
        "timestamp": int(at),
        "severity": 0,
        "stockoptionmarketvalue": nothing,
        "futuresonlypnl": nothing,
        "tbondsmarketvalue": nothing,
        "futureoptionmarketvalue": nothing,
        "cashbalancefxsegment": nothing,
        "secondkey": currency,
        "tbillsmarketvalue": nothing,
        "endofbundle": 1,
        "dividends": nothing,
        "cryptocurrencyvalue": nothing,
    }


def _entry(amount: Decimal | None, text: str | None, at: float) -> JsonObject:
    return {
        "amount": Decimal(0) if amount is None else amount,
        "currency": None if amount is None else "USD",
        "isNull": False,
        "timestamp": milliseconds(at),
        "value": text,
        "severity": 0,
    }


def _cushion(value: Valuation) -> Decimal:
    if value.net_liquidation <= 0:
        return Decimal(0)
    return (value.net_liquidation - value.maintenance) / value.net_liquidation


def _leverage(value: Valuation) -> Decimal:
    return value.gross_value / value.net_liquidation if value.net_liquidation > 0 else Decimal(0)
