"""The breaker, on a clock that the tests turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.breaker import Circuit
from naftiko_runtime.settings.model import Breaker

SETTINGS = Breaker(failures=3, pause=10.0)


def broken(now: float = 0.0) -> Circuit:
    circuit = Circuit(SETTINGS)
    for _ in range(SETTINGS.failures):
        assert circuit.closed_for(now) is None
        circuit.failed(circuit.admit(now), now)
    return circuit


def test_circuit_opens_after_failures_in_a_row() -> None:
    assert broken().closed_for(0.0) == 10.0
    assert broken().closed_for(4.0) == 6.0


def test_success_in_between_starts_the_count_anew() -> None:
    circuit = Circuit(SETTINGS)
    for _ in range(5):
        for _ in range(SETTINGS.failures - 1):
            circuit.failed(circuit.admit(0.0), 0.0)
        circuit.succeeded(circuit.admit(0.0))
    assert circuit.closed_for(0.0) is None


def test_one_call_looks_whether_it_goes_again() -> None:
    circuit = broken()
    assert circuit.closed_for(10.0) is None
    probe = circuit.admit(10.0)
    assert circuit.closed_for(10.0) is not None
    circuit.succeeded(probe)
    assert circuit.closed_for(10.0) is None
    assert not circuit.is_open


def test_circuit_opens_again_when_the_look_fails() -> None:
    circuit = broken()
    circuit.failed(circuit.admit(10.0), 12.0)
    assert circuit.closed_for(12.0) == 10.0


def test_another_call_looks_when_the_first_was_given_up() -> None:
    circuit = broken()
    circuit.abandoned(circuit.admit(10.0))
    assert circuit.is_open
    assert circuit.closed_for(10.0) is None


def test_answers_from_before_it_opened_change_nothing() -> None:
    circuit = Circuit(SETTINGS)
    early = circuit.admit(0.0)
    for _ in range(SETTINGS.failures):
        circuit.failed(circuit.admit(0.0), 0.0)
    circuit.succeeded(early)
    circuit.failed(early, 5.0)
    circuit.abandoned(early)
    assert circuit.closed_for(5.0) == 5.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["succeeds", "fails", "is given up"]), st.floats(0, 20)),
        max_size=60,
    )
)
def test_circuit_follows_the_calls_of_a_client_that_keeps_to_it(
    calls: list[tuple[str, float]],
) -> None:
    """One call after the other: never more than three failures before a rest of ten seconds, and
    every rest ends."""
    circuit, now, row, rests_until = Circuit(SETTINGS), 0.0, 0, 0.0
    for ending, gap in calls:
        now += gap
        wait = circuit.closed_for(now)
        if wait is not None:
            assert now < rests_until
            now += wait
        assert circuit.closed_for(now) is None
        is_probe = circuit.is_open
        number = circuit.admit(now)
        if ending == "succeeds":
            circuit.succeeded(number)
            row = 0
            assert not circuit.is_open
        elif ending == "fails":
            circuit.failed(number, now)
            row += 1
            assert circuit.is_open == (is_probe or row >= SETTINGS.failures)
            if circuit.is_open:
                row, rests_until = 0, now + SETTINGS.pause
        else:
            circuit.abandoned(number)
            assert circuit.is_open == is_probe


@given(st.integers(2, 20))
def test_of_many_calls_one_looks(callers: int) -> None:
    circuit = broken()
    admitted = []
    for _ in range(callers):
        if circuit.closed_for(10.0) is None:
            admitted.append(circuit.admit(10.0))
    assert len(admitted) == 1
