"""What is said about problems, and how often."""

from __future__ import annotations

import logging

import pytest

from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.logs import LOGGER
from naftiko_runtime.serving.report import Reporter, counted


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=LOGGER.name)


def problem(
    line: int,
    severity: Severity = Severity.ERROR,
    consequence: Consequence = Consequence.PART,
    file: str = "a.yaml",
) -> Problem:
    return Problem(
        "some-rule", Place(file, line), (), f'"x{line}" is wrong', "mend it", severity, consequence
    )


def test_a_problem_is_one_line_with_place_and_remedy(caplog: pytest.LogCaptureFixture) -> None:
    Reporter().problems([problem(3)])
    assert caplog.messages == ['a.yaml:3:1: error: "x3" is wrong - mend it']
    assert caplog.records[0].levelno == logging.ERROR


def test_what_takes_nothing_out_of_service_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    Reporter().problems([problem(3, consequence=Consequence.NOTHING)])
    assert caplog.messages == ['a.yaml:3:1: warning: "x3" is wrong - mend it']


def test_notes_are_for_validate_alone(caplog: pytest.LogCaptureFixture) -> None:
    Reporter().problems([problem(3, Severity.NOTE, Consequence.NOTHING)])
    assert caplog.messages == []


def test_a_problem_that_stays_is_not_repeated_and_one_that_returns_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reporter = Reporter()
    for current in ([problem(1)], [problem(1), problem(2)], [problem(2)], [problem(1)]):
        reporter.problems(current)
    assert [message[7:8] for message in caplog.messages] == ["1", "2", "1"]


def test_a_file_with_many_problems_does_not_bury_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    many = [problem(line) for line in range(1, 31)]
    Reporter().problems([*many, problem(1, file="b.yaml")])
    assert len(caplog.messages) == 12
    assert caplog.messages[10] == 'a.yaml: 20 more problems - "naftiko validate a.yaml" lists them'
    assert caplog.messages[11].startswith("b.yaml:1:1: ")


def test_a_silent_reporter_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    reporter = Reporter(speaks=False)
    reporter.problems([problem(1)])
    reporter.say(logging.ERROR, "event", "message")
    assert caplog.messages == []


def test_numbers_come_with_their_noun() -> None:
    assert [counted(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
