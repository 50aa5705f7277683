"""What a program gets when it imports the package."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import naftiko_runtime
from tests.capability_text import capability
from tests.serving_process import ROOT, Serving, clean_environment


def test_a_file_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(capability("orders", "http://localhost:1", "live"))
    loaded = naftiko_runtime.load(path, base_uris={"orders": "https://localhost:5000"})
    assert loaded.problems == ()
    assert loaded.plan is not None
    assert loaded.plan.upstreams == {"orders": "https://localhost:5000"}


def test_what_is_wrong_with_a_file_is_returned_not_raised(tmp_path: Path) -> None:
    loaded = naftiko_runtime.load(str(tmp_path / "absent.yaml"))
    assert loaded.plan is None
    assert len(loaded.problems) == 1


def test_a_program_can_serve(tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    text = capability("orders", "http://localhost:1", "live", rest_port=port, mcp_port=None)
    path.write_text(text)
    code = f"import naftiko_runtime; raise SystemExit(naftiko_runtime.serve({str(path)!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=clean_environment(),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    serving = Serving(process)
    try:
        serving.wait_for_log("(?m)^ready ")
        assert f"http://127.0.0.1:{port} " in serving.log
        assert serving.stop() == 0
    finally:
        process.kill()
        assert process.stderr is not None
        process.stderr.close()


def test_there_is_nothing_else(tmp_path: Path) -> None:
    assert set(naftiko_runtime.__all__) == {"__version__", "load", "serve"}
    assert naftiko_runtime.__version__ == version("naftiko-runtime")
