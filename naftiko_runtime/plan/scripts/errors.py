"""What is wrong with a script step, found at load."""

from __future__ import annotations

from naftiko_runtime.document.model import ScriptStep


class ScriptError(ValueError):
    """A script step that cannot run. `key` is the key of the step that is at fault."""

    def __init__(self, step: ScriptStep, key: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.key = key
        self.remedy = remedy


class ScriptSyntaxError(ValueError):
    """A text that is no script of its language; `line` counts from 1."""

    def __init__(self, line: int, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.remedy = remedy
