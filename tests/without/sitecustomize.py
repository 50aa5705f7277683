"""Makes Python start as if some modules were not installed: those that NAFTIKO_TEST_WITHOUT names,
separated by commas. Python imports this by itself where its folder is in PYTHONPATH."""

import os
import sys

for name in filter(None, os.environ.get("NAFTIKO_TEST_WITHOUT", "").split(",")):
    sys.modules[name] = None  # type: ignore[assignment]
