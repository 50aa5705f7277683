"""Reads capability text for tests of the reader."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from naftiko_runtime.document.capability_reader import CapabilityReading, read_capability
from naftiko_runtime.document.model import Capability
from naftiko_runtime.problems import Problem


def read(text: str, path: Path | str = "file.yaml") -> CapabilityReading:
    return read_capability(Path(path), dedent(text).encode())


def model(text: str, path: Path | str = "file.yaml") -> Capability:
    """The model of a file without problems."""
    reading = read(text, path)
    assert [str(problem) for problem in reading.problems] == []
    assert reading.capability is not None
    return reading.capability


def only(reading: CapabilityReading, rule: str) -> Problem:
    """The one problem of a rule."""
    (problem,) = [problem for problem in reading.problems if problem.rule == rule]
    return problem
