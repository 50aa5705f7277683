"""The SDK is imported when MCP is spoken, not when tables are built."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import naftiko_runtime.exposes.mcp
import naftiko_runtime.exposes.mcp.application
from tests.exposes.mcp.plans import a_table, a_tool, an_input
a_table(a_tool("t", an_input("x"), output={"type": "object"}))
heavy = {"mcp", "mcp_types", "pydantic", "jsonschema"} & set(sys.modules)
sys.exit(f"imported: {sorted(heavy)}" if heavy else 0)
"""


def test_a_table_is_built_without_the_sdk() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
