"""The real command, but that a repetition waits only shortly for the answer to the first call."""

from __future__ import annotations

import sys
from typing import Final

from naftiko_runtime.cli import main
from naftiko_runtime.guards import claims

PATIENCE: Final = 0.5
"""In seconds."""

if __name__ == "__main__":
    claims.PATIENCE = PATIENCE  # type: ignore[misc]
    sys.exit(main())
