"""Taking orders: the checks, the questions, and the replies."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonObject, JsonValue
from examples.paper_gateway.orders import Order, OrderRequest, read_order, read_placement
from examples.paper_gateway.portfolio import Valuation
from examples.paper_gateway.questions import OPEN_SECONDS, OpenPlacement, Question, questions_about
from examples.paper_gateway.refusal import Refusal
from examples.paper_gateway.session import ACCOUNT


def place(gateway: PaperGateway, body: JsonValue) -> JsonValue:
    """Enter orders, or ask the first question about them.

    Whatever question was open before is dropped, also when this placement is refused.
    """
    gateway.session.memory.placement = None
    requests = read_placement(body, ACCOUNT, gateway.contracts)

    def submit() -> JsonValue:
        _check(gateway, requests)
        return [submission(order) for order in gateway.book.place(requests, gateway.clock())]

    _check(gateway, requests)
    return _ask(gateway, questions_about(requests, gateway.quote), submit)


def modify(gateway: PaperGateway, order_id: int, body: JsonValue) -> JsonValue:
    """Give an order new terms, or ask the first question about them."""
    gateway.session.memory.placement = None
    request = read_order(body, ACCOUNT, gateway.contracts)
    modified = gateway.book.check_modification(order_id, request)
    if modified.parent_id is None:
        check_funds(gateway, replace(modified.request, quantity=modified.remaining))

    def submit() -> JsonValue:
        return [submission(gateway.book.modify(order_id, request, gateway.clock()))]

    return _ask(gateway, questions_about([modified.request], gateway.quote), submit)


def reply(gateway: PaperGateway, reply_id: str, body: JsonValue) -> JsonValue:
    """Answer the open question: the next one, or what became of the orders."""
    memory = gateway.session.memory
    confirmed = body.get("confirmed") if isinstance(body, Mapping) else None
    if not isinstance(confirmed, bool):
        raise Refusal(400, "Bad Request: confirmed must be true or false")
    placement = memory.placement
    if (
        placement is None
        or placement.reply_id != reply_id
        or gateway.clock() - placement.asked_at > OPEN_SECONDS
    ):
        raise Refusal(400, f"Bad Request: no question with id {reply_id} is open")
    memory.placement = None
    if not confirmed:
        return {"error": "Order submission was cancelled."}
    return _ask(gateway, placement.questions[1:], placement.submit)


def check_funds(gateway: PaperGateway, request: OrderRequest) -> None:
    """Raise Refusal if the account could not carry the whole order at the present price."""
    before = gateway.valuation()
    after = gateway.portfolio.value_after(request, gateway.quote(request).last, gateway.price)
    if lacks_funds(before, after):
        raise Refusal(200, lack_of_funds(request, before, after))


def lacks_funds(before: Valuation, after: Valuation) -> bool:
    """Whether the change needs more than there is; one that lowers the margin is always fine."""
    return after.available < 0 and after.margin > before.margin


def lack_of_funds(request: OrderRequest, before: Valuation, after: Valuation) -> str:
    return (
        f"We cannot accept the order {request.describe()}. Your available funds of "
        f"{before.available:,.2f} USD are insufficient: the initial margin would rise from "
        f"{before.margin:,.2f} to {after.margin:,.2f} USD."
    )


def submission(order: Order) -> JsonObject:
    """One entry of the answer to a placement that needed no (further) question."""
    entry: dict[str, JsonValue] = {
        "order_id": str(order.order_id),
        "order_status": order.status.value,
        "encrypt_message": "1",
    }
    if order.request.client_id is not None:
        entry["local_order_id"] = order.request.client_id
    if order.parent_id is not None:
        entry["parent_order_id"] = str(order.parent_id)
    return entry


def _ask(
    gateway: PaperGateway, questions: Sequence[Question], submit: Callable[[], JsonValue]
) -> JsonValue:
    """Ask the first question that is not suppressed, or submit when there is none."""
    memory = gateway.session.memory
    asked = tuple(q for q in questions if q.message_id not in memory.suppressed)
    if not asked:
        return submit()
    reply_id = str(uuid.UUID(int=gateway.tokens.getrandbits(128), version=4))
    memory.placement = OpenPlacement(reply_id, asked, submit, gateway.clock())
    return memory.placement.document()


def _check(gateway: PaperGateway, requests: Sequence[OrderRequest]) -> None:
    """Raise Refusal if these orders could not be entered now."""
    gateway.book.check_references(requests, gateway.clock())
    for request in requests:
        if request.parent is None:
            check_funds(gateway, request)
