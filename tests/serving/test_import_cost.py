"""What a process does not load before its ports are open, unless something asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.capability_text import capability
from tests.serving_process import ROOT, clean_environment

SCRIPT = """
import os, signal, sys
from pathlib import Path
from naftiko_runtime.serving.process import run
from naftiko_runtime.serving.settings import PortSettings, ServeSettings, SourceSettings

def ready():
    print(*sys.modules, file=sys.stderr)
    os.kill(os.getpid(), signal.SIGINT)

ports = PortSettings(moved={8080: 0, 9090: 0})
settings = ServeSettings(SourceSettings((Path(sys.argv[1]),)), ports)
sys.exit(run(settings, ready))
"""

PAGE = "naftiko_runtime.exposes.approvals.site"
AUDIT = "naftiko_runtime.audit.file_journal"
LAZY = {
    PAGE,
    AUDIT,
    "anyio._backends._asyncio",
    "cryptography",
    "httpx2",
    "importlib.metadata",
    "jsonschema",
    "mcp",
    "mimetypes",
    "naftiko_runtime.exposes.control.site",
    "naftiko_runtime.exposes.skill.site",
    "naftiko_runtime.state.redis_store",
    "pydantic",
    "redis",
}


def loaded_by_serving(folder: Path, settings: str | None = None) -> set[str]:
    """The modules of a process when the ports of a file with REST and MCP are open."""
    (folder / "orders.yaml").write_text(capability("orders", "https://localhost:1"))
    if settings is not None:
        (folder / "runtime.yaml").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    modules = [line for line in done.stderr.splitlines() if line.startswith("sys ")]
    assert modules, done.stderr
    return set(modules[0].split())


def test_what_is_not_asked_for_is_not_loaded(tmp_path: Path) -> None:
    loaded = loaded_by_serving(tmp_path)
    assert "naftiko_runtime.exposes.mcp.application" in loaded
    assert not loaded & LAZY


def test_a_guard_that_asks_for_approval_loads_the_page(tmp_path: Path) -> None:
    loaded = loaded_by_serving(
        tmp_path, 'guards: [{match: "*", approve: true}]\napprovals: {port: 0}\n'
    )
    assert PAGE in loaded
    assert AUDIT not in loaded


def test_a_journal_is_loaded_where_one_is_kept(tmp_path: Path) -> None:
    loaded = loaded_by_serving(tmp_path, "audit: {file: calls.log}\n")
    assert AUDIT in loaded
    assert PAGE not in loaded
