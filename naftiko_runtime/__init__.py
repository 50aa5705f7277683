"""Runs Naftiko capability files as REST and MCP services.

    import naftiko_runtime

    loaded = naftiko_runtime.load("orders.yaml")
    for problem in loaded.problems:
        print(problem)
    naftiko_runtime.serve("capabilities")

Everything else in the package may change without notice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from naftiko_runtime.plan.load import LoadedFile

__version__ = "0.1.0"
"""The one place that says so. Asking an installation for it takes as long as reading a file."""

__all__ = ["__version__", "load", "serve"]


def load(
    path: str | os.PathLike[str],
    variables: Mapping[str, str] | None = None,
    base_uris: Mapping[str, str] | None = None,
) -> LoadedFile:
    """Loads one capability file: its plan, and what is wrong with it. Never raises for the latter.

    `variables` stand for the environment (by default, that of this process), `base_uris` replace
    the `baseUri` of consumed namespaces.
    """
    from naftiko_runtime.plan.load import load_file

    return load_file(
        Path(path), dict(os.environ) if variables is None else variables, base_uris or {}
    )


def serve(*paths: str | os.PathLike[str]) -> int:
    """Serves capability files and folders as `naftiko serve` does, until a signal ends it.

    Returns the exit code. Runs its own event loop, so call it from the main thread of a program.
    """
    from naftiko_runtime.serving.process import run
    from naftiko_runtime.serving.settings import ServeSettings, SourceSettings

    return run(ServeSettings(SourceSettings(tuple(Path(path) for path in paths))))
