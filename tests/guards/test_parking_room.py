"""Nobody can flood the person who approves, or the memory, with calls that wait."""

from __future__ import annotations

import asyncio

import pytest

from naftiko_runtime.guards.approvals import MOST, MOST_OF_ONE, Approvals, NoRoom
from naftiko_runtime.plan.origin import Origin
from naftiko_runtime.settings.model import Approval, GuardRule
from naftiko_runtime.state.memory import MemoryStore
from tests.guards.shop import problem, shop
from tests.guards.test_approval import parked
from tests.recording_upstream import RecordedRequest, Reply, reply_json

APPROVED = GuardRule(match=("shop.*",), approve=Approval())
PREVIEWED = GuardRule(match=("shop.*",), approve=Approval(preview="/check"))


def test_one_caller_parks_so_many_calls_and_no_more() -> None:
    with shop(PREVIEWED) as shopping:
        for number in range(MOST_OF_ONE):
            assert problem(shopping.buy(id=f"{number}")) == (428, "approval-required")
        before = len(shopping.upstream.requests)
        refused = shopping.buy(id="one-more")
        assert problem(refused) == (429, "too-many-calls")
        assert "approve" in refused.json()["detail"]
        assert refused.header("retry-after") is not None
        assert len(shopping.upstream.requests) == before  # not even for a preview
        assert problem(shopping.buy(id="0")) == (428, "approval-required")  # parked already
        assert shopping.tool("buy", id="0").is_error
        shopping.approve()
        assert shopping.buy(id="0").status == 200
        assert problem(shopping.buy(id="one-more")) == (428, "approval-required")


def test_callers_do_not_take_each_others_room_but_all_together_have_a_limit() -> None:
    async def park() -> None:
        approvals = Approvals(MemoryStore())
        origins = [Origin("mcp", f"caller-{number}") for number in range(MOST // MOST_OF_ONE)]
        for origin in origins:
            for number in range(MOST_OF_ONE):
                name = f"{origin.principal}-{number}"
                call = parked(name, origin=origin, expires=60.0)
                await approvals.ask(name, call)
        with pytest.raises(NoRoom):
            await approvals.ask("late", parked("late", origin=Origin("mcp", "late")))
        assert len(await approvals.pending()) == MOST

    asyncio.run(park())


class SlowStore(MemoryStore):
    """As far away as a server: others go on while it is asked."""

    async def get(self, key: str) -> bytes | None:
        await asyncio.sleep(0)
        return await super().get(key)


def test_calls_that_come_at_the_same_time_do_not_slip_by() -> None:
    async def park() -> None:
        approvals = Approvals(SlowStore())
        asked = [
            approvals.ask(f"{number}", parked(f"{number}", expires=60.0))
            for number in range(10 * MOST_OF_ONE)
        ]
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, NoRoom) for each in ended) >= 9 * MOST_OF_ONE
        assert 0 < len(await approvals.pending()) <= MOST_OF_ONE

    asyncio.run(park())


def test_what_is_too_long_for_anybody_to_look_through_is_not_parked() -> None:
    with shop(APPROVED) as shopping:
        answered = shopping.place({"note": "x" * 1_200_000})
        assert problem(answered) == (403, "approval-refused")
        assert "too large" in answered.json()["detail"]
        assert not shopping.writes


def test_a_preview_that_is_long_is_no_reason_to_refuse() -> None:
    with shop(PREVIEWED) as shopping:

        def answer(request: RecordedRequest) -> Reply:
            return reply_json({"text": "x" * 1_200_000})

        shopping.upstream.answers(answer)
        assert problem(shopping.buy()) == (428, "approval-required")
