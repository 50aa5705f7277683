"""The file whose existence halts: made and removed by the page and by `naftiko halt`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path


def create_halt_file(path: Path, by: str) -> bool:
    """Halts; False when it was halted already. What is there is left as it is, whatever it is.
    Raises OSError."""
    text = f"all changes are halted since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC by {by}\n"
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def remove_halt_file(path: Path) -> bool:
    """Lifts the halt of the file; False when there was none. Raises OSError, as for a folder of
    that name."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
