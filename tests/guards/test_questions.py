"""A call whose upstream asks first keeps its key: whatever becomes of the question, and whoever
answers it, the same call is never executed a second time."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from naftiko_runtime.guards.idempotency import (
    Claim,
    Known,
    Reply,
    Settled,
    Standing,
    begin,
    begin_answer,
    end_answer,
    settle,
)
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.settings.model import Approval, GuardRule, Idempotency
from tests.guards.shop import BUY, SHOP, Shop, problem, shop
from tests.recording_upstream import RecordedRequest, reply_json
from tests.recording_upstream import Reply as Sent
from tests.served_files import Answered, tool_text

# The search: two callers with one key, and one person who says yes while another says no. The
# upstream knows no keys; it asks upon each order and takes one answer. Answers may get lost.


class Fixed(dict[str, JsonValue]):
    """An answer that can be told apart quickly."""

    def __hash__(self) -> int:  # type: ignore[override]
        return len(self)


@dataclass(frozen=True)
class Actor:
    """A caller (`says` is None), or who answers: at `state`, with what it has `read`; `asked` is
    the question that it answers, `reply` how that went."""

    says: bool | None = None
    state: str = "looks"
    read: Claim | None = None
    asked: str = ""
    reply: Reply | None = None


@dataclass(frozen=True)
class World:
    """`open` are the questions that the upstream holds, `asked` all that there were, `placed` what
    it has executed."""

    claim: Claim | None = None
    actors: tuple[Actor, ...] = (Actor(), Actor(), Actor(says=True), Actor(says=False))
    open: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    placed: tuple[str, ...] = ()
    declined: frozenset[str] = frozenset()

    def at(self, index: int, actor: Actor) -> World:
        return replace(self, actors=(*self.actors[:index], actor, *self.actors[index + 1 :]))

    def change(self, index: int, after: Claim | None, following: Actor, again: Actor) -> World:
        """Compare-and-set: `again` is who has to look once more."""
        read = self.actors[index].read
        if after is read:
            return self.at(index, following)
        if self.claim != read:
            return self.at(index, replace(again, read=None))
        return replace(self, claim=after).at(index, following)


def successors(world: World) -> Iterator[World]:
    for index, actor in enumerate(world.actors):
        steps = ordering if actor.says is None else answering
        yield from steps(world, index, actor)


def ordering(world: World, index: int, actor: Actor) -> Iterator[World]:
    me, end = str(index), Actor(state="end")
    if actor.state == "looks":
        yield world.at(index, replace(actor, state="takes", read=world.claim))
    elif actor.state == "takes":
        after, standing = begin(actor.read, me, "buy")
        if standing is Standing.OURS:
            yield world.change(index, after, Actor(state="sends"), Actor())
        else:
            yield world.at(index, end)
    elif actor.state == "sends":
        asked = replace(world, open=world.open | {me}, asked=world.asked | {me})
        yield asked.at(index, Actor(state="settles", asked=me))
        yield asked.at(index, Actor(state="settles"))  # the question got lost
    elif actor.state == "settles":
        yield world.at(index, replace(actor, state="notes", read=world.claim))
    elif actor.state == "notes":
        how = Settled.ASKED if actor.asked else Settled.UNKNOWN
        after = settle(actor.read, me, how, Fixed(of=index), actor.asked)
        yield world.change(index, after, end, replace(actor, state="settles"))


def answering(world: World, index: int, actor: Actor) -> Iterator[World]:
    me, end = str(index), Actor(says=actor.says, state="end")
    if actor.state == "looks":
        for asked in world.asked:
            yield world.at(index, Actor(actor.says, "takes", world.claim, asked))
    elif actor.state == "takes":
        after = begin_answer(actor.read, me, actor.asked)
        again = replace(actor, read=world.claim)
        if after is not actor.read and world.claim != actor.read:
            yield world.at(index, again)
        else:
            yield world.change(index, after, replace(actor, state="sends", read=None), again)
    elif actor.state == "sends":
        yield from answer(world, index, actor)
    elif actor.state == "settles":
        yield world.at(index, replace(actor, state="notes", read=world.claim))
    elif actor.state == "notes":
        assert actor.reply is not None
        after = end_answer(actor.read, me, actor.reply, Fixed(of=index), f"{actor.asked}+")
        yield world.change(index, after, end, replace(actor, state="settles"))


def answer(world: World, index: int, actor: Actor) -> Iterator[World]:
    """What the upstream may make of an answer; each may also get lost on its way back."""

    def ended(world: World, *replies: Reply) -> Iterator[World]:
        for reply in replies:
            yield world.at(index, replace(actor, state="settles", reply=reply))

    yield from ended(world, Reply.NOT_SENT)
    if actor.asked not in world.open:
        yield from ended(world, Reply.SENT)
        return
    closed = replace(world, open=world.open - {actor.asked})
    if not actor.says:
        said = replace(closed, declined=world.declined | {actor.asked})
        yield from ended(said, Reply.DECLINED, Reply.SENT)
        return
    yield from ended(replace(closed, placed=(*world.placed, actor.asked)), Reply.SENT)
    if not actor.asked.endswith("+"):
        more = f"{actor.asked}+"
        again = replace(closed, open=closed.open | {more}, asked=closed.asked | {more})
        yield from ended(again, Reply.ASKED_AGAIN, Reply.SENT)


def test_no_path_executes_two_calls_with_one_key_whatever_is_answered() -> None:
    seen = {World()}
    rest = deque(seen)
    while rest:
        for following in successors(rest.popleft()):
            if following not in seen:
                seen.add(following)
                rest.append(following)

    assert all(len(world.placed) <= 1 for world in seen)
    assert all(len(world.asked & {"0", "1"}) < 2 or world.declined for world in seen)
    # The search is worth something only if it gets to where things could go wrong.
    assert any(world.placed == ("0",) and world.claim for world in seen)
    assert any(world.declined and world.placed == ("1",) for world in seen)
    assert any("0+" in world.asked for world in seen)
    assert any(world.claim and world.claim.known is Known.ASKED for world in seen)
    assert any(world.claim and world.claim.known is Known.UNKNOWN for world in seen)


# The shop: an upstream that asks upon each order, and knows no keys

ASKING = SHOP.replace(
    "        - name: search\n",
    """\
        - name: reply
          path: /reply/{question}
          operations:
            - name: reply
              method: POST
              body: {type: json, data: {confirmed: "{{confirmed}}"}}
        - name: search
""",
    1,
).replace(
    "        - path: /raw/{path}\n",
    """\
        - path: /accounts/{account}/careful
          operations:
            - method: POST
              name: careful
              steps:
                - {type: call, name: buy, call: shop.buy}
                - type: question
                  name: sure
                  when: "@.buy.question"
                  id: "{{buy.question}}"
                  message: Really?
                  answer:
                    operation: reply
                    accept: {question: "{{buy.question}}", confirmed: true}
                    decline: {question: "{{buy.question}}", confirmed: false}
        - path: /reply
          operations:
            - method: POST
              name: reply
              inputParameters:
                - {name: question, in: body, type: string}
                - {name: confirmed, in: body, type: boolean}
              steps:
                - type: call
                  name: reply
                  call: shop.reply
                - type: question
                  name: sure
                  when: "@.reply.question"
                  id: "{{reply.question}}"
                  message: Really, really?
                  answer:
                    operation: reply
                    accept: {question: "{{reply.question}}", confirmed: true}
                    decline: {question: "{{reply.question}}", confirmed: false}
        - path: /raw/{path}
""",
)

KEYED = GuardRule(match=("shop.buy",), idempotency=Idempotency("$.body.orders[*].id"))


class Asking:
    """The upstream: `orders` are the ids of what it has placed; `asks_again` is how often an answer
    is followed by a further question."""

    def __init__(self, asks_again: int = 0) -> None:
        self.orders: list[str] = []
        self.open: dict[str, str] = {}
        self.asks_again = asks_again
        self.asked = 0
        self.fails = False

    def __call__(self, request: RecordedRequest) -> Sent:
        if "/reply/" not in request.path:
            return self.ask(json.loads(request.body)["orders"][0]["id"])
        order = self.open.pop(request.path.rpartition("/")[2], None)
        if self.fails:
            return Sent(500)
        if order is None:
            return reply_json({"error": "no such question"}, status=400)
        if not json.loads(request.body)["confirmed"]:
            return reply_json({"declined": True})
        if self.asks_again:
            self.asks_again -= 1
            return self.ask(order)
        self.orders.append(order)
        return reply_json({"placed": order})

    def ask(self, order: str) -> Sent:
        self.asked += 1
        self.open[f"q{self.asked}"] = order
        return reply_json({"question": f"q{self.asked}"})


def order(shopping: Shop) -> Answered:
    body = {name: value for name, value in BUY.items() if name != "account"}
    return shopping.files.post("/accounts/A1/careful", body)


def reply(shopping: Shop, question: str, confirmed: bool) -> Answered:
    return shopping.files.post("/reply", {"question": question, "confirmed": confirmed})


def asked(answered: Answered) -> str:
    assert problem(answered) == (409, "question-open")
    found = answered.json()["question"]["id"]
    assert isinstance(found, str)
    return found


@pytest.fixture
def upstream() -> Asking:
    return Asking()


@pytest.fixture
def shopping(upstream: Asking) -> Iterator[Shop]:
    with shop(KEYED, files=(ASKING,)) as running:
        running.upstream.answers(upstream)
        yield running


def test_a_repetition_gets_the_same_question(shopping: Shop, upstream: Asking) -> None:
    assert [asked(order(shopping)) for _ in range(3)] == ["q1"] * 3
    assert upstream.asked == 1


def test_after_a_yes_the_same_order_is_not_placed_again(shopping: Shop, upstream: Asking) -> None:
    assert reply(shopping, asked(order(shopping)), True).status == 200
    again = order(shopping)
    assert problem(again) == (409, "key-conflict")
    assert "question" in again.json()["detail"]
    assert upstream.orders == ["first"]
    assert upstream.asked == 1


def test_after_a_no_the_same_order_may_be_placed(shopping: Shop, upstream: Asking) -> None:
    assert reply(shopping, asked(order(shopping)), False).status == 200
    second = asked(order(shopping))
    assert second == "q2"
    assert reply(shopping, second, True).status == 200
    assert upstream.orders == ["first"]


def test_a_question_that_follows_takes_the_place_of_the_first(
    shopping: Shop, upstream: Asking
) -> None:
    upstream.asks_again = 2
    assert asked(reply(shopping, asked(order(shopping)), True)) == "q2"
    assert asked(order(shopping)) == "q2"
    assert asked(reply(shopping, "q2", True)) == "q3"
    assert reply(shopping, "q3", True).status == 200
    assert problem(order(shopping)) == (409, "key-conflict")
    assert upstream.orders == ["first"]


@pytest.mark.parametrize("confirmed", [True, False])
def test_an_answer_that_got_lost_frees_nothing(
    shopping: Shop, upstream: Asking, confirmed: bool
) -> None:
    question = asked(order(shopping))
    upstream.fails = True
    reply(shopping, question, confirmed)
    assert problem(order(shopping)) == (409, "key-conflict")
    assert upstream.asked == 1


def test_an_answer_that_comes_too_late_frees_nothing(shopping: Shop, upstream: Asking) -> None:
    question = asked(order(shopping))
    upstream.open.clear()
    reply(shopping, question, False)
    assert problem(order(shopping)) == (409, "key-conflict")


def test_an_answer_that_waits_for_a_person_changes_nothing_yet(upstream: Asking) -> None:
    answers = GuardRule(match=("shop.reply",), approve=Approval())
    with shop(KEYED, answers, files=(ASKING,)) as shopping:
        shopping.upstream.answers(upstream)
        question = asked(order(shopping))
        assert problem(reply(shopping, question, True)) == (428, "approval-required")
        assert asked(order(shopping)) == question
        shopping.approve()
        assert reply(shopping, question, True).status == 200
        assert problem(order(shopping)) == (409, "key-conflict")


def test_a_dry_run_of_an_answer_changes_nothing(shopping: Shop) -> None:
    question = asked(order(shopping))
    body = {"question": question, "confirmed": True}
    assert shopping.files.post("/reply", body, {"Naftiko-Dry-Run": "true"}).status == 200
    assert asked(order(shopping)) == question


def test_another_order_with_the_key_is_a_conflict_all_the_same(shopping: Shop) -> None:
    asked(order(shopping))
    other = {"id": "first", "quantity": 6, "side": "BUY"}
    assert problem(shopping.files.post("/accounts/A1/careful", other)) == (409, "key-conflict")


def test_tools_are_told_the_same(upstream: Asking) -> None:
    tools = ASKING.replace(
        "        - {name: cancel, description",
        """\
        - name: careful
          description: Buys carefully.
          inputParameters:
            - {name: account, type: string, description: A., required: true}
            - {name: id, type: string, description: I., required: true}
            - {name: quantity, type: number, description: Q., required: true}
            - {name: side, type: string, description: S., required: true}
          steps:
            - {type: call, name: buy, call: shop.buy}
            - type: question
              name: sure
              when: "@.buy.question"
              id: "{{buy.question}}"
              message: Really?
              answer:
                operation: reply
                accept: {question: "{{buy.question}}", confirmed: true}
                decline: {question: "{{buy.question}}", confirmed: false}
        - {name: reply, description: Answers., call: shop.reply}
        - {name: cancel, description""",
    )
    with shop(KEYED, files=(tools,)) as shopping:
        shopping.upstream.answers(upstream)
        assert shopping.tool("careful", "auto", **BUY).is_error
        answered = shopping.tool("reply", question="q1", confirmed=True)
        assert not answered.is_error
        assert "key" in tool_text(shopping.tool("careful", "auto", **BUY))
        assert upstream.orders == ["first"]
