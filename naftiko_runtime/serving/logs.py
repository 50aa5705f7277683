"""What a running process tells its operator: one line per event on standard error.

Text is for a person at a terminal, JSON for a log collector. A value that came from outside (a
path, a file's text, an upstream's name) cannot break a line or drive a terminal: control and
direction characters are written as escapes. Nothing here is given a secret to print, but for the
link that opens the approval page once.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import TextIO

from naftiko_runtime.serving.settings import LogFormat, LogSettings

LOGGER = logging.getLogger("naftiko")

_COLOURS = {"error": "31", "warning": "33", "debug": "2"}


def log_event(level: int, event: str, message: str, **fields: object) -> None:
    """Logs an event: its stable name, the line for a person, and fields for a collector."""
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, "%s", message, extra={"event": event, "fields": fields})


def log_private(level: int, event: str, message: str, **fields: object) -> None:
    """As `log_event`, for what lets its reader in somewhere: it goes to standard error, and to
    nobody who follows the log from outside."""
    if LOGGER.isEnabledFor(level):
        extra = {"event": event, "fields": fields, "private": True}
        LOGGER.log(level, "%s", message, extra=extra)


def is_private(record: logging.LogRecord) -> bool:
    return bool(getattr(record, "private", False))


def one_line(text: str) -> str:
    """The text with every character that a terminal or a log reader could act on escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def wants_colour(stream: TextIO) -> bool:
    """Whether to colour what goes to a stream: a terminal, and no `NO_COLOR` (no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def coloured(text: str, level: str) -> str:
    """The text in the colour of `error`, `warning` or `debug`."""
    code = _COLOURS.get(level)
    return f"\033[{code}m{text}\033[0m" if code else text


def set_up_logs(settings: LogSettings) -> None:
    """Sends the process's events to standard error; libraries may only report errors."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.format is LogFormat.JSON:
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(_TextFormatter(wants_colour(sys.stderr)))
    logging.basicConfig(handlers=[handler], level=logging.ERROR, force=True)
    LOGGER.setLevel(settings.level.upper())


def _level_name(record: logging.LogRecord) -> str:
    return record.levelname.lower()


class _TextFormatter(logging.Formatter):
    """`warning: message`; an ordinary event is its message alone."""

    def __init__(self, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        level = _level_name(record)
        lines = [one_line(record.getMessage())]
        if record.exc_info:
            lines += [one_line(line) for line in self.formatException(record.exc_info).split("\n")]
        if level != "info" and not _fields(record).get("problem"):
            lines[0] = f"{level}: {lines[0]}"
        if self._colour:
            lines[0] = coloured(lines[0], level)
        return "\n    ".join(lines)


def log_document(record: logging.LogRecord) -> dict[str, object]:
    """An event for a collector: time, level, event, message, and the event's own fields."""
    moment = datetime.fromtimestamp(record.created, UTC)
    document: dict[str, object] = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": _level_name(record),
        "event": getattr(record, "event", record.name),
        "message": record.getMessage(),
    }
    return document | _fields(record)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event, message, then the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        document = log_document(record)
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document, ensure_ascii=True, default=str)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields = getattr(record, "fields", {})
    return fields if isinstance(fields, dict) else {}
