"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.recording_upstream import RecordingUpstream

SHARED = Path(__file__).resolve().parents[2] / "shared"
WORKERS_PER_CORE = 2

# How fast an example is says more of the machine than of the program.
settings.register_profile(
    "usual", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("usual"), max_examples=3_000)
settings.load_profile("usual")


def pytest_xdist_auto_num_workers() -> int:
    """How many `-n auto` are: many tests wait for a process, an answer or a moment."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def upstream() -> Iterator[RecordingUpstream]:
    """A running upstream that records what it is asked and echoes it."""
    with RecordingUpstream() as running:
        yield running


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of seeds, published files and schemas beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("there is no folder of published files beside this repository")
    return SHARED
