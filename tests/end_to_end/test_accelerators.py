"""The program serves without the modules that only make it faster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.recording_upstream import RecordingUpstream, reply_json
from tests.serving_process import clean_environment, serve

Drop = Callable[..., Path]

ACCELERATORS = ("uvloop", "yaml._yaml")
WITHOUT = {"NAFTIKO_TEST_WITHOUT": ",".join(ACCELERATORS)}


@pytest.mark.parametrize("module", ACCELERATORS)
def test_a_module_can_be_hidden_from_a_program(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env=clean_environment(WITHOUT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ModuleNotFoundError" in done.stderr


def test_calls_are_answered_without_accelerators(
    folder: Path, drop: Drop, upstream: RecordingUpstream
) -> None:
    drop("orders", "ping")
    upstream.answers(reply_json({"id": 1}))
    with serve(folder, env=WITHOUT) as serving:
        answer = httpx2.get(f"{serving.rest()}/orders/ping", timeout=60, trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"id": 1})
