"""What holds for a namespace where several rules fit it."""

from __future__ import annotations

from naftiko_runtime.settings.model import Pacing, UpstreamRule
from naftiko_runtime.settings.upstreams import rule_for


def test_each_setting_comes_from_the_most_precise_rule_that_has_it() -> None:
    rules = (
        UpstreamRule("*", timeout=10.0, pool=64, login="https://login.example.com"),
        UpstreamRule("web-*", timeout=5.0, base_uri="https://localhost:5000"),
        UpstreamRule("Web-Orders", pool=2),
        UpstreamRule("web-accounts", pool=3),
    )
    found = rule_for(rules, "web-orders")
    assert (found.match, found.timeout, found.pool) == ("web-orders", 5.0, 2)
    assert found.base_uri == "https://localhost:5000"
    assert found.login == "https://login.example.com"


def test_what_no_rule_sets_is_left_open() -> None:
    assert rule_for((UpstreamRule("other", pool=1),), "web-orders") == UpstreamRule("web-orders")


def test_the_first_of_equally_precise_rules_counts() -> None:
    rules = (UpstreamRule("*-orders", pool=1), UpstreamRule("web-*ers", pool=2))
    assert rule_for(rules, "web-orders").pool == 1


def test_an_instant_timeout_is_a_setting_too() -> None:
    rules = (UpstreamRule("*", timeout=9.0), UpstreamRule("a", timeout=0.0))
    assert rule_for(rules, "a").timeout == 0.0


def test_pacings_of_operations_come_together() -> None:
    slow, fast = Pacing(1.0), Pacing(10.0)
    rules = (
        UpstreamRule("*", operations={"place*": slow, "list": slow}),
        UpstreamRule("orders", operations={"list": fast}),
    )
    assert rule_for(rules, "orders").operations == {"place*": slow, "list": fast}
