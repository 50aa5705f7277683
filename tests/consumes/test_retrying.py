"""Which calls are worth repeating, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.consumes.retrying import (
    LONGEST_PAUSE,
    is_out_of_order,
    is_worth_repeating,
    pause_before,
    retry_after,
)
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.settings.model import Retries

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "CONNECT", "get", "QUERY")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answer(status: int, *headers: tuple[str, str]) -> UpstreamResponse:
    return UpstreamResponse(status, headers, b"")


def failure(kind: FailureKind, *, executed: bool) -> Failure:
    return Failure(kind, "it failed", executed=executed)


@pytest.mark.parametrize("method", SAFE)
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_safe_call_is_repeated_after_an_answer_that_may_pass(method: str, status: int) -> None:
    assert is_worth_repeating(answer(status), method)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 408, 409, 500, 501])
def test_other_answers_stand(status: int) -> None:
    assert not is_worth_repeating(answer(status), "GET")


@given(st.sampled_from(UNSAFE), st.integers(100, 599))
def test_call_that_may_change_something_is_never_repeated_after_an_answer(
    method: str, status: int
) -> None:
    assert not is_worth_repeating(answer(status), method)


@given(st.sampled_from(UNSAFE), st.sampled_from(FailureKind))
def test_call_that_may_change_something_is_never_repeated_once_it_may_have_left(
    method: str, kind: FailureKind
) -> None:
    assert not is_worth_repeating(failure(kind, executed=True), method)


@pytest.mark.parametrize("method", [*SAFE, *UNSAFE])
def test_call_that_never_left_is_repeated(method: str) -> None:
    lost = failure(FailureKind.UPSTREAM_UNREACHABLE, executed=False)
    assert is_worth_repeating(lost, method)


def test_safe_call_is_repeated_when_its_connection_broke() -> None:
    assert is_worth_repeating(failure(FailureKind.UPSTREAM_BROKEN, executed=True), "GET")


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.UPSTREAM_UNTRUSTED,
        FailureKind.INVALID_INPUT,
        FailureKind.UPSTREAM_TOO_LARGE,
        FailureKind.UPSTREAM_TIMEOUT,
    ],
)
def test_what_would_only_fail_again_is_not_repeated(kind: FailureKind) -> None:
    assert not is_worth_repeating(failure(kind, executed=False), "GET")


@given(
    st.floats(0, 10), st.floats(0, 60), st.integers(1, 10_000), st.floats(0, 1, exclude_max=True)
)
def test_pause_is_a_part_of_a_time_that_doubles_up_to_the_longest(
    delay: float, longest: float, tries: int, part: float
) -> None:
    seconds = pause_before(Retries(delay=delay, longest=longest), tries, lambda: part)
    assert 0 <= seconds <= longest
    assert seconds <= delay * 2 ** min(tries - 1, 1000)


def test_pause_doubles() -> None:
    retries = Retries(delay=0.5, longest=3.0)
    assert [pause_before(retries, n, lambda: 1.0) for n in (1, 2, 3, 4, 5)] == [0.5, 1, 2, 3, 3]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_read_as_seconds_or_as_a_date(status: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    assert retry_after(answer(status, ("retry-after", " 7 ")), NOW) == 7.0
    assert retry_after(answer(status, ("retry-after", date)), NOW) == 90.0


def test_retry_after_in_the_past_means_now() -> None:
    date = format_datetime(NOW - timedelta(hours=1), usegmt=True)
    assert retry_after(answer(503, ("retry-after", date)), NOW) == 0.0


@pytest.mark.parametrize(
    "value", ["99999999", "999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]
)
def test_retry_after_is_bounded(value: str) -> None:
    assert retry_after(answer(429, ("retry-after", value)), NOW) == LONGEST_PAUSE


@given(st.text(max_size=40))
def test_any_retry_after_is_within_bounds_or_none(value: str) -> None:
    seconds = retry_after(answer(429, ("retry-after", value)), NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_PAUSE


@pytest.mark.parametrize("status", [200, 404, 500, 301])
def test_retry_after_of_other_answers_means_nothing_here(status: int) -> None:
    assert retry_after(answer(status, ("retry-after", "7")), NOW) is None


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (answer(502), True),
        (answer(503), True),
        (answer(504), True),
        (answer(500), False),
        (answer(429), False),
        (answer(401), False),
        (failure(FailureKind.UPSTREAM_UNREACHABLE, executed=False), True),
        (failure(FailureKind.UPSTREAM_BROKEN, executed=True), True),
        (failure(FailureKind.UPSTREAM_TIMEOUT, executed=True), True),
        (failure(FailureKind.UPSTREAM_TIMEOUT, executed=False), False),
        (failure(FailureKind.UPSTREAM_UNTRUSTED, executed=False), False),
        (failure(FailureKind.UPSTREAM_TOO_LARGE, executed=True), False),
    ],
)
def test_what_says_that_an_origin_is_out_of_order(
    outcome: UpstreamResponse | Failure, counts: bool
) -> None:
    assert is_out_of_order(outcome) == counts
