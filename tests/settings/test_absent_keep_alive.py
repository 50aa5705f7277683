"""A session is kept open only where something of its upstream is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capability_text import capability
from tests.serving_process import run_naftiko

SETTINGS = """\
upstreams:
  tides: {keep-alive: {call: tides.tickle, every: 60s}}
"""


@pytest.mark.parametrize(("served", "code"), [("tides", 1), ("winds", 0)])
def test_a_call_that_is_not_there_is_an_error_where_its_upstream_is(
    tmp_path: Path, served: str, code: int
) -> None:
    (tmp_path / "runtime.yaml").write_text(SETTINGS)
    (tmp_path / "served.yaml").write_text(capability(served, "https://api.example.com"))
    done = run_naftiko("validate", tmp_path)
    assert done.returncode == code, done.stdout
    assert ("names no consumed operation" in done.stdout) is (served == "tides")
