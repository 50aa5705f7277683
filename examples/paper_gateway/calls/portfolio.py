"""The account's money and positions; `/portfolio/accounts` comes before all others."""

from __future__ import annotations

from examples.paper_gateway.call import Call, CallRoute, whole_number
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.portfolio_documents import ledger, position, summary
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import ACCOUNT

PAGE_SIZE = 100


def portfolio_accounts(gateway: PaperGateway, call: Call) -> JsonValue:
    gateway.session.memory.portfolio_listed = True
    return [_account()]


def meta(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    return _account()


def account_summary(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    return summary(gateway.valuation(), gateway.clock())


def account_ledger(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    return ledger(gateway.valuation(), gateway.clock())


def positions(gateway: PaperGateway, call: Call) -> JsonValue:
    """One page of the positions, from page 0; beyond the last page the list is empty."""
    _account_of(gateway, call)
    page = whole_number(call.path["pageId"], "pageId")
    if page < 0:
        raise Refusal(400, "Bad Request: pageId must not be negative")
    held = gateway.portfolio.positions()[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
    return [position(holding, gateway.price(holding.contract)) for holding in held]


def position_in(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    contract = gateway.contracts.get(whole_number(call.path["conid"], "conid"))
    holding = gateway.portfolio.holding(contract)
    return [position(holding, gateway.price(contract))] if holding.quantity else []


def invalidate(gateway: PaperGateway, call: Call) -> JsonValue:
    """Clear the cache of positions, of which this gateway has none."""
    _account_of(gateway, call)
    return {"message": "success"}


def _account_of(gateway: PaperGateway, call: Call) -> None:
    if not gateway.session.memory.portfolio_listed:
        raise Refusal(400, "Please query /portfolio/accounts first")
    gateway.check_account(call.path["accountId"])


def _account() -> JsonObject:
    return {
        "id": ACCOUNT,
        "PrepaidCrypto-Z": False,
        "PrepaidCrypto-P": False,
        "brokerageAccess": True,
        "accountId": ACCOUNT,
        "accountVan": ACCOUNT,
        "accountTitle": "Paper Trader",
        "displayName": "Paper Trader",
        "accountAlias": None,
        "accountStatus": 1_704_067_200_000,
        "currency": "USD",
        "type": "DEMO",
        "tradingType": "STKNOPT",
        "businessType": "INDEPENDENT",
        "ibEntity": "IBLLC-US",
        "faclient": False,
        "clearingStatus": "O",
        "covestor": False,
        "noClientTrading": False,
        "trackVirtualFXPortfolio": False,
        "parent": {
            "mmc": [],
            "accountId": "",
            "isMParent": False,
            "isMChild": False,
            "isMultiplex": False,
        },
        "desc": ACCOUNT,
    }


CALLS = (
    CallRoute(("GET",), "/portfolio/accounts", portfolio_accounts),
    CallRoute(("GET",), "/portfolio/subaccounts", portfolio_accounts),
    CallRoute(("GET",), "/portfolio/{accountId}/meta", meta),
    CallRoute(("GET",), "/portfolio/{accountId}/summary", account_summary),
    CallRoute(("GET",), "/portfolio/{accountId}/ledger", account_ledger),
    CallRoute(("POST",), "/portfolio/{accountId}/positions/invalidate", invalidate),
    CallRoute(("GET",), "/portfolio/{accountId}/positions/{pageId}", positions),
    CallRoute(("GET",), "/portfolio/{accountId}/position/{conid}", position_in),
)
