"""Placing, answering questions, looking at orders, modifying and cancelling them."""

from __future__ import annotations

from examples.paper_gateway import placing
from examples.paper_gateway.call import Call, CallRoute, whole_number
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.order_documents import live_order, order_status, trade
from examples.paper_gateway.orders import Order
from examples.paper_gateway.preview import preview
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import ACCOUNT

LONGEST_TRADE_DAYS = 7


def place_orders(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    return placing.place(gateway, call.body)


def preview_orders(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    return preview(gateway, call.body)


def reply(gateway: PaperGateway, call: Call) -> JsonValue:
    _after_accounts(gateway)
    return placing.reply(gateway, call.path["replyId"], call.body)


def live_orders(gateway: PaperGateway, call: Call) -> JsonValue:
    """The orders of the day; the session's first call, and `force=true`, only subscribe."""
    _after_accounts(gateway)
    memory = gateway.session.memory
    if call.query.get("force", "").lower() == "true" or not memory.orders_listed:
        memory.orders_listed = True
        return {"orders": [], "snapshot": False}
    account = call.query.get("accountId")
    if account:
        gateway.check_account(account)
    wanted = {_loose(word) for word in call.query.get("filters", "").split(",") if word.strip()}
    wanted.discard("sortbytime")
    orders = [
        order
        for order in gateway.book.orders()
        if not wanted or _loose(order.status.value) in wanted
    ]
    return {"orders": [live_order(order) for order in orders], "snapshot": True}


def status_of_order(gateway: PaperGateway, call: Call) -> JsonValue:
    _after_accounts(gateway)
    return order_status(_order_of(gateway, call))


def modify_order(gateway: PaperGateway, call: Call) -> JsonValue:
    _account_of(gateway, call)
    return placing.modify(gateway, whole_number(call.path["orderId"], "orderId"), call.body)


def cancel_order(gateway: PaperGateway, call: Call) -> JsonValue:
    """Ask for a cancellation; the id -1 stands for every live order."""
    _account_of(gateway, call)
    order_id = whole_number(call.path["orderId"], "orderId")
    if order_id == -1:
        gateway.book.cancel_all(gateway.clock())
        return {"msg": "Request was submitted", "order_id": -1, "conid": -1, "account": ACCOUNT}
    order = gateway.book.cancel(order_id, gateway.clock())
    return {
        "msg": "Request was submitted",
        "order_id": order.order_id,
        "conid": order.request.contract.conid,
        "account": ACCOUNT,
    }


def trades(gateway: PaperGateway, call: Call) -> JsonValue:
    """The executions of the last `days` days, one by default, the latest first."""
    _after_accounts(gateway)
    days = whole_number(call.query.get("days", "1"), "days")
    if not 1 <= days <= LONGEST_TRADE_DAYS:
        raise Refusal(400, f"Bad Request: days must be 1 to {LONGEST_TRADE_DAYS}")
    since = gateway.clock() - days * 86_400
    executions = [e for e in reversed(gateway.book.executions) if e.at >= since]
    return [trade(execution) for execution in executions]


def suppress_questions(gateway: PaperGateway, call: Call) -> JsonValue:
    ids = call.field("messageIds")
    if not isinstance(ids, list) or not ids or not all(isinstance(i, str) for i in ids):
        raise Refusal(400, "Bad Request: messageIds must be a list of message ids")
    gateway.session.memory.suppressed.update(str(message_id) for message_id in ids)
    return {"status": "submitted"}


def ask_all_questions(gateway: PaperGateway, call: Call) -> JsonValue:
    gateway.session.memory.suppressed.clear()
    return {"status": "submitted"}


def _after_accounts(gateway: PaperGateway) -> None:
    if not gateway.session.memory.accounts_listed:
        raise Refusal(400, "Please query /accounts first")


def _account_of(gateway: PaperGateway, call: Call) -> None:
    _after_accounts(gateway)
    gateway.check_account(call.path["accountId"])


def _order_of(gateway: PaperGateway, call: Call) -> Order:
    return gateway.book.find(whole_number(call.path["orderId"], "orderId"))


def _loose(word: str) -> str:
    """A status as filters write it: `pre_submitted` for `PreSubmitted`."""
    return word.strip().replace("_", "").lower()


CALLS = (
    CallRoute(("POST",), "/iserver/account/{accountId}/orders", place_orders),
    CallRoute(("POST",), "/iserver/account/{accountId}/orders/whatif", preview_orders),
    CallRoute(("POST",), "/iserver/reply/{replyId}", reply),
    CallRoute(("GET",), "/iserver/account/orders", live_orders),
    CallRoute(("GET",), "/iserver/account/trades", trades),
    CallRoute(("GET",), "/iserver/account/order/status/{orderId}", status_of_order),
    CallRoute(("POST",), "/iserver/account/{accountId}/order/{orderId}", modify_order),
    CallRoute(("DELETE",), "/iserver/account/{accountId}/order/{orderId}", cancel_order),
    CallRoute(("POST",), "/iserver/questions/suppress", suppress_questions),
    CallRoute(("POST",), "/iserver/questions/suppress/reset", ask_all_questions),
)
