"""Lengths of time and rates."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.settings.amounts import read_duration, read_rate

UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
NUMBERS = st.integers(0, 999_999)


@given(NUMBERS, st.sampled_from(sorted(UNITS)))
def test_a_duration_is_its_number_of_units(number: int, unit: str) -> None:
    assert read_duration(f"{number}{unit}") == float(number * UNITS[unit])


@given(NUMBERS.filter(bool), NUMBERS.filter(bool), st.sampled_from(sorted(UNITS)))
def test_a_rate_is_a_number_of_calls_in_a_time(calls: int, times: int, unit: str) -> None:
    found = read_rate(f"{calls}/{times}{unit}")
    assert found == pytest.approx(float(calls / (times * UNITS[unit])), rel=1e-12)


@given(NUMBERS.filter(bool), st.sampled_from(sorted(UNITS)))
def test_a_rate_may_leave_out_a_single_time(calls: int, unit: str) -> None:
    assert read_rate(f"{calls}/{unit}") == read_rate(f"{calls}/1{unit}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "10",
        "10 s",
        "-1s",
        "1.5s",
        "1e3s",
        "10S",
        "10d",
        "10s ",
        "\N{FULLWIDTH DIGIT ONE}s",
    ],
)
def test_what_is_no_duration_is_not_guessed(text: str) -> None:
    assert read_duration(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "/s", "10/", "10", "0/s", "10/0s", "10/-1s", "-10/s", "1/s/s", "\u0661/s", "10 / s"],
)
def test_what_is_no_rate_is_not_guessed(text: str) -> None:
    assert read_rate(text) is None


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    duration, rate = read_duration(text), read_rate(text)
    assert duration is None or duration >= 0
    assert rate is None or rate > 0
