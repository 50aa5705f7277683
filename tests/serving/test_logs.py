"""What reaches the operator's terminal and log collector."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.serving.logs import LOGGER, log_event, one_line, set_up_logs
from naftiko_runtime.serving.settings import LogFormat, LogLevel, LogSettings


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    LOGGER.setLevel(logging.NOTSET)


@given(st.text())
def test_o8_no_text_can_break_a_line_or_drive_a_terminal(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"]) | st.just(" ")))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert one_line(text) == text


@pytest.mark.parametrize(
    "attack", ["\r\nerror: forged", "\x1b[2J", "\u202eevil", "\x9b31m", "\u2028next", "\x07"]
)
def test_o8_a_value_in_a_message_is_escaped_in_both_formats(
    attack: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for log_format in LogFormat:
        set_up_logs(LogSettings(log_format))
        log_event(logging.WARNING, "problem", f"seen {attack}", value=attack)
        shown = capsys.readouterr().err
        assert shown.count("\n") == 1
        assert shown.rstrip("\n").isprintable()


def test_a_json_line_has_the_event_and_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings(LogFormat.JSON))
    log_event(logging.INFO, "listening", "REST http://x", port=8080, protocol="REST")
    event = json.loads(capsys.readouterr().err)
    assert event.pop("time").endswith("Z")
    assert event == {
        "level": "info",
        "event": "listening",
        "message": "REST http://x",
        "port": 8080,
        "protocol": "REST",
    }


def test_a_trace_in_text_stays_behind_its_event(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings())
    try:
        raise ValueError("evil\nerror: forged")
    except ValueError:
        LOGGER.exception("incident %s", "abc")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: incident abc"
    assert all(line.startswith("    ") for line in lines[1:])


def test_events_below_the_level_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings(level=LogLevel.WARNING))
    log_event(logging.INFO, "ready", "ready")
    log_event(logging.WARNING, "problem", "beware")
    assert capsys.readouterr().err == "warning: beware\n"


def test_there_is_no_colour_unless_it_is_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs(LogSettings())
    log_event(logging.ERROR, "problem", "bad")
    assert "\033" not in capsys.readouterr().err
