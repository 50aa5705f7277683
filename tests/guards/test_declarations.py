"""What the author of a file declares of operations, against what the operator's guards say."""

from __future__ import annotations

import pytest

from naftiko_runtime.settings.model import (
    Approval,
    GuardRule,
    Idempotency,
    Mode,
    Retries,
    UpstreamRule,
)
from tests.guards.shop import BUY, SHOP, Era, Shop, shop
from tests.recording_upstream import reply_json
from tests.served_files import tool_text

ERAS: list[Era] = ["auto", "legacy"]
READ_ONLY = GuardRule(("*",), mode=Mode.READ_ONLY)

DECLARED = SHOP.replace(
    "        - name: search\n          path: /search\n",
    """\
        - name: forged
          path: /forged
          operations:
            - name: forged
              method: GET
              inputParameters: [{name: X-HTTP-Method-Override, in: header, value: DELETE}]
        - name: search
          path: /search
""",
).replace(
    "        - {name: search, description: Finds.",
    """\
        - {name: quote, description: D., call: shop.buy, hints: {readOnly: true}}
        - {name: drop, description: D., call: shop.cancel, hints: {readOnly: true}}
        - {name: wipe, description: D., call: shop.list-orders, hints: {destructive: true}}
        - {name: touch, description: D., call: shop.list-orders, hints: {readOnly: false}}
        - {name: both, description: D., call: shop.buy, hints: {readOnly: true, destructive: true}}
        - {name: forged, description: D., call: shop.forged}
        - name: look-and-buy
          description: D.
          hints: {destructive: true}
          steps:
            - {type: call, name: look, call: shop.list-orders}
            - {type: call, name: buy, call: shop.buy}
        - {name: search, description: Finds.""",
)


def tool_of(shopping: Shop, name: str, era: Era) -> bool:
    """Whether a tool was let through."""
    given = {"drop": {"account": "A1", "order": "1"}, "forged": {}}.get(name)
    if name in ("wipe", "touch"):
        given = {"account": "A1"}
    result = shopping.files.tool(name, BUY if given is None else given, port=9090, mode=era)
    return not result.is_error


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("name", ["drop", "wipe", "touch", "both", "forged"])
def test_in_read_only_mode_nothing_passes_that_method_or_hints_speak_against(
    name: str, era: Era
) -> None:
    with shop(READ_ONLY, files=(DECLARED,)) as shopping:
        assert not tool_of(shopping, name, era)
        assert not shopping.upstream.requests


def test_without_guards_declarations_keep_nobody_from_anything() -> None:
    with shop(files=(DECLARED,)) as shopping:
        for name in ("quote", "drop", "wipe", "touch", "both", "forged", "look-and-buy"):
            assert tool_of(shopping, name, "auto")


def test_what_a_header_makes_a_change_is_never_sent_twice() -> None:
    again = UpstreamRule("*", retries=Retries(times=3, delay=0.01))
    with shop(upstreams=(again,), files=(DECLARED,)) as shopping:
        shopping.upstream.answers(reply_json({}, 503))
        assert not tool_of(shopping, "forged", "auto")
        assert len(shopping.upstream.requests) == 1
        assert shopping.files.get("/accounts/A1/orders").status == 503
        assert len(shopping.upstream.requests) == 5


@pytest.mark.parametrize(
    "rule",
    [
        GuardRule(("shop.BUY",), mode=Mode.READ_ONLY),
        GuardRule(("*.buy",), approve=Approval()),
        GuardRule(("*.place",), approve=Approval()),
        GuardRule(("*.buy",), idempotency=Idempotency("$.body.no", required=True)),
    ],
)
def test_no_declaration_counts_against_a_guard_that_names_the_operation(rule: GuardRule) -> None:
    """`place` goes where `buy` goes."""
    with shop(rule, files=(DECLARED,)) as shopping:
        assert not tool_of(shopping, "quote", "auto")
        assert not shopping.writes


def test_a_declaration_counts_against_a_guard_for_everything() -> None:
    with shop(READ_ONLY, files=(DECLARED,)) as shopping:
        assert tool_of(shopping, "quote", "auto")


@pytest.mark.parametrize("era", ERAS)
def test_reading_steps_of_a_destructive_tool_need_no_approval(era: Era) -> None:
    with shop(GuardRule(("*",), approve=Approval()), files=(DECLARED,)) as shopping:
        parked = shopping.files.tool("look-and-buy", BUY, port=9090, mode=era)
        assert "a person has to approve" in tool_text(parked)
        assert [request.method for request in shopping.upstream.requests] == ["GET"]
        shopping.approve()
        assert tool_of(shopping, "look-and-buy", era)
        assert len(shopping.writes) == 1


def test_a_dry_run_changes_nothing_whatever_is_declared() -> None:
    with shop(files=(DECLARED,)) as shopping:
        for name in ("quote", "wipe", "look-and-buy"):
            given = {"account": "A1"} if name == "wipe" else BUY
            meta = {"naftiko/dry-run": True}
            shown = shopping.files.tool(name, given, port=9090, meta=meta)
            assert "dryRun" in tool_text(shown)
        assert not shopping.writes
