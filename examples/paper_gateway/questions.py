"""The questions that a placement is answered with until each is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.market import Quote
from examples.paper_gateway.matching import would_trigger
from examples.paper_gateway.orders import OrderRequest, OrderType

PRICE_CONSTRAINT = Decimal("0.03")
SIZE_LIMIT = Decimal(500)
VALUE_LIMIT = Decimal(100_000)

OPEN_SECONDS = 300.0
"""How long a question can be answered."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one or several orders; clients recognise it by its message id."""

    message_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenPlacement:
    """Orders that wait for answers: `questions` are those still open, the first being asked.

    `reply_id` belongs to the question being asked and changes with it, so an answer can be
    given only once. `submit` enters the orders when the last question is confirmed.
    """

    reply_id: str
    questions: tuple[Question, ...]
    submit: Callable[[], JsonValue]
    asked_at: float

    def document(self) -> JsonValue:
        asked = self.questions[0]
        return [
            {
                "id": self.reply_id,
                "message": list(asked.texts),
                "isSuppressed": False,
                "messageIds": [asked.message_id],
            }
        ]


@dataclass(frozen=True, slots=True)
class _Rule:
    """When a question is asked about an order, and in which words."""

    message_id: str
    applies: Callable[[OrderRequest, Quote], bool]
    text: str


def _beyond_constraint(order: OrderRequest, quote: Quote) -> bool:
    limited = order.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    if not limited or order.price is None or order.parent is not None:
        return False
    return abs(order.price - quote.last) > quote.last * PRICE_CONSTRAINT


def _worth(order: OrderRequest, quote: Quote) -> Decimal:
    return order.quantity * (quote.last if order.price is None else order.price)


_RULES: tuple[_Rule, ...] = (
    _Rule(
        "o163",
        _beyond_constraint,
        'The following order "{order}" price exceeds \nthe Percentage constraint of 3%.\n'
        "Are you sure you want to submit this order?",
    ),
    _Rule(
        "o383",
        lambda order, quote: order.quantity > SIZE_LIMIT,
        'The following order "{order}" size exceeds the Size Limit of {size}.\n'
        "Are you sure you want to submit this order?",
    ),
    _Rule(
        "o451",
        lambda order, quote: _worth(order, quote) > VALUE_LIMIT,
        'The following order "{order}" value estimate of {worth} USD exceeds \n'
        "the Total Value Limit of {value} USD.\nAre you sure you want to submit this order?",
    ),
    _Rule(
        "o10151",
        lambda order, quote: order.order_type is OrderType.MARKET,
        'The order "{order}" is a market order: it trades at whatever price the market offers, '
        "which can differ from the last price seen.\nAre you sure you want to submit this order?",
    ),
    _Rule(
        "o10152",
        lambda order, quote: order.order_type in (OrderType.STOP, OrderType.STOP_LIMIT),
        'The order "{order}" is a stop order: once its trigger price is reached it can trade at '
        "a price away from the trigger, or not at all if it has a limit.\n"
        "Are you sure you want to submit this order?",
    ),
    _Rule(
        "o10331",
        lambda order, quote: order.order_type.trails,
        'The order "{order}" is a trailing stop: its trigger follows the market.\n'
        "Are you sure you want to submit this order?",
    ),
    _Rule(
        "o403",
        would_trigger,
        'The following order "{order}" would trigger and fill immediately.\n'
        "Are you sure you want to submit this order?",
    ),
)

MESSAGE_IDS = tuple(rule.message_id for rule in _RULES)


def questions_about(
    orders: Sequence[OrderRequest], quote_of: Callable[[OrderRequest], Quote]
) -> tuple[Question, ...]:
    """What a placement raises, in a fixed order; each question is asked once for all orders."""
    questions = []
    for rule in _RULES:
        texts = [
            rule.text.format(
                order=order.describe(),
                size=SIZE_LIMIT,
                value=f"{VALUE_LIMIT:,}",
                worth=f"{_worth(order, quote):,.2f}",
            )
            for order in orders
            for quote in [quote_of(order)]
            if rule.applies(order, quote)
        ]
        if texts:
            questions.append(Question(rule.message_id, tuple(texts)))
    return tuple(questions)
