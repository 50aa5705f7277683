"""Capability files for tests that start the real command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.capability_text import capability
from tests.recording_upstream import RecordingUpstream


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to drop capability files into."""
    made = tmp_path / "capabilities"
    made.mkdir()
    return made


@pytest.fixture
def drop(folder: Path, upstream: RecordingUpstream) -> Callable[..., Path]:
    """`drop("orders", "list", "cancel")` writes a capability of that name, with one GET operation
    and tool per name, into the folder; what it consumes is the recording upstream."""

    def write(name: str, *operations: str, **settings: Any) -> Path:
        path = folder / f"{name}.yaml"
        path.write_text(capability(name, upstream.url, *operations, **settings))
        return path

    return write
