"""Finding contracts and describing them."""

from __future__ import annotations

from datetime import UTC, datetime

from examples.paper_gateway.call import Call, CallRoute, id_list, whole_number
from examples.paper_gateway.contracts import Contract
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.refusal import Refusal

MOST_CONIDS = 200

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def search(gateway: PaperGateway, call: Call) -> JsonValue:
    """Every listing of a symbol (or company, with `name`); an unknown one is 200 all the same."""
    words = call.field("symbol")
    if not isinstance(words, str) or not words.strip():
        raise Refusal(400, "Bad Request: symbol is missing")
    by_name = call.field("name") in (True, "true")
    find = gateway.contracts.with_name if by_name else gateway.contracts.with_symbol
    found = find(words) if call.field("secType") in (None, "", "STK") else []
    if not found:
        raise Refusal(200, "No symbol found")
    months = _next_months(gateway.clock())
    return [_listing(contract, months) for contract in found]


def stocks(gateway: PaperGateway, call: Call) -> JsonValue:
    """By symbol, the companies and their contracts; unknown symbols have an empty list."""
    symbols = [part.strip().upper() for part in call.required("symbols").split(",")]
    return {symbol: _companies(gateway.contracts.with_symbol(symbol)) for symbol in symbols}


def security_definitions(gateway: PaperGateway, call: Call) -> JsonValue:
    conids = id_list(call.required("conids"), "conids", MOST_CONIDS)
    known = [gateway.contracts.find(conid) for conid in conids]
    return {"secdef": [_definition(contract) for contract in known if contract is not None]}


def contract_info(gateway: PaperGateway, call: Call) -> JsonValue:
    contract = gateway.contracts.get(whole_number(call.path["conid"], "conid"))
    return {
        "cfi_code": "",
        "symbol": contract.symbol,
        "cusip": None,
        "expiry_full": None,
        "con_id": contract.conid,
        "maturity_date": None,
        "industry": "",
        "instrument_type": "STK",
        "trading_class": contract.symbol,
        "valid_exchanges": f"SMART,{contract.exchange}",
        "allow_sell_long": False,
        "is_zero_commission_security": False,
        "local_symbol": contract.symbol,
        "contract_clarification_type": None,
        "classifier": None,
        "currency": contract.currency,
        "text": None,
        "underlying_con_id": 0,
        "r_t_h": True,
        "multiplier": None,
        "underlying_issuer": None,
        "contract_month": None,
        "company_name": contract.name,
        "smart_available": True,
        "exchange": "SMART",
        "category": "",
    }


def contract_details(gateway: PaperGateway, call: Call) -> JsonValue:
    contract = gateway.contracts.get(whole_number(call.required("conid"), "conid"))
    return [
        {
            "conid": contract.conid,
            "symbol": contract.symbol,
            "secType": "STK",
            "exchange": "SMART",
            "listingExchange": contract.exchange,
            "right": "?",
            "strike": 0,
            "currency": contract.currency,
            "validExchanges": f"SMART,{contract.exchange}",
        }
    ]


def strikes(gateway: PaperGateway, call: Call) -> JsonValue:
    """Option strikes: none, since this gateway trades stocks only."""
    gateway.contracts.get(whole_number(call.required("conid"), "conid"))
    return {"call": [], "put": []}


def _listing(contract: Contract, months: str) -> JsonObject:
    """One entry of a search; its `conid` is text, unlike everywhere else."""
    sections: list[JsonValue] = [{"secType": "STK"}]
    if contract.tradable:
        sections.append({"secType": "OPT", "months": months, "exchange": "SMART;AMEX;CBOE;"})
    return {
        "conid": str(contract.conid),
        "companyHeader": f"{contract.name} - {contract.exchange}",
        "companyName": contract.name,
        "symbol": contract.symbol,
        "description": contract.exchange,
        "restricted": None,
        "fop": None,
        "opt": None,
        "war": None,
        "sections": sections,
    }


def _companies(contracts: list[Contract]) -> JsonValue:
    """Contracts grouped by company, each company once."""
    names = dict.fromkeys(contract.name for contract in contracts)
    return [
        {
            "name": name,
            "chineseName": None,
            "assetClass": "STK",
            "contracts": [
                {
                    "conid": contract.conid,
                    "exchange": contract.exchange,
                    "isUS": contract.tradable,
                }
                for contract in contracts
                if contract.name == name
            ],
        }
        for name in names
    ]


def _definition(contract: Contract) -> JsonObject:
    return {
        "conid": contract.conid,
        "currency": contract.currency,
        "name": contract.name,
        "assetClass": "STK",
        "expiry": None,
        "lastTradingDay": None,
        "group": None,
        "putOrCall": None,
        "sector": None,
        "sectorGroup": None,
        "strike": "0",
        "ticker": contract.symbol,
        "undConid": 0,
        "multiplier": 0.0,
        "listingExchange": contract.exchange,
        "isUS": contract.tradable,
        "incrementRules": [{"lowerEdge": 0.0, "increment": contract.min_tick}],
        "type": "COMMON",
        "hasOptions": contract.tradable,
        "fullName": contract.symbol,
        "allExchanges": f"SMART,{contract.exchange}",
    }


def _next_months(at: float) -> str:
    """The option months that follow, as sections list them: `JAN27;FEB27;MAR27`."""
    today = datetime.fromtimestamp(at, UTC)
    months = [(today.year * 12 + today.month - 1 + ahead) for ahead in range(3)]
    return ";".join(f"{_MONTHS[month % 12]}{month // 12 % 100:02d}" for month in months)


CALLS = (
    CallRoute(("GET", "POST"), "/iserver/secdef/search", search),
    CallRoute(("GET",), "/iserver/secdef/info", contract_details),
    CallRoute(("GET",), "/iserver/secdef/strikes", strikes),
    CallRoute(("GET",), "/iserver/contract/{conid}/info", contract_info),
    CallRoute(("GET",), "/trsrv/stocks", stocks),
    CallRoute(("GET",), "/trsrv/secdef", security_definitions),
)
