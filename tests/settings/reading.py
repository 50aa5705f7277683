"""Reads settings for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from naftiko_runtime.settings.model import RuntimeSettings
from naftiko_runtime.settings.reader import read_settings

FILE = Path("/etc/shop/runtime.yaml")


def settings_of(text: str, variables: Mapping[str, str] | None = None) -> RuntimeSettings:
    """The settings of a file that must be sound."""
    reading = read_settings(FILE, text.encode(), variables or {})
    assert [str(problem) for problem in reading.problems] == []
    assert reading.settings is not None
    return reading.settings


def faults_of(text: str, variables: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with a file, of which nothing may be taken: `line:column: rule: message`."""
    reading = read_settings(FILE, text.encode(), variables or {})
    assert reading.settings is None
    assert reading.problems
    return [
        f"{problem.place.line}:{problem.place.column}: {problem.rule}: {problem.message}"
        + (f" - {problem.remedy}" if problem.remedy else "")
        for problem in reading.problems
    ]
