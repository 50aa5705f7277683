"""Buckets of tokens and the lines before them, on a clock that the tests turn."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from naftiko_runtime.consumes.pacing.bucket import SECOND, Bucket
from naftiko_runtime.consumes.pacing.line import Line, TooMany
from naftiko_runtime.consumes.pacing.sharing import share_of
from naftiko_runtime.settings.model import Pacing, RuntimeSettings, UpstreamRule

RATES = st.floats(0.001, 1000.0)
BURSTS = st.integers(1, 20)
GAPS = st.lists(st.integers(0, 2 * SECOND), max_size=60)


def never_too_many(times: list[int], rate: float, burst: int) -> bool:
    """Whether no window holds more than rate * t + burst; one that begins and ends with a call
    is the fullest of its length."""
    return all(
        (last - first + 1) <= rate * (times[last] - times[first]) / SECOND + burst
        for first in range(len(times))
        for last in range(first, len(times))
    )


@given(RATES, BURSTS, GAPS)
def test_bucket_never_gives_more_than_rate_and_burst_allow(
    rate: float, burst: int, gaps: list[int]
) -> None:
    bucket, now, taken = Bucket(rate, burst), SECOND, []
    for gap in gaps:
        now += gap
        while bucket.take(now):
            taken.append(now)
    assert never_too_many(taken, rate, burst)


@given(RATES, BURSTS, GAPS)
def test_bucket_gives_a_token_when_it_says_and_not_before(
    rate: float, burst: int, gaps: list[int]
) -> None:
    bucket, now = Bucket(rate, burst), SECOND
    for gap in gaps:
        now += gap
        opens_at = bucket.opens_at(now)
        if opens_at > now:
            assert not bucket.take(opens_at - 1)
            now = opens_at
        assert bucket.take(now)


@given(RATES, BURSTS, st.integers(0, 30))
def test_bucket_foresees_when_those_ahead_have_had_their_turn(
    rate: float, burst: int, ahead: int
) -> None:
    foreseen = Bucket(rate, burst).opens_at(SECOND, ahead)
    bucket, now = Bucket(rate, burst), SECOND
    for _ in range(ahead):
        now = bucket.opens_at(now)
        assert bucket.take(now)
    assert bucket.opens_at(now) == foreseen


@given(RATES, BURSTS, GAPS, st.integers(0, 5 * SECOND))
def test_paused_bucket_gives_nothing_and_then_one_by_one(
    rate: float, burst: int, gaps: list[int], pause: int
) -> None:
    bucket, now = Bucket(rate, burst), SECOND
    bucket.pause(now + pause)
    end, taken = now + pause, []
    for gap in gaps:
        now += gap
        while bucket.take(now):
            taken.append(now)
    assert all(each >= end for each in taken)
    assert all(nth <= rate * (each - end) / SECOND for nth, each in enumerate(taken))


@given(st.lists(st.tuples(RATES, BURSTS, st.integers(0, SECOND // 100)), min_size=2, max_size=20))
def test_no_number_of_changes_adds_up_to_more_than_one_call_each(
    settings: list[tuple[float, int, int]],
) -> None:
    (rate, burst, _), *changes = settings
    bucket, now, taken, earned = Bucket(rate, burst), SECOND, 0, float(burst)
    for rate, burst, gap in changes:
        while bucket.take(now):
            taken += 1
        bucket = bucket.changed(rate, burst, now)
        now += gap
        earned += 1 + rate * gap / SECOND
    while bucket.take(now):
        taken += 1
    assert taken <= earned


def test_changed_bucket_keeps_a_pause() -> None:
    bucket = Bucket(1, 1)
    bucket.pause(600 * SECOND)
    assert bucket.changed(1000, 50, SECOND).opens_at(SECOND) == 600 * SECOND


def test_emptied_bucket_fills_at_its_rate() -> None:
    bucket = Bucket(10, 5)
    bucket.empty(SECOND)
    assert bucket.opens_at(SECOND) == SECOND + SECOND // 10
    assert bucket.opens_at(SECOND, 1) == SECOND + 2 * SECOND // 10


class LineOfCalls(RuleBasedStateMachine):
    """Calls come, wait, give up and are called while time passes and pauses are imposed."""

    RATE, BURST, SIZE, PATIENCE = 10.0, 3, 5, 2 * SECOND

    def __init__(self) -> None:
        super().__init__()
        self.line: Line[int] = Line(Bucket(self.RATE, self.BURST), self.SIZE)
        self.numbers = count()
        self.now = SECOND
        self.paused_until = 0
        self.waiting: dict[int, int] = {}
        self.sent: list[tuple[int, int]] = []

    @rule()
    def call_comes(self) -> None:
        call = next(self.numbers)
        if self.line.pass_by(self.now):
            assert not self.waiting, "it must not overtake those who wait"
            self.send(call)
            return
        wait = self.refused(call)
        if wait is None:
            self.waiting[call] = self.now + self.PATIENCE
        else:
            assert len(self.waiting) == self.SIZE or wait > self.PATIENCE

    def refused(self, call: int) -> int | None:
        try:
            self.line.join(call, self.now, self.PATIENCE)
        except TooMany as error:
            return error.wait
        return None

    def send(self, call: int) -> None:
        assert self.now >= self.paused_until
        self.sent.append((call, self.now))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def call_gives_up(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(sorted(self.waiting)))
        before = self.line.next_at(self.now)
        self.line.leave(call)
        del self.waiting[call]
        if self.waiting:
            assert self.line.next_at(self.now) == before, "its token goes to the next in line"

    @rule(nanoseconds=st.integers(0, SECOND))
    def time_passes(self, nanoseconds: int) -> None:
        """The line is looked at when it says, as its timer does."""
        end = self.now + nanoseconds
        while (turn := self.line.next_at(self.now)) is not None and turn <= end:
            self.now = turn
            called = self.line.call(self.now)
            assert called, "the line said that it would be somebody's turn"
            for call in called:
                assert call == next(iter(self.waiting)), "the order in which they came"
                assert self.now <= self.waiting.pop(call), "nobody waits in vain"
                self.send(call)
        self.now = end

    @rule(seconds=st.floats(0, 3))
    def upstream_asks_for_a_pause(self, seconds: float) -> None:
        self.paused_until = max(self.paused_until, self.now + round(seconds * SECOND))
        for call, wait in self.line.pause(self.paused_until, self.now):
            assert self.now + wait > self.waiting.pop(call)

    @invariant()
    def those_in_line_are_known(self) -> None:
        assert len(self.line) == len(self.waiting) <= self.SIZE

    def teardown(self) -> None:
        assert never_too_many([moment for _, moment in self.sent], self.RATE, self.BURST)
        assert [call for call, _ in self.sent] == sorted(call for call, _ in self.sent)


TestLineOfCalls = LineOfCalls.TestCase


def test_pause_turns_away_those_who_would_wait_too_long() -> None:
    line: Line[str] = Line(Bucket(1, 1), 5)
    assert line.pass_by(SECOND)
    line.join("first", SECOND, 10 * SECOND)
    line.join("second", SECOND, 2 * SECOND)
    assert line.pause(5 * SECOND, SECOND) == [("second", 5 * SECOND)]
    assert line.call(5 * SECOND - 1) == []
    assert line.call(5 * SECOND) == ["first"]


def test_full_line_says_when_a_turn_would_be() -> None:
    line: Line[int] = Line(Bucket(1, 1), 2)
    assert line.pass_by(SECOND)
    line.join(1, SECOND, 10 * SECOND)
    line.join(2, SECOND, 10 * SECOND)
    with pytest.raises(TooMany) as caught:
        line.join(3, SECOND, 10 * SECOND)
    assert caught.value.wait == 3 * SECOND


def test_one_who_has_gone_without_leaving_costs_no_token() -> None:
    line: Line[int] = Line(Bucket(1, 1), 3)
    assert line.pass_by(SECOND)
    for call in (1, 2, 3):
        line.join(call, SECOND, 10 * SECOND)
    assert line.call(2 * SECOND, lambda call: call == 1) == [2]
    assert len(line) == 1


def test_check_foretells_whether_a_call_would_be_turned_away() -> None:
    line: Line[int] = Line(Bucket(1, 1), 1)
    line.check(SECOND, 0)
    assert line.pass_by(SECOND)
    line.check(SECOND, SECOND)
    with pytest.raises(TooMany):
        line.check(SECOND, SECOND - 1)
    line.join(1, SECOND, SECOND)
    with pytest.raises(TooMany):
        line.check(SECOND, 10 * SECOND)


def test_place_of_one_who_gives_up_is_free_for_another() -> None:
    line: Line[int] = Line(Bucket(1, 1), 1)
    assert line.pass_by(SECOND)
    line.join(1, SECOND, 10 * SECOND)
    line.leave(1)
    line.join(2, SECOND, 10 * SECOND)
    assert line.call(2 * SECOND) == [2]


@given(RATES, BURSTS, st.integers(1, 8), GAPS)
def test_processes_keep_a_pace_together(
    rate: float, burst: int, processes: int, gaps: list[int]
) -> None:
    rule = UpstreamRule("*", pacing=Pacing(rate, burst))
    (part,) = share_of(RuntimeSettings(upstreams=(rule,)), processes).upstreams
    assert part.pacing is not None
    buckets = [Bucket(part.pacing.rate, part.pacing.burst) for _ in range(processes)]
    now, taken = SECOND, []
    for gap in gaps:
        now += gap
        for bucket in buckets:
            while bucket.take(now):
                taken.append(now)
    assert never_too_many(taken, rate * (1 + 1e-12), max(burst, processes))


def test_paces_of_operations_are_shared_too() -> None:
    rule = UpstreamRule("*", operations={"scan": Pacing(8.0, 6)}, timeout=3.0)
    settings = RuntimeSettings(upstreams=(rule,))
    (part,) = share_of(settings, 4).upstreams
    assert part == UpstreamRule("*", operations={"scan": Pacing(2.0, 1)}, timeout=3.0)
    assert share_of(settings, 1) is settings
