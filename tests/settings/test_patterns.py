"""Which names a pattern of the settings stands for."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.settings.patterns import fits, precision

NAMES = st.text("abAB.-_*?[", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("web-orders", "web-orders"),
        ("web-orders", "Web-Orders"),
        ("*", ""),
        ("*", "web-orders.placeorder"),
        ("*.placeorder", "web-orders.PlaceOrder"),
        ("web-*.place*", "web-orders.placeorder"),
        ("*order*order*", "orders.placeorder"),
        ("STRASSE", "straße"),
    ],
)
def test_a_pattern_fits_whole_names_whatever_their_case(pattern: str, name: str) -> None:
    assert fits(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("web-orders", "web-orders.placeorder"),
        ("web-orders", "old-web-orders"),
        ("*.placeorder", "placeorder"),
        ("*.placeorder", "web-orders.placeorders"),
        ("*order*order*", "placeorder"),
        ("web.orders", "web-orders"),
        ("web?orders", "web-orders"),
        ("[a-z]", "a"),
    ],
)
def test_a_pattern_does_not_fit_parts_of_names(pattern: str, name: str) -> None:
    assert not fits(pattern, name)


@given(st.lists(NAMES.filter(lambda text: "*" not in text), min_size=1), st.lists(NAMES))
def test_any_text_may_stand_for_a_star(parts: list[str], between: list[str]) -> None:
    filled = parts[0]
    for index, part in enumerate(parts[1:]):
        filled += (between[index] if index < len(between) else "") + part
    assert fits("*".join(parts), filled.swapcase())


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_star_means_what_it_means_to_a_shell(pattern: str, name: str) -> None:
    assert fits(pattern, name) == fnmatchcase(name, pattern)


def test_a_pattern_of_many_stars_takes_no_long_search() -> None:
    assert not fits("*a" * 200 + "b", "a" * 4000)


def test_a_name_is_more_precise_than_any_pattern() -> None:
    ordered = ["*", "web-*", "*-orders", "web-orders-*", "a"]
    assert sorted(["web-*", "a", "*", "web-orders-*", "*-orders"], key=precision) == ordered
