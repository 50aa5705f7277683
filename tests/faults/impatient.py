"""The real command, but that a repetition waits only shortly for the answer to the first call."""

from __future__ import annotations

import sys

from naftiko_runtime.cli import main
from naftiko_runtime.guards import claims

claims.PATIENCE = 0.5  # type: ignore[misc]

if __name__ == "__main__":
    sys.exit(main())
