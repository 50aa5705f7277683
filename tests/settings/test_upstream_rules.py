"""Which rule of the operator holds for a consumed namespace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.settings.model import Breaker, Pacing, UpstreamRule
from naftiko_runtime.settings.upstream_rules import best_fit, fits, rule_for

NAMES = st.text("abcAB-.é*[(\n", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*", "web-orders"), ("web-*", "Web-Orders"), ("*.placeorder", "web-orders.placeOrder")],
)
def test_pattern_fits_in_any_case(pattern: str, name: str) -> None:
    assert fits(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"), [("web", "web-orders"), ("web.orders", "web-orders"), ("", "web")]
)
def test_pattern_fits_whole_names_and_nothing_else(pattern: str, name: str) -> None:
    assert not fits(pattern, name)


@given(NAMES, NAMES, NAMES)
def test_pattern_with_a_star_fits_any_text_in_its_place(
    before: str, between: str, after: str
) -> None:
    before, after = before.replace("*", ""), after.replace("*", "")
    assert fits(f"{before}*{after}", before + between + after)


def test_nearest_pattern_is_the_name_itself_then_the_one_that_says_most() -> None:
    assert best_fit(["*", "web-*", "web-o*", "web-orders"], "web-orders") == "web-orders"
    assert best_fit(["*", "web-*", "web-o*"], "web-orders") == "web-o*"
    assert best_fit(["*"], "web-orders") == "*"
    assert best_fit(["other"], "web-orders") is None


def test_rule_is_filled_up_from_wider_ones() -> None:
    rules = (
        UpstreamRule("*", timeout=10.0, pool=64, breaker=Breaker(3)),
        UpstreamRule("web-*", timeout=5.0, pacing=Pacing(10)),
        UpstreamRule("web-orders", pool=8),
    )
    settled = rule_for(rules, "web-orders")
    assert settled == UpstreamRule(
        "web-orders", timeout=5.0, pool=8, pacing=Pacing(10), breaker=Breaker(3)
    )


def test_nearer_rule_wins_for_the_pace_of_an_operation() -> None:
    rules = (
        UpstreamRule("*", operations={"tickle": Pacing(1), "list": Pacing(2)}),
        UpstreamRule("web", operations={"tickle": Pacing(5)}),
    )
    settled = rule_for(rules, "web")
    assert settled is not None
    assert settled.operations == {"tickle": Pacing(5), "list": Pacing(2)}


def test_no_rule_fits() -> None:
    assert rule_for((UpstreamRule("other"),), "web") is None
