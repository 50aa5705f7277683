"""Snapshots, their subscriptions, and history; `/iserver/accounts` comes before all of them."""

from __future__ import annotations

from examples.paper_gateway.call import Call, CallRoute, id_list, whole_number
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.history import history
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.snapshots import DEFAULT_FIELDS, MOST_CONIDS, MOST_FIELDS, snapshot


def snapshots(gateway: PaperGateway, call: Call) -> JsonValue:
    """One entry per contract; the first call for a contract only subscribes to it."""
    _after_accounts(gateway)
    conids = id_list(call.required("conids"), "conids", MOST_CONIDS)
    asked = [field.strip() for field in call.query.get("fields", "").split(",") if field.strip()]
    if len(asked) > MOST_FIELDS:
        raise Refusal(400, f"Bad Request: fields must hold at most {MOST_FIELDS} ids")
    return [_snapshot(gateway, conid, asked or list(DEFAULT_FIELDS)) for conid in conids]


def _snapshot(gateway: PaperGateway, conid: int, fields: list[str]) -> JsonObject:
    contract = gateway.contracts.find(conid)
    if contract is None:
        return {"conid": conid, "conidEx": str(conid)}
    answered = gateway.session.memory.snapshots
    count = answered.get(conid, 0)
    answered[conid] = count + 1
    holding = gateway.portfolio.holding(contract)
    return snapshot(contract, fields, count, gateway.market, holding, gateway.clock())


def unsubscribe(gateway: PaperGateway, call: Call) -> JsonValue:
    _after_accounts(gateway)
    conid = whole_number(call.field("conid"), "conid")
    gateway.session.memory.snapshots.pop(conid, None)
    return {"success": True}


def unsubscribe_all(gateway: PaperGateway, call: Call) -> JsonValue:
    _after_accounts(gateway)
    gateway.session.memory.snapshots.clear()
    return {"unsubscribed": True}


def bars(gateway: PaperGateway, call: Call) -> JsonValue:
    _after_accounts(gateway)
    contract = gateway.contracts.get(whole_number(call.required("conid"), "conid"))
    period, bar = call.required("period"), call.required("bar")
    return history(contract, period, bar, gateway.market, gateway.clock())


def _after_accounts(gateway: PaperGateway) -> None:
    if not gateway.session.memory.accounts_listed:
        raise Refusal(400, "Please query /accounts first")


CALLS = (
    CallRoute(("GET",), "/iserver/marketdata/snapshot", snapshots),
    CallRoute(("GET",), "/iserver/marketdata/history", bars),
    CallRoute(("POST",), "/iserver/marketdata/unsubscribe", unsubscribe),
    CallRoute(("GET",), "/iserver/marketdata/unsubscribeall", unsubscribe_all),
)
