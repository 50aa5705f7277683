"""Keeps the figures of runs, one file for each release."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import naftiko_runtime
from benchmarks.rows import Row, as_json

FOLDER = Path(__file__).parent / "results"


def keep(rows: Sequence[Row], path: Path | None, *, complete: bool) -> Path | None:
    """Writes the figures to `path`, or, of a complete run, to the file of this release. Returns
    where they are; None when they are kept nowhere."""
    if path is None:
        if not complete:
            return None
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{naftiko_runtime.__version__}.json"
    document = {
        "version": naftiko_runtime.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "rows": as_json(rows),
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path
