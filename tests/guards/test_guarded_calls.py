"""What each guard does to calls, over real sockets and both protocols."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.settings.model import (
    Approval,
    GuardRule,
    Idempotency,
    Limit,
    Mode,
)
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.store import StateUnavailable
from tests.guards.shop import BUY, SHOP, Era, Shop, order, problem, shop
from tests.recording_upstream import RecordingUpstream, Reply, reply_json
from tests.served_files import Answered, tool_text, tool_value

READ_ONLY = GuardRule(("*",), mode=Mode.READ_ONLY)
APPROVE = GuardRule(("*",), approve=Approval())
KEYED = GuardRule(("*",), idempotency=Idempotency("$.body.orders[*].id"))
LIMITED = GuardRule(("*.place", "*.buy"), limits=(Limit("$.body.orders[*].quantity", most=100),))
ERAS: list[Era] = ["auto", "legacy"]


def approval_of(answered: Any) -> Any:
    return answered.json()["approval"]


class SlowStore(MemoryStore):
    """State that several event loops share, and that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    async def get(self, key: str) -> bytes | None:
        await asyncio.sleep(0.002)
        with self._lock:
            return self._get(key, await self.now())

    async def replace(
        self, key: str, expected: bytes | None, value: bytes | None, seconds: float
    ) -> bool:
        await asyncio.sleep(0.002)
        with self._lock:
            return await super().replace(key, expected, value, seconds)


class FailingStore(MemoryStore):
    """State that cannot be asked about the halt at these of the times that it is asked."""

    def __init__(self, *failing: int) -> None:
        super().__init__()
        self._failing = failing
        self._asked = 0

    async def get(self, key: str) -> bytes | None:
        if key == "halt":
            self._asked += 1
            if self._asked in self._failing:
                raise StateUnavailable("the state is away")
        return await super().get(key)


# Without guards


def test_without_guards_everything_is_sent() -> None:
    with shop() as shopping:
        assert shopping.place(order()).status == 200
        assert shopping.buy().status == 200
        assert not shopping.tool("buy").is_error
        assert len(shopping.writes) == 3


# Read-only


def test_read_only_mode_lets_reading_through_and_nothing_else() -> None:
    with shop(READ_ONLY) as shopping:
        assert shopping.files.get("/accounts/A1/orders").status == 200
        assert problem(shopping.place(order())) == (403, "read-only")
        assert problem(shopping.files.call("DELETE", "/accounts/A1/orders/7")) == (403, "read-only")
        assert not shopping.writes


@pytest.mark.parametrize("era", ERAS)
def test_read_only_mode_takes_a_tool_at_its_word(era: Era) -> None:
    with shop(READ_ONLY) as shopping:
        assert not shopping.tool("search", era, body={"text": "x"}).is_error
        refused = shopping.tool("buy", era)
        assert refused.is_error
        assert "nothing was sent" in tool_text(refused)
        assert not shopping.writes


# Limits


def test_a_value_beyond_a_limit_is_not_sent() -> None:
    with shop(LIMITED) as shopping:
        assert shopping.place(order(quantity=100)).status == 200
        refused = shopping.place(order(), order(quantity=101))
        assert problem(refused) == (403, "beyond-limit")
        assert "101, more than 100" in refused.json()["detail"]
        assert len(shopping.writes) == 1


def test_limits_read_arguments_and_paths_too() -> None:
    accounts = Limit("$.arguments.account", allow=("A1",))
    methods = Limit("$.method", allow=("GET", "POST"))
    with shop(GuardRule(("shop.*",), limits=(accounts, methods))) as shopping:
        assert shopping.files.get("/accounts/A1/orders").status == 200
        assert problem(shopping.files.get("/accounts/A2/orders")) == (403, "beyond-limit")
        assert shopping.files.call("DELETE", "/accounts/A1/orders/7").status == 403


# Approval


@pytest.mark.parametrize("era", ERAS)
def test_a_call_is_sent_once_after_a_person_approved_it(era: Era) -> None:
    with shop(APPROVE) as shopping:
        parked = shopping.tool("buy", era)
        assert parked.is_error
        assert "a person has to approve" in tool_text(parked)
        assert not shopping.writes

        shopping.approve()
        assert tool_value(shopping.tool("buy", era))["placed"]["orders"]
        assert len(shopping.writes) == 1

        assert shopping.tool("buy", era).is_error
        assert len(shopping.writes) == 1


def test_a_rest_caller_is_told_where_a_person_approves() -> None:
    with shop(APPROVE) as shopping:
        parked = shopping.buy()
        assert problem(parked) == (428, "approval-required")
        told = approval_of(parked)
        assert told["url"] == f"http://127.0.0.1:9099/approvals/{told['id']}"
        assert told["request"]["method"] == "POST"
        assert told["request"]["url"] == f"{shopping.upstream.url}/v1/api/accounts/A1/orders"
        assert told["request"]["headers"]["authorization"] == "***"
        assert told["request"]["body"]["orders"] == [order()]
        assert "of-the-shop-alone" not in parked.body.decode()
        assert approval_of(shopping.buy())["id"] == told["id"]


def test_an_approval_is_for_one_caller_one_request_and_once() -> None:
    with shop(APPROVE) as shopping:
        assert shopping.buy().status == 428
        shopping.approve()
        assert shopping.buy(quantity=6).status == 428
        assert shopping.tool("buy").is_error
        assert shopping.tool("purchase").is_error
        assert not shopping.writes
        assert shopping.buy().status == 200
        assert shopping.buy().status == 428
        assert len(shopping.writes) == 1


def test_an_argument_that_says_confirmed_confirms_nothing() -> None:
    with shop(APPROVE) as shopping:
        row = {**order(), "confirm": True, "approved": True}
        assert shopping.place(row).status == 428
        assert shopping.place(row, naftiko_approve="true").status == 428
        assert not shopping.writes


def test_a_refused_call_is_not_sent() -> None:
    with shop(APPROVE) as shopping:
        assert shopping.buy().status == 428
        shopping.approve(False)
        assert problem(shopping.buy()) == (403, "approval-refused")
        assert not shopping.writes


def test_guards_are_for_the_callers_that_they_name() -> None:
    with shop(GuardRule(("*",), frozenset({"mcp"}), approve=Approval())) as shopping:
        assert shopping.buy().status == 200
        assert shopping.tool("buy").is_error


def test_a_tool_that_only_reads_needs_no_approval() -> None:
    with shop(APPROVE) as shopping:
        assert not shopping.tool("search", body={"text": "x"}).is_error
        assert shopping.files.get("/accounts/A1/orders").status == 200


def test_a_preview_shows_what_the_upstream_would_do() -> None:
    with shop(GuardRule(("*",), approve=Approval(preview="/check"))) as shopping:
        told = approval_of(shopping.buy())
        assert told["preview"] == {"commission": "1.50"}
        (asked,) = shopping.upstream.requests
        assert asked.target == "/v1/api/accounts/A1/orders/check"
        assert asked.json() == {"orders": [order()]}
        shopping.approve()
        assert shopping.buy().status == 200
        assert len(shopping.upstream.requests) == 2


def test_no_preview_is_asked_of_what_is_to_be_removed() -> None:
    """It could only be asked with another method, which may do something else there."""
    with shop(GuardRule(("*",), approve=Approval(preview="/check"))) as shopping:
        parked = shopping.files.call("DELETE", "/accounts/A1/orders/7")
        assert "preview" not in approval_of(parked)
        assert not shopping.upstream.requests


def test_without_a_preview_a_call_can_be_approved_all_the_same() -> None:
    with shop(GuardRule(("*",), approve=Approval(preview="/check"))) as shopping:
        shopping.upstream.answers(reply_json({"error": "no"}, 503))
        told = approval_of(shopping.buy())
        assert told["preview"] == {"status": 503, "answer": {"error": "no"}}
        shopping.approve()
        shopping.upstream.answers(reply_json({"placed": True}))
        assert shopping.buy().status == 200


def test_steps_before_the_guarded_one_are_carried_out_each_time() -> None:
    with shop(APPROVE) as shopping:
        body = {name: value for name, value in BUY.items() if name != "account"}
        parked = shopping.files.post("/accounts/A1/look-and-buy", body)
        assert problem(parked) == (428, "approval-required")
        assert not shopping.writes
        shopping.approve()
        assert shopping.files.post("/accounts/A1/look-and-buy", body).status == 200
        assert len(shopping.writes) == 1


# Repetitions


def test_a_repetition_gets_the_first_answer_and_is_not_sent() -> None:
    with shop(KEYED) as shopping:
        first = shopping.place(order())
        shopping.upstream.answers(reply_json({"placed": "another"}))
        again = shopping.place(order())
        assert (again.status, again.body) == (first.status, first.body)
        assert again.header("content-type") == first.header("content-type")
        assert len(shopping.writes) == 1


def test_a_key_with_other_content_is_a_conflict() -> None:
    with shop(KEYED) as shopping:
        assert shopping.place(order()).status == 200
        assert problem(shopping.place(order(quantity=6))) == (409, "key-conflict")
        assert problem(shopping.place(order("second"), order("first"))) == (409, "key-conflict")
        assert problem(shopping.place(order("third"), order("third"))) == (409, "key-conflict")
        assert shopping.tool("buy").is_error
        assert len(shopping.writes) == 1


def test_what_the_upstream_refused_may_be_sent_again() -> None:
    with shop(KEYED) as shopping:
        shopping.upstream.answers(reply_json({"error": "too much"}, 400))
        assert shopping.place(order()).status == 400
        shopping.upstream.answers(reply_json({"placed": True}))
        assert shopping.place(order()).status == 200


@pytest.mark.parametrize("fault", [reply_json({"error": "?"}, 500), Reply(raw=b"", break_off=True)])
def test_what_may_have_been_executed_is_not_sent_again(fault: Reply) -> None:
    with shop(KEYED) as shopping:
        shopping.upstream.answers(fault)
        assert shopping.place(order()).status >= 500
        shopping.upstream.answers(reply_json({"placed": True}))
        assert problem(shopping.place(order())) == (409, "outcome-unknown")
        assert len(shopping.writes) == 1


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_state_that_goes_before_a_call_is_sent_takes_no_key(failing: int) -> None:
    with shop(KEYED, store=FailingStore(failing)) as shopping:
        assert problem(shopping.place(order())) == (503, "state-unavailable")
        assert not shopping.writes
        assert shopping.place(order()).status == 200
        assert len(shopping.writes) == 1


def test_a_repetition_of_several_steps_gets_the_answer_of_all() -> None:
    with shop(KEYED) as shopping:
        body = {name: value for name, value in BUY.items() if name != "account"}
        first = shopping.files.post("/accounts/A1/look-and-buy", body)
        again = shopping.files.post("/accounts/A1/look-and-buy", body)
        assert first.status == again.status == 200
        assert first.body == again.body
        assert len(shopping.writes) == 1


TWO = SHOP.replace(
    "        - path: /raw/{path}\n",
    """\
        - path: /accounts/{account}/two
          operations:
            - method: POST
              name: two
              steps:
                - {type: call, name: one, call: shop.buy}
                - {type: call, name: two, call: shop.buy, with: {id: "{{other}}"}}
                - type: question
                  name: sure
                  when: "@.two.question"
                  id: q1
                  message: Really?
                  answer: {operation: search, accept: {text: "yes"}, decline: {text: "no"}}
        - path: /raw/{path}
""",
)
"""Two orders in one call, of which the second may be answered with a question."""


def two(shopping: Shop, other: str = "second") -> Answered:
    body = {"id": "first", "other": other, "quantity": 1, "side": "BUY"}
    return shopping.files.post("/accounts/A1/two", body)


def ids_sent(shopping: Shop) -> list[str]:
    return [request.json()["orders"][0]["id"] for request in shopping.writes]


def test_a_question_about_a_second_order_does_not_let_the_first_be_placed_again() -> None:
    with shop(KEYED, files=(TWO,)) as shopping:
        shopping.upstream.answers(
            lambda request: reply_json({"question": b'"second"' in request.body})
        )
        asked = two(shopping)
        assert problem(asked) == (409, "question-open")
        again = two(shopping)
        assert again.json() == asked.json()
        assert ids_sent(shopping) == ["first", "second"]


def test_the_answer_to_some_steps_is_not_given_to_others() -> None:
    with shop(KEYED, files=(TWO,)) as shopping:
        first = two(shopping)
        assert first.status == 200
        assert problem(two(shopping, "third")) == (409, "key-conflict")
        assert two(shopping).body == first.body
        assert ids_sent(shopping) == ["first", "second"]


def test_a_required_key_that_is_missing_keeps_a_call_from_being_sent() -> None:
    rule = GuardRule(("*",), idempotency=Idempotency("$.body.orders[*].id", required=True))
    with shop(rule) as shopping:
        assert problem(shopping.place({"quantity": 1})) == (400, "invalid-input")
        assert problem(shopping.place(order(), {"quantity": 1})) == (400, "invalid-input")
        assert not shopping.writes


# Halt


def test_a_file_stops_every_change_at_once(tmp_path: Path) -> None:
    halt = tmp_path / "HALT"
    with shop(halt=halt) as shopping:
        assert shopping.buy().status == 200
        halt.touch()
        assert problem(shopping.buy()) == (503, "halted")
        assert shopping.tool("buy").is_error
        assert shopping.files.post("/raw/accounts/A1/orders", {}).status == 503
        assert shopping.files.get("/accounts/A1/orders").status == 200
        halt.unlink()
        assert shopping.buy().status == 200
        assert len(shopping.writes) == 2


def test_what_cannot_be_looked_for_stops_every_change(tmp_path: Path) -> None:
    """A link in a circle stands for a folder that may not be looked into."""
    folder = tmp_path / "folder"
    folder.symlink_to(folder)
    with shop(halt=folder / "HALT") as shopping:
        refused = shopping.buy()
        assert problem(refused) == (503, "halted")
        assert "is unknown" in refused.json()["detail"]
        assert not shopping.writes


def test_a_mark_in_the_shared_state_stops_every_change_at_once() -> None:
    with shop() as shopping:
        shopping.files.run(shopping.files.guards.halt.halt("a person"))
        assert problem(shopping.buy()) == (503, "halted")
        shopping.files.run(shopping.files.guards.halt.lift())
        assert shopping.buy().status == 200


def test_what_was_approved_is_not_sent_once_all_is_halted() -> None:
    with shop(APPROVE) as shopping:
        assert shopping.buy().status == 428
        shopping.approve()
        shopping.files.run(shopping.files.guards.halt.halt("a person"))
        assert problem(shopping.buy()) == (503, "halted")
        assert not shopping.writes


# The journal


def test_a_call_is_recorded_before_and_after() -> None:
    with shop(LIMITED) as shopping:
        assert shopping.buy().status == 200
        (begun,) = shopping.journal.begun
        shown = json.dumps(begun)
        assert begun["protocol"] == "rest"
        assert begun["name"] == "shop-rest.buy"
        assert begun["guards"] == {"limits": "kept"}
        assert "of-the-shop-alone" not in shown
        assert '"quantity": 5' in shown
        assert shopping.journal.ended[0]["status"] == 200


def test_what_cannot_be_recorded_is_not_sent() -> None:
    with shop() as shopping:
        shopping.journal.broken = True
        assert problem(shopping.buy()) == (503, "audit-unavailable")
        assert shopping.files.post("/raw/accounts/A1/orders", {}).status == 503
        assert shopping.files.get("/accounts/A1/orders").status == 200
        assert not shopping.writes


def test_what_is_passed_on_is_recorded_too() -> None:
    with shop() as shopping:
        assert shopping.files.post("/raw/accounts/A1/orders", {"quantity": 1}).status == 200
        assert shopping.files.get("/raw/accounts/A1/orders").status == 200
        (begun,) = shopping.journal.begun
        request = begun["request"]
        assert isinstance(request, dict)
        assert request["url"] == f"{shopping.upstream.url}/v1/api/accounts/A1/orders"
        assert request["headers"]["authorization"] == "***"  # type: ignore[index, call-overload]
        assert shopping.journal.ended[0]["status"] == 200


def test_reading_is_not_recorded() -> None:
    with shop() as shopping:
        assert shopping.files.get("/accounts/A1/orders").status == 200
        assert not shopping.tool("search", body={"text": "x"}).is_error
        assert not shopping.journal.begun


# Dry run


def described(shopping: Shop, document: Any) -> None:
    assert document["dryRun"] is True
    assert document["method"] == "POST"
    assert document["url"] == f"{shopping.upstream.url}/v1/api/accounts/A1/orders"
    assert document["headers"]["authorization"] == "***"
    assert document["body"] == {"orders": [order()]}


def test_a_dry_run_shows_the_request_and_sends_nothing() -> None:
    with shop(APPROVE) as shopping:
        body = {name: value for name, value in BUY.items() if name != "account"}
        shown = shopping.files.post("/accounts/A1/buy", body, {"naftiko-dry-run": "true"})
        assert shown.status == 200
        described(shopping, shown.json())
        assert not shopping.upstream.requests
        unclear = shopping.files.post("/accounts/A1/buy", body, {"naftiko-dry-run": "perhaps"})
        assert problem(unclear) == (400, "invalid-input")
        assert not shopping.upstream.requests


def test_what_is_passed_on_has_no_dry_run() -> None:
    with shop() as shopping:
        dry = {"naftiko-dry-run": "true"}
        refused = shopping.files.post("/raw/accounts/A1/orders", {}, dry)
        assert problem(refused) == (400, "invalid-input")
        assert not shopping.upstream.requests


def test_a_dry_run_of_steps_reads_and_changes_nothing() -> None:
    with shop() as shopping:
        body = {name: value for name, value in BUY.items() if name != "account"}
        dry = {"naftiko-dry-run": "true"}
        described(shopping, shopping.files.post("/accounts/A1/look-and-buy", body, dry).json())
        assert [request.method for request in shopping.upstream.requests] == ["GET"]


@pytest.mark.parametrize("era", ERAS)
def test_a_dry_run_of_a_tool_shows_the_request_and_sends_nothing(era: Era) -> None:
    with shop(APPROVE) as shopping:

        def dry_run(wanted: object) -> Any:
            meta = {"naftiko/dry-run": wanted}
            return shopping.files.tool("buy", BUY, port=9090, mode=era, meta=meta)

        described(shopping, tool_value(dry_run(True)))
        with pytest.raises(ExceptionGroup) as raised:
            dry_run("yes")
        assert "true or false" in repr(raised.value)
        assert not shopping.upstream.requests
        assert dry_run(False).is_error  # as it is to be approved


# A reload in between


def changed(text: str) -> str:
    return text.replace("description: A shop.", "description: Another shop.")


def test_an_approval_does_not_survive_another_version_of_the_file() -> None:
    store = MemoryStore()
    with RecordingUpstream() as upstream:
        upstream.answers(reply_json({"placed": True}))
        with shop(APPROVE, store=store, upstream=upstream) as shopping:
            assert shopping.buy().status == 428
            shopping.approve()
        with shop(APPROVE, store=store, upstream=upstream, files=(changed(SHOP),)) as shopping:
            assert shopping.buy().status == 428
            assert not shopping.writes


def test_a_repetition_is_one_whatever_version_of_the_file() -> None:
    store = MemoryStore()
    with RecordingUpstream() as upstream:
        upstream.answers(reply_json({"placed": True}))
        with shop(KEYED, store=store, upstream=upstream) as shopping:
            first = shopping.buy()
            assert first.status == 200
        with shop(KEYED, store=store, upstream=upstream, files=(changed(SHOP),)) as shopping:
            assert shopping.buy().body == first.body
            assert len(shopping.writes) == 1


def test_of_two_processes_that_share_state_one_places_an_order() -> None:
    store = SlowStore()
    with RecordingUpstream() as upstream:
        upstream.answers(reply_json({"placed": True}))
        with (
            shop(KEYED, store=store, upstream=upstream) as one,
            shop(KEYED, store=store, upstream=upstream) as other,
            ThreadPoolExecutor(8) as pool,
        ):
            calls = [pool.submit(each.buy) for each in (one, other) * 4]
            answers = [call.result() for call in calls]
        assert len(upstream.requests) == 1
        assert {answered.status for answered in answers} <= {200, 409}
        assert [answered.body for answered in answers if answered.status == 200]


# What comes after a change that cannot be taken back


def test_a_second_step_is_approved_while_the_call_waits() -> None:
    with shop(APPROVE) as shopping, ThreadPoolExecutor(1) as pool:
        body = {name: value for name, value in BUY.items() if name != "account"}
        path = "/accounts/A1/buy-and-cancel"
        assert shopping.files.post(path, body).status == 428
        shopping.approve()
        call = pool.submit(shopping.files.post, path, body)
        shopping.upstream.wait_for(1)
        shopping.wait_until_parked()
        assert [request.method for request in shopping.writes] == ["POST"]
        shopping.approve()
        assert call.result().status == 200
        assert [request.method for request in shopping.writes] == ["POST", "DELETE"]


def test_a_second_step_that_is_refused_is_told_with_what_was_done_before() -> None:
    with shop(APPROVE) as shopping, ThreadPoolExecutor(1) as pool:
        body = {name: value for name, value in BUY.items() if name != "account"}
        path = "/accounts/A1/buy-and-cancel"
        assert shopping.files.post(path, body).status == 428
        shopping.approve()
        call = pool.submit(shopping.files.post, path, body)
        shopping.wait_until_parked()
        shopping.approve(False)
        answered = call.result()
        assert problem(answered) == (403, "approval-refused")
        assert answered.json()["executed"] is True
        assert '"buy" has been carried out before' in answered.json()["detail"]


def test_a_parked_call_names_the_caller_who_was_let_in() -> None:
    asked = "authentication: {type: basic, username: ada, password: pw-of-ada}"
    text = SHOP.replace("namespace: shop-rest", f"namespace: shop-rest\n      {asked}")
    with shop(APPROVE, files=(text,)) as shopping:
        login = {"authorization": "Basic " + b64encode(b"ada:pw-of-ada").decode()}
        body = {name: value for name, value in BUY.items() if name != "account"}
        assert shopping.files.post("/accounts/A1/buy", body).status == 401
        parked = shopping.files.post("/accounts/A1/buy", body, login)
        assert parked.status == 428
        (call,) = shopping.files.run(shopping.files.guards.approvals.pending())
        assert (call.origin.protocol, call.origin.principal) == ("rest", "basic:ada")
