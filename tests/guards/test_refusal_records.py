"""The journal says who tried what and was refused, whatever kept it from being sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from naftiko_runtime.guards.refusal_records import AT_ONCE, LARGEST, RefusalRecords
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.settings.model import Approval, GuardRule, Idempotency, Limit, Mode
from tests.guards.journals import MemoryJournal
from tests.guards.shop import problem, shop

READ_ONLY = GuardRule(match=("*",), mode=Mode.READ_ONLY)
LIMITED = GuardRule(match=("shop.*",), limits=(Limit("$.body.orders[*].quantity", most=10),))
APPROVED = GuardRule(match=("shop.*",), approve=Approval())
KEYED = GuardRule(match=("shop.*",), idempotency=Idempotency("$.body.orders[*].id"))


@pytest.mark.parametrize(
    ("rule", "why"),
    [(READ_ONLY, "read-only"), (LIMITED, "beyond-limit"), (APPROVED, "approval-required")],
)
def test_what_a_guard_refuses_is_recorded(rule: GuardRule, why: str) -> None:
    with shop(rule) as shopping:
        shopping.buy(quantity=50)
        (refused,) = shopping.journal.refused_calls
        assert refused["failure"] == why
        assert refused["name"] == "shop-rest.buy"
        assert refused["protocol"] == "rest"
        shown = json.dumps(refused)
        assert '"quantity": 50' in shown
        assert "of-the-shop-alone" not in shown
        assert not shopping.journal.begun


def test_a_key_that_was_used_is_recorded_as_refused_and_a_repetition_is_not() -> None:
    with shop(KEYED) as shopping:
        assert shopping.buy().status == 200
        assert shopping.buy().status == 200
        assert not shopping.journal.refused_calls
        assert problem(shopping.buy(quantity=6)) == (409, "key-conflict")
        assert [each["failure"] for each in shopping.journal.refused_calls] == ["key-conflict"]


def test_what_is_halted_is_recorded(tmp_path: Path) -> None:
    switch = tmp_path / "HALT"
    switch.touch()
    with shop(halt=switch) as shopping:
        shopping.buy()
        shopping.files.post("/raw/accounts/A1/orders", {})
        assert [each["failure"] for each in shopping.journal.refused_calls] == ["halted"] * 2


def test_what_is_not_passed_on_is_recorded() -> None:
    with shop(APPROVED) as shopping:
        shopping.files.post("/raw/accounts/A1/orders", {})
        assert [each["failure"] for each in shopping.journal.refused_calls] == ["read-only"]


def test_a_refusal_that_cannot_be_recorded_is_one_all_the_same() -> None:
    with shop(READ_ONLY) as shopping:
        shopping.journal.broken = True
        assert problem(shopping.buy()) == (403, "read-only")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.anyio
async def test_a_flood_of_refusals_does_not_fill_the_disk() -> None:
    clock, journal = Clock(), MemoryJournal()
    records = RefusalRecords(clock)
    for _ in range(AT_ONCE + 5):
        await records.note(journal, lambda: {"name": "buy"}, "read-only", "no")
    assert len(journal.refused_calls) == AT_ONCE
    clock.now += 60
    await records.note(journal, lambda: {"name": "buy"}, "read-only", "no")
    assert journal.refused_calls[-1]["leftOut"] == 5
    await records.note(journal, lambda: {"name": "buy"}, "read-only", "no")
    assert "leftOut" not in journal.refused_calls[-1]


@pytest.mark.anyio
async def test_of_a_large_request_only_the_size_is_recorded() -> None:
    journal = MemoryJournal()
    body: dict[str, JsonValue] = {"note": "x" * LARGEST}
    request: dict[str, JsonValue] = {
        "method": "POST",
        "url": "http://localhost/",
        "headers": {},
        "body": body,
    }
    entry: dict[str, JsonValue] = {"name": "buy", "arguments": body, "request": request}
    await RefusalRecords().note(journal, lambda: entry, "read-only", "no")
    (refused,) = journal.refused_calls
    assert len(json.dumps(refused)) < LARGEST
    assert "bytes" in str(refused["arguments"])
    assert json.loads(json.dumps(refused))["request"]["method"] == "POST"
