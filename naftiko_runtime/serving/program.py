"""Loads what serves in the process that runs it: the parent of workers does without."""

from __future__ import annotations

import gc
from collections.abc import Callable

from naftiko_runtime.serving.settings import ServeSettings


def run_program(settings: ServeSettings, ready: Callable[[], None] = lambda: None) -> int:
    """`process.run`, once it is loaded."""
    # Modules stay: looking for garbage in them, again and again while they load, finds none, nor
    # does it while calls are served.
    gc.disable()
    from naftiko_runtime.serving.process import run

    gc.freeze()
    gc.enable()
    return run(settings, ready)
