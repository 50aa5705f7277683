"""The accounts of the session, and which one is selected."""

from __future__ import annotations

from examples.paper_gateway.call import Call, CallRoute
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import ACCOUNT


def accounts(gateway: PaperGateway, call: Call) -> JsonValue:
    """The call that must come before orders and market data."""
    gateway.session.memory.accounts_listed = True
    return {
        "accounts": [ACCOUNT],
        "acctProps": {
            ACCOUNT: {
                "hasChildAccounts": False,
                "supportsCashQty": False,
                "supportsFractions": False,
                "allowCustomerTime": False,
                "liteUnderPro": False,
                "autoFx": True,
            }
        },
        "aliases": {ACCOUNT: ACCOUNT},
        "allowFeatures": {
            "showGFIS": False,
            "showEUCostReport": False,
            "allowFXConv": False,
            "allowFinancialLens": False,
            "allowMTA": False,
            "allowTypeAhead": True,
            "allowEventTrading": False,
            "snapshotRefreshTimeout": 30,
            "liteUser": False,
            "showWebNews": False,
            "research": False,
            "debugPnl": False,
            "showTaxOpt": False,
            "allowedAssetTypes": "STK",
        },
        "chartPeriods": {"STK": ["*"]},
        "groups": [],
        "profiles": [],
        "selectedAccount": ACCOUNT,
        "serverInfo": {
            "serverName": "JifN00000",
            "serverVersion": "Build 10.25.0p paper gateway",
        },
        "sessionId": gateway.session.session_id(),
        "isFT": False,
        "isPaper": True,
    }


def select_account(gateway: PaperGateway, call: Call) -> JsonValue:
    """There is one account, which is selected: another is unknown, and this one an error."""
    wanted = call.field("acctId")
    if wanted == ACCOUNT:
        raise Refusal(500, "Account already set")
    raise Refusal(400, f"Invalid account id {wanted}")


def profit_and_loss(gateway: PaperGateway, call: Call) -> JsonValue:
    value = gateway.valuation()
    return {
        "upnl": {
            f"{ACCOUNT}.Core": {
                "rowType": 1,
                "dpl": value.realized + value.unrealized,
                "nl": value.net_liquidation,
                "upl": value.unrealized,
                "el": value.available,
                "mv": value.stock_value,
            }
        }
    }


CALLS = (
    CallRoute(("GET",), "/iserver/accounts", accounts),
    CallRoute(("POST",), "/iserver/account", select_account),
    CallRoute(("GET",), "/iserver/account/pnl/partitioned", profit_and_loss),
)
